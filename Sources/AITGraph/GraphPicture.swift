/// Draws a graph for people: as text for Graphviz, or as an SVG file that needs nothing else.
///
/// Each node is a box with its operators, its name, the weights it reads and, with a profile, its
/// time; inputs and outputs are rounded. Edges carry the types of the values. Literals of the
/// program are left out.
package struct GraphPicture {
  /// What a box stands for.
  enum Kind {
    case input
    case node
    case output
  }

  /// A box of the picture.
  struct Box {
    var kind: Kind
    var title: String
    /// The name of the node.
    var subtitle: String?
    /// The weights that the node reads.
    var weights: [String] = []
    /// Everything known about it, for a pointer that rests on it.
    var tooltip: String
    var milliseconds: Double?
    /// The types of its results, where edges leave.
    var ports: [String] = []
  }

  /// Milliseconds by the name of the node.
  package var profile: [String: Double]

  let graph: Graph
  private(set) var boxes: [Box] = []
  private(set) var edges: [LayeredLayout.Edge] = []

  /// Prepares the drawing of a graph.
  ///
  /// - Parameters:
  ///   - graph: what to draw.
  ///   - profile: the time of each node in milliseconds, by the node's name; colours the boxes.
  package init(_ graph: Graph, profile: [String: Double] = [:]) {
    self.graph = graph
    self.profile = profile
    addBoxes()
  }

  /// The sum of all measured times, in milliseconds.
  var totalMilliseconds: Double { boxes.reduce(0) { $0 + ($1.milliseconds ?? 0) } }

  /// The longest time of a node, in milliseconds.
  var longestMilliseconds: Double { boxes.compactMap(\.milliseconds).max() ?? 0 }

  // MARK: - Contents

  private mutating func addBoxes() {
    var places: [ValueID: (box: Int, port: Int)] = [:]
    for id in graph.inputs {
      places[id] = (boxes.count, 0)
      let type = graph[id].type.description
      boxes.append(
        Box(
          kind: .input,
          title: graph[id].name,
          tooltip: "input \(graph[id].name): \(type)",
          ports: [type]
        )
      )
    }
    let code = PseudoCode(graph)
    for id in graph.sortedNodes() {
      let node = graph[id]
      let index = boxes.count
      var box = Box(
        kind: .node,
        title: Self.title(of: node),
        subtitle: node.name,
        tooltip: code.line(node) + (node.source.map { "\n\($0)" } ?? ""),
        milliseconds: profile[node.name],
        ports: node.outputs.map { graph[$0].type.description }
      )
      var drawn: Set<ValueID> = []
      for input in node.inputs where drawn.insert(input).inserted {
        if let constant = graph.constant(input) {
          guard constant.isNamed else { continue }
          box.weights.append("\(graph[input].name) \(graph[input].type)")
        } else if let place = places[input] {
          edges.append(LayeredLayout.Edge(source: place.box, port: place.port, target: index))
        }
      }
      for (port, output) in node.outputs.enumerated() { places[output] = (index, port) }
      boxes.append(box)
    }
    for output in graph.outputs {
      let type = graph[output.value].type.description
      if let place = places[output.value] {
        edges.append(LayeredLayout.Edge(source: place.box, port: place.port, target: boxes.count))
      }
      boxes.append(
        Box(kind: .output, title: output.name, tooltip: "output \(output.name): \(type)")
      )
    }
  }

  /// The operator and the functions fused around it: `matmul + add + fast_gelu`.
  static func title(of node: Graph.Node) -> String {
    var parts: [String] = []
    if let prologue = node.fusion.prologue { parts.append(summary(prologue)) }
    let body = node.op.attributes.compactMap { attribute -> String? in
      switch (attribute.name, attribute.value) {
      case ("body", .expression(let body)): summary(body)
      case ("kind", .string(let kind)): kind
      default: nil
      }
    }
    parts.append(body.first ?? type(of: node.op).name)
    if let epilogue = node.fusion.epilogue { parts.append(summary(epilogue)) }
    return parts.joined(separator: " + ")
  }

  private static func summary(_ expression: ScalarExpression) -> String {
    let functions = expression.instructions.compactMap { instruction -> String? in
      switch instruction {
      case .call(.select, _): "where"
      case .call(let function, _): function.rawValue
      case .cast: "cast"
      case .input, .constant: nil
      }
    }
    switch functions.count {
    case 0: return "copy"
    case 1...3: return functions.joined(separator: " + ")
    default: return "\(functions.count) pointwise operations"
    }
  }

  // MARK: - Colours and numbers

  /// The fill of a box, from nearly white to red by its share of the longest time.
  func fill(_ box: Box) -> String {
    switch box.kind {
    case .input: return "#d9f0d3"
    case .output: return "#d6e4f7"
    case .node:
      guard let time = box.milliseconds, longestMilliseconds > 0 else { return "#fbfaf7" }
      return Self.heat(time / longestMilliseconds)
    }
  }

  /// The colour of a share from 0 to 1.
  static func heat(_ share: Double) -> String {
    let stops: [[Double]] = [[255, 247, 236], [254, 224, 182], [253, 187, 132], [250, 140, 95]]
    let place = min(max(share, 0), 1) * Double(stops.count - 1)
    let lower = min(Int(place), stops.count - 2)
    let rest = place - Double(lower)
    let channels = zip(stops[lower], stops[lower + 1]).map { low, high in
      let text = String(Int((low + (high - low) * rest).rounded()), radix: 16)
      return text.count == 1 ? "0" + text : text
    }
    return "#" + channels.joined()
  }

  /// The time of a box with its share of the whole: `0.012 ms · 34 %`.
  func timeText(_ box: Box) -> String? {
    guard let time = box.milliseconds else { return nil }
    let share = totalMilliseconds > 0 ? time / totalMilliseconds * 100 : 0
    return "\(Self.text(time, digits: 4)) ms · \(Self.text(share, digits: 1)) %"
  }

  /// A number with at most some digits after the point.
  static func text(_ value: Double, digits: Int) -> String {
    guard value.isFinite, value.magnitude < 1e12 else { return "\(value)" }
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let rounded = (value.magnitude * scale).rounded()
    let whole = Int(rounded / scale)
    var fraction = String(Int(rounded - Double(whole) * scale))
    fraction = String(repeating: "0", count: max(0, digits - fraction.count)) + fraction
    while fraction.last == "0" { fraction.removeLast() }
    let sign = value < 0 && rounded > 0 ? "-" : ""
    return digits == 0 || fraction.isEmpty ? "\(sign)\(whole)" : "\(sign)\(whole).\(fraction)"
  }

  /// A text of at most `limit` characters: the middle gives way.
  static func shortened(_ text: String, to limit: Int = 46) -> String {
    guard text.count > limit else { return text }
    let tail = (limit - 1) / 2
    return "\(text.prefix(limit - 1 - tail))…\(text.suffix(tail))"
  }
}

extension Graph {
  /// The graph as text for Graphviz: `dot -Tsvg graph.dot -o graph.svg`.
  ///
  /// - Parameter profile: the time of each node in milliseconds, by the node's name.
  /// - Returns: the text.
  public func dot(profile: [String: Double] = [:]) -> String {
    GraphPicture(self, profile: profile).dot
  }

  /// The graph as a drawing in SVG that needs no other file.
  ///
  /// - Parameter profile: the time of each node in milliseconds, by the node's name; boxes are
  ///   coloured by it.
  /// - Returns: the text of the file.
  public func svg(profile: [String: Double] = [:]) -> String {
    GraphPicture(self, profile: profile).svg
  }
}
