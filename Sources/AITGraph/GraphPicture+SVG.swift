extension GraphPicture {
  // Sizes in pixels. Text is set in a monospaced face, whose characters are 0.6 of its size wide.
  private static let margin = 24.0
  private static let headerHeight = 64.0
  private static let titleSize = 13.0
  private static let textSize = 11.0
  private static let lineHeight = 16.0
  private static let padding = 12.0
  private static let font = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"

  /// A drawing in SVG that needs no other file.
  package var svg: String {
    let layout = LayeredLayout(boxes.map(size), edges)
    let header = headerItems
    let headerWidth = header.map(\.width).reduce(0, +)
    let width = max(layout.width, headerWidth) + 2 * Self.margin
    let height = layout.height + Self.headerHeight + 2 * Self.margin
    let left = (width - layout.width) / 2
    let top = Self.margin + Self.headerHeight

    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(Self.number(width))\" "
        + "height=\"\(Self.number(height))\" "
        + "viewBox=\"0 0 \(Self.number(width)) \(Self.number(height))\" "
        + "font-family=\"\(Self.font)\" font-size=\"\(Self.number(Self.textSize))\">",
      "<title>\(Self.escaped(graph.name))</title>",
      "<defs>"
        + "<marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" "
        + "markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#6b7280\"/></marker>"
        + "<linearGradient id=\"heat\">"
        + (0...3).map { stop in
          let share = Double(stop) / 3
          return "<stop offset=\"\(Self.number(share))\" stop-color=\"\(Self.heat(share))\"/>"
        }.joined() + "</linearGradient></defs>",
      "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>",
    ]
    lines += drawHeader(header)
    lines.append("<g transform=\"translate(\(Self.number(left)) \(Self.number(top)))\">")
    lines.append("<g fill=\"none\" stroke=\"#6b7280\" stroke-width=\"1.3\">")
    for route in layout.routes { lines.append(draw(route)) }
    lines.append("</g>")
    for (box, origin) in zip(boxes, layout.origins) { lines += draw(box, at: origin) }
    lines.append("</g>")
    lines.append("</svg>")
    return lines.joined(separator: "\n") + "\n"
  }

  // MARK: - Header

  private struct HeaderItem {
    var text: String
    var fill: String?
    var isRounded = false
    var width: Double
  }

  private var headerItems: [HeaderItem] {
    var items: [HeaderItem] = []
    func add(_ text: String, fill: String? = nil, isRounded: Bool = false, swatch: Double = 26) {
      let width = Self.textWidth(text, Self.textSize) + (fill == nil ? 0 : swatch) + 24
      items.append(HeaderItem(text: text, fill: fill, isRounded: isRounded, width: width))
    }
    add("input", fill: "#d9f0d3", isRounded: true)
    add(profile.isEmpty ? "node" : "node, not measured", fill: "#fbfaf7")
    add("output", fill: "#d6e4f7", isRounded: true)
    if !profile.isEmpty {
      let longest = Self.text(longestMilliseconds, digits: 4)
      let total = Self.text(totalMilliseconds, digits: 4)
      add("0 to \(longest) ms, total \(total) ms", fill: "url(#heat)", swatch: 90)
    }
    return items
  }

  private func drawHeader(_ items: [HeaderItem]) -> [String] {
    let count = graph.nodeCount
    let symbols = graph.symbols.map {
      "\($0.name): \($0.bounds.lowerBound)...\($0.bounds.upperBound)"
    }
    let facts = ["\(count) node\(count == 1 ? "" : "s")"] + symbols
    var lines = [
      Self.text(
        graph.name,
        x: Self.margin,
        y: Self.margin + 12,
        size: 16,
        weight: "bold",
        fill: "#111827"
      ),
      Self.text(
        facts.joined(separator: ", "),
        x: Self.margin + Self.textWidth(graph.name, 16) + 18,
        y: Self.margin + 12,
        fill: "#6b7280"
      ),
    ]
    var x = Self.margin
    let y = Self.margin + 28
    for item in items {
      var swatch = 0.0
      if let fill = item.fill {
        swatch = fill.hasPrefix("url") ? 90 : 26
        lines.append(
          "<rect x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" width=\"\(Self.number(swatch - 8))\" "
            + "height=\"12\" rx=\"\(item.isRounded ? 6 : 2)\" fill=\"\(fill)\" stroke=\"#9ca3af\"/>"
        )
      }
      lines.append(Self.text(item.text, x: x + swatch, y: y + 10, fill: "#374151"))
      x += item.width
    }
    return lines
  }

  // MARK: - Boxes and lines

  /// The rows of a box below its title.
  private func rows(_ box: Box) -> [(text: String, fill: String, style: String)] {
    var rows: [(String, String, String)] = []
    if let subtitle = box.subtitle { rows.append((Self.shortened(subtitle), "#374151", "normal")) }
    for weight in box.weights { rows.append((Self.shortened(weight), "#6b4300", "italic")) }
    if let time = timeText(box) { rows.append((time, "#111827", "normal")) }
    return rows
  }

  /// The width of what is drawn; a place in the layout may be wider.
  private func drawnWidth(_ box: Box) -> Double {
    var width = Self.textWidth(Self.shortened(box.title), Self.titleSize)
    for row in rows(box) { width = max(width, Self.textWidth(row.text, Self.textSize)) }
    width = max(width + 2 * Self.padding, 64)
    return box.ports.count > 1 ? max(width, 2 * (ports(box).last ?? 0) + 2 * Self.padding) : width
  }

  /// Where the results leave, from the middle of the box.
  private func ports(_ box: Box) -> [Double] {
    let step = portStep(box)
    return box.ports.indices.map { (Double($0) - Double(box.ports.count - 1) / 2) * step }
  }

  /// The room that a port takes with the label on its right.
  private func portStep(_ box: Box) -> Double {
    (box.ports.map { Self.textWidth(Self.shortened($0), Self.textSize) }.max() ?? 0) + 16
  }

  private func size(_ box: Box) -> LayeredLayout.Box {
    // Labels meet neither the next port nor the next box.
    let ports = ports(box)
    let reach = ports.last.map { $0 + portStep(box) } ?? 0
    let width = max(drawnWidth(box), 2 * reach)
    let height = 26 + Double(rows(box).count) * Self.lineHeight + (rows(box).isEmpty ? 2 : 6)
    return LayeredLayout.Box(width: width, height: height, ports: ports)
  }

  private func draw(_ box: Box, at origin: LayeredLayout.Point) -> [String] {
    let size = size(box)
    let middle = origin.x + size.width / 2
    let width = drawnWidth(box)
    let stroke =
      switch box.kind {
      case .input: "#5aae61"
      case .output: "#4a7fc1"
      case .node: "#4b5563"
      }
    var lines = ["<g><title>\(Self.escaped(box.tooltip))</title>"]
    lines.append(
      "<rect x=\"\(Self.number(middle - width / 2))\" y=\"\(Self.number(origin.y))\" "
        + "width=\"\(Self.number(width))\" height=\"\(Self.number(size.height))\" "
        + "rx=\"\(box.kind == .node ? 4 : Int(size.height / 2))\" fill=\"\(fill(box))\" "
        + "stroke=\"\(stroke)\"/>"
    )
    var y = origin.y + 19
    lines.append(
      Self.text(
        Self.shortened(box.title),
        x: middle,
        y: y,
        size: Self.titleSize,
        weight: "bold",
        anchor: "middle",
        fill: "#111827"
      )
    )
    for row in rows(box) {
      y += Self.lineHeight
      lines.append(
        Self.text(row.text, x: middle, y: y, anchor: "middle", style: row.style, fill: row.fill)
      )
    }
    for (port, label) in zip(size.ports, box.ports) {
      lines.append(
        Self.text(
          Self.shortened(label),
          x: middle + port + 7,
          y: origin.y + size.height + 14,
          fill: "#4b5563"
        )
      )
    }
    lines.append("</g>")
    return lines
  }

  /// A line that runs straight down between the corners of each pair and bends from pair to pair.
  private func draw(_ route: [LayeredLayout.Point]) -> String {
    guard let first = route.first else { return "" }
    var path = "M\(Self.number(first.x)) \(Self.number(first.y))"
    for (index, corner) in route.enumerated().dropFirst() {
      if index.isMultiple(of: 2) {
        let before = route[index - 1]
        let middle = (before.y + corner.y) / 2
        path +=
          "C\(Self.number(before.x)) \(Self.number(middle)) \(Self.number(corner.x)) "
          + "\(Self.number(middle)) \(Self.number(corner.x)) \(Self.number(corner.y))"
      } else {
        path += "V\(Self.number(corner.y))"
      }
    }
    return "<path d=\"\(path)\" marker-end=\"url(#arrow)\"/>"
  }

  // MARK: - Text

  private static func textWidth(_ text: String, _ size: Double) -> Double {
    Double(text.count) * size * 0.605
  }

  private static func text(
    _ text: String,
    x: Double,
    y: Double,
    size: Double? = nil,
    weight: String? = nil,
    anchor: String? = nil,
    style: String = "normal",
    fill: String
  ) -> String {
    var attributes = "x=\"\(number(x))\" y=\"\(number(y))\" fill=\"\(fill)\""
    if let size { attributes += " font-size=\"\(number(size))\"" }
    if let weight { attributes += " font-weight=\"\(weight)\"" }
    if let anchor { attributes += " text-anchor=\"\(anchor)\"" }
    if style != "normal" { attributes += " font-style=\"\(style)\"" }
    return "<text \(attributes)>\(escaped(text))</text>"
  }

  private static func number(_ value: Double) -> String { text(value, digits: 1) }

  private static func escaped(_ text: String) -> String {
    var result = ""
    for character in text.unicodeScalars {
      switch character {
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "&": result += "&amp;"
      case "\"": result += "&quot;"
      // XML 1.0 has no way to write other control characters.
      case "\u{0}"..."\u{8}", "\u{B}", "\u{C}", "\u{E}"..."\u{1F}": result += "\u{FFFD}"
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }
}
