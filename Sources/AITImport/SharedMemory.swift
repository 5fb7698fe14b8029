import AITFrontend
import AITGraph

/// Which tensors of a program share memory, and which of them are read again.
///
/// A program of `torch.export` may change tensors in place. Values here never change; a change gives new
/// values to the tensor, to what it is a view of, and to the other views of that.
struct SharedMemory {
  struct View {
    let name: String
    let parent: String
    let node: NodeSchema
    /// Which of the node's results it is.
    let place: Int
    /// False if the memory may be the parent's or a copy.
    let isCertain: Bool
  }

  private var views: [String: View] = [:]
  private var order: [String] = []
  private var lastUses: [String: Int] = [:]
  /// For each result of an operator that works in place, the tensor that it changes.
  private var subjects: [String: String] = [:]

  /// Notes which node is the last to read each tensor; outputs of the program are read after all.
  mutating func findLastUses(_ graph: GraphSchema) {
    var subjects: [String: String] = [:]
    for (index, node) in graph.nodes.enumerated() {
      for input in node.inputs { use(input.argument, index, subjects) }
      if AtenOperator.isInPlace(node.target), case .tensor(let name) = node.inputs.first?.argument {
        for result in node.results { subjects[result] = subjects[name] ?? name }
      }
    }
    for output in graph.outputs { use(output, graph.nodes.count, subjects) }
  }

  private mutating func use(_ argument: ArgumentSchema, _ index: Int, _ subjects: [String: String])
  {
    switch argument {
    case .tensor(let name): lastUses[subjects[name] ?? name] = index
    case .list(let elements): for element in elements { use(element, index, subjects) }
    default: break
    }
  }

  // MARK: - Names

  mutating func rename(_ output: String, _ name: String) { subjects[output] = name }

  /// The tensor that a name means, which may be the result of a change of it.
  func name(of name: String) -> String { subjects[name] ?? name }

  // MARK: - Views

  /// Notes that a node's result is a view of its first operand, if it is.
  mutating func note(
    _ name: String,
    _ place: Int,
    of node: NodeSchema,
    _ tensors: [String: TensorMeta]
  ) {
    let key = AtenOperator.key(node.target)
    // `slice_copy` has the key of `slice`, and memory of its own.
    let isCopy = node.target.split(separator: ".").contains { $0.hasSuffix("_copy") }
    guard !isCopy, AtenOperator.views.contains(key), let first = node.inputs.first?.argument else {
      return
    }
    let given: String
    switch first {
    case .tensor(let operand): given = operand
    case .list(let elements):
      guard place < elements.count, case .tensor(let operand) = elements[place] else { return }
      given = operand
    default: return
    }
    var isCertain = true
    if AtenOperator.copiesWhereNeeded.contains(key) {
      guard let before = tensors[given], let after = tensors[name] else { return }
      if before.dtype != after.dtype { return }
      if key == "contiguous" || key == "to" || key == "type_as" {
        // What is laid out anew is a copy.
        guard before.strides == after.strides else { return }
        if node.inputs.contains(where: { $0.name == "copy" }) { isCertain = false }
      } else {
        isCertain = before.isDense
      }
    }
    views[name] = View(
      name: name,
      parent: self.name(of: given),
      node: node,
      place: place,
      isCertain: isCertain
    )
    order.append(name)
  }

  func view(_ name: String) -> View? { views[name] }

  /// A tensor, what it is a view of, and so on.
  func path(_ name: String) -> [String] {
    var path = [name]
    while let view = views[path[path.count - 1]] { path.append(view.parent) }
    return path
  }

  func root(_ name: String) -> String { path(name).last ?? name }

  /// All views of a tensor and of its views, in the order of the program.
  func views(of root: String) -> [View] {
    order.compactMap { views[$0] }.filter { self.root($0.name) == root }
  }

  /// The other tensors in the memory of one that are read after a node.
  func readers(of name: String, after index: Int) -> [String] {
    let root = root(name)
    return ([root] + views(of: root).map(\.name)).filter {
      $0 != name && lastUses[$0, default: -1] > index
    }
  }

  /// Whether two tensors surely share their memory.
  func isCertain(_ first: String, _ second: String) -> Bool {
    (path(first) + path(second)).allSatisfy { views[$0]?.isCertain ?? true }
  }
}

extension TensorMeta {
  /// Whether the elements lie one after the other in the order of the axes.
  var isDense: Bool {
    var expected = 1
    for (size, stride) in zip(sizes, strides).reversed() {
      if case .number(1) = size { continue }
      guard case .number(expected) = stride else { return false }
      // The stride of what lies ahead of a symbolic extent is an expression; it is the first axis then.
      guard case .number(let extent) = size else {
        return sizes.dropFirst().allSatisfy { if case .number = $0 { true } else { false } }
      }
      let (product, overflows) = expected.multipliedReportingOverflow(by: extent)
      if overflows { return false }
      expected = product
    }
    return true
  }
}

extension AtenOperator {
  /// Operators whose result shares the memory of what they are given.
  static let views: Set<String> = Set([
    "view", "_unsafe_view", "permute", "transpose", "t", "slice", "select", "squeeze",
    "unsqueeze", "expand", "expand_as", "view_as", "unflatten", "narrow", "split",
    "split_with_sizes", "chunk", "unbind", "movedim", "swapaxes", "diagonal", "linalg_diagonal",
    "detach", "alias",
    "mT", "numpy_T", "unfold", "unsafe_split", "unsafe_chunk", "tensor_split", "lift_fresh",
    "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_to", "broadcast_tensors", "meshgrid",
    "detach_",
  ]).union(identities).union(copiesWhereNeeded)

  /// Those that make a copy where the elements do not lie as needed, or are of another type.
  static let copiesWhereNeeded: Set<String> = [
    "reshape", "reshape_as", "flatten", "ravel", "contiguous", "to", "type_as",
  ]

  /// Those that give what they are given.
  static let identities: Set<String> = ["dropout", "feature_dropout", "alpha_dropout", "detach"]
}

extension AtenCall {
  /// The operand of a view after the view was given a new value.
  ///
  /// - Parameters:
  ///   - value: what was written into the view.
  ///   - place: which result of the operator the view is.
  /// - Returns: the operand, of its shape.
  /// - Throws: `unsupported-operator` for views that do not say where their elements come from.
  func written(_ value: Tensor, _ place: Int) throws(Diagnostic) -> Tensor {
    if case .list(let elements) = self[order.first ?? ""] {
      // Of a list, each result is a view of one.
      guard place < elements.count, case .tensor(let x) = elements[place] else {
        throw unsupported("changed in place")
      }
      return try reshaped(value, x)
    }
    let x = try subject()
    let key = AtenOperator.key("torch.ops." + target)
    switch key {
    case "view", "_unsafe_view", "view_as", "reshape", "reshape_as", "flatten", "unflatten",
      "ravel", "squeeze", "unsqueeze", "atleast_1d", "atleast_2d", "atleast_3d", "expand",
      "expand_as", "broadcast_to":
      return try reshaped(value, x)
    case "transpose", "swapaxes", "t", "mT", "numpy_T": return try applied(key, to: value)
    case "permute":
      var axes = [Int](repeating: 0, count: x.rank)
      for (place, axis) in try integers("dims").enumerated() where place < x.rank {
        axes[try x.shape.normalizedAxis(axis)] = place
      }
      return value.permute(axes)
    case "movedim":
      return try applied(
        key,
        to: value,
        ["source": self["destination"], "destination": self["source"]]
      )
    case "slice", "narrow", "select":
      var arguments = arguments
      arguments["src"] = .tensor(value)
      if key == "narrow" {
        arguments["end"] = .integer(try dimension("start") + (try dimension("length")))
      }
      return try applied(key == "select" ? "select_scatter" : "slice_scatter", to: x, arguments)
    case "split", "split_with_sizes", "chunk", "unsafe_split", "unsafe_chunk", "tensor_split",
      "unbind":
      var parts: [Tensor] = []
      for case .tensor(let part) in try AtenOperator.all[key]?.build(self) ?? [] {
        parts.append(parts.count == place ? value : part)
      }
      let axis = try integer("dim", default: 0)
      return key == "unbind" ? stack(parts, axis: axis) : concatenate(parts, axis: axis)
    default:
      guard
        AtenOperator.identities.contains(key)
          || ["detach", "alias", "contiguous", "to", "type_as", "lift_fresh"].contains(key)
      else { throw unsupported("changed in place", hint: "export after run_decompositions()") }
      return value
    }
  }

  private func reshaped(_ value: Tensor, _ x: Tensor) throws(Diagnostic) -> Tensor {
    guard value.shape.elementCount == x.shape.elementCount else {
      throw unsupported("changed in place: its elements share memory")
    }
    return value.reshape(x.shape.dimensions)
  }

  /// An operator with another tensor as its subject, and other arguments.
  private func applied(_ key: String, to x: Tensor, _ others: [String: AtenValue] = [:])
    throws(Diagnostic) -> Tensor
  {
    var arguments = arguments.merging(others) { _, other in other }
    arguments["self"] = .tensor(x)
    let call = AtenCall(target: "aten.\(key).default", arguments: arguments, order: order)
    guard case .tensor(let result) = try AtenOperator.all[key]?.build(call).first else {
      throw unsupported("changed in place")
    }
    return result
  }
}
