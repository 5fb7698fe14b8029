extension GraphPicture {
  /// Text for Graphviz.
  package var dot: String {
    var lines = [
      "digraph \(graph.name) {",
      "  rankdir=TB",
      "  node [fontname=\"Helvetica\", fontsize=11, shape=box, style=filled]",
      "  edge [fontname=\"Courier\", fontsize=9, color=\"#6b7280\"]",
    ]
    for (index, box) in boxes.enumerated() {
      var rows = [box.title] + (box.subtitle.map { [$0] } ?? []) + box.weights
      if let time = timeText(box) { rows.append(time) }
      let style = box.kind == .node ? "filled" : "\"filled,rounded\""
      let label = rows.map { Self.escaped($0) }.joined(separator: "\\n")
      lines.append(
        "  n\(index) [label=\"\(label)\", style=\(style), fillcolor=\"\(fill(box))\", "
          + "tooltip=\"\(Self.escaped(box.tooltip))\"]"
      )
    }
    for edge in edges {
      let label = Self.escaped(boxes[edge.source].ports[edge.port])
      lines.append("  n\(edge.source) -> n\(edge.target) [label=\"\(label)\"]")
    }
    return lines.joined(separator: "\n") + "\n}\n"
  }

  private static func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      default: result.append(character)
      }
    }
    return result
  }
}
