import AITGraph
import AITOperators

/// Lets concats and slices that take them apart again cancel.
///
/// ```
/// a = slice(x) {starts: [0, 0], sizes: [4, 2]}
/// b = slice(x) {starts: [0, 2], sizes: [4, 6]}
/// c = concat(a, b, y) {axis: 1}
/// z = slice(c) {starts: [0, 8], sizes: [4, 3]}
/// ```
/// becomes, where x is `[4, 8]` and y `[4, 3]`,
/// ```
/// c = concat(x, y) {axis: 1}
/// z = y
/// ```
///
/// and
/// ```
/// a = concat(x, y) {axis: 1}
/// b = concat(x, y, z) {axis: 1}
/// ```
/// becomes
/// ```
/// a = concat(x, y) {axis: 1}
/// b = concat(a, z) {axis: 1}
/// ```
/// so that what grows from layer to layer, as in Huang et al., "Densely connected convolutional
/// networks" (2017), lies in one place and is not copied for each.
///
/// Neighbouring slices of one tensor become one; a concat inside a concat along the same axis is
/// opened if nothing else reads it; parts of extent 0 go; a slice that lies within one part, or
/// runs from seam to seam and is all that is read, reads the parts. A slice that lies within the
/// inside of a pad reads the operand. What is left is the planner's: parts are written in place,
/// slices are read as strided views.
///
/// Runs after `ViewSimplification`, which composes slices. Repeats until nothing cancels; each step
/// removes a node or brings one nearer to what it reads.
package struct ConcatSimplification: GraphPass {
  package static let name = "concat-simplification"

  package init() {}

  package func run(on graph: inout Graph, in context: PassContext) throws(Diagnostic) {
    try graph.untilSettled { graph throws(Diagnostic) in
      for id in graph.sortedNodes() where graph.contains(id) {
        switch graph[id].op {
        case let concat as Concat: try simplify(concat, id, in: &graph)
        case let slice as Slice: try simplify(slice, id, in: &graph)
        default: break
        }
      }
    }
  }

  // MARK: - Concat

  private func simplify(_ concat: Concat, _ id: NodeID, in graph: inout Graph) throws(Diagnostic) {
    let node = graph[id]
    var parts: [ValueID] = []
    for input in node.inputs {
      if let (inner, other) = graph.plainProducer(of: input, Concat.self),
        other.axis == concat.axis, graph.hasOneUse(input)
      {
        parts += graph[inner].inputs
      } else {
        parts.append(input)
      }
    }
    let filled = parts.filter { graph[$0].type.shape[concat.axis] != 0 }
    parts = filled.isEmpty ? [parts[0]] : filled

    var made: [ValueID] = []
    var index = 0
    while index + 1 < parts.count {
      if let joined = join(parts[index], parts[index + 1], concat.axis, in: graph) {
        let slice = try graph.addView(joined.slice, of: joined.source, like: id)
        parts.replaceSubrange(index...(index + 1), with: [slice])
        if slice != joined.source { made.append(slice) }
      } else {
        index += 1
      }
    }
    if let beginning = beginning(of: parts, concat, id, in: graph) {
      parts.replaceSubrange(..<beginning.count, with: [beginning.value])
    }
    guard parts != node.inputs || parts.count == 1 else { return }
    if parts.count == 1 {
      graph.forward(node.outputs[0], to: parts[0], isNew: made.contains(parts[0]))
    } else {
      try graph.replace(id, with: concat, parts)
    }
    for slice in made {
      if let source = graph.producer(of: slice) { graph.eraseIfUnused(source) }
    }
  }

  /// The longest concat of what some parts begin with that others read as well.
  private func beginning(of parts: [ValueID], _ concat: Concat, _ id: NodeID, in graph: Graph)
    -> (value: ValueID, count: Int)?
  {
    graph.consumers(of: parts[0]).compactMap { reader -> (value: ValueID, count: Int)? in
      let node = graph[reader]
      guard let other = node.op as? Concat, other.axis == concat.axis, node.fusion.isEmpty,
        node.inputs.count >= 2, node.inputs.count < parts.count, parts.starts(with: node.inputs)
      else { return nil }
      // One that this concat alone reads is opened instead.
      let isOpened = graph[id].inputs.contains(node.outputs[0]) && graph.hasOneUse(node.outputs[0])
      guard !isOpened else { return nil }
      return (node.outputs[0], node.inputs.count)
    }.max { $0.count < $1.count }
  }

  /// The slice that two neighbouring slices of one tensor are together.
  private func join(_ left: ValueID, _ right: ValueID, _ axis: Int, in graph: Graph)
    -> (slice: Slice, source: ValueID)?
  {
    guard let (first, before) = graph.plainProducer(of: left, Slice.self),
      let (second, after) = graph.plainProducer(of: right, Slice.self),
      graph[first].inputs == graph[second].inputs, before.steps == after.steps,
      before.starts[axis] + before.sizes[axis] * Dimension(before.steps[axis])
        == after.starts[axis],
      before.starts.indices.allSatisfy({ $0 == axis || before.starts[$0] == after.starts[$0] })
    else { return nil }
    var sizes = before.sizes
    sizes[axis] = sizes[axis] + after.sizes[axis]
    let slice = Slice(starts: before.starts, sizes: sizes, steps: before.steps)
    let source = graph[first].inputs[0]
    guard (try? slice.inferTypes([graph[source].type])) != nil else { return nil }
    return (slice, source)
  }

  // MARK: - Slice

  private func simplify(_ slice: Slice, _ id: NodeID, in graph: inout Graph) throws(Diagnostic) {
    let node = graph[id]
    if let (pad, op) = graph.plainProducer(of: node.inputs[0], Pad.self) {
      let source = graph[pad].inputs[0]
      let starts = slice.starts.indices.map { slice.starts[$0] - op.low[$0] }
      let inner = Slice(starts: starts, sizes: slice.sizes, steps: slice.steps)
      let shape = graph[source].type.shape
      guard starts.indices.allSatisfy({ inner.lies(within: shape[$0], axis: $0) }) else { return }
      let view = try graph.addView(inner, of: source, like: id)
      graph.forward(node.outputs[0], to: view, isNew: view != source)
      return
    }
    guard let (joined, concat) = graph.plainProducer(of: node.inputs[0], Concat.self)
    else { return }
    let axis = concat.axis
    var offset: Dimension = 0
    var run: [ValueID] = []
    for part in graph[joined].inputs {
      let extent = graph[part].type.shape[axis]
      var starts = slice.starts
      starts[axis] = starts[axis] - offset
      let inner = Slice(starts: starts, sizes: slice.sizes, steps: slice.steps)
      if inner.lies(within: extent, axis: axis) {
        let view = try graph.addView(inner, of: part, like: id)
        graph.forward(node.outputs[0], to: view, isNew: view != part)
        return
      }
      // From seam to seam: whole parts, one after the other.
      if slice.starts[axis] == offset || !run.isEmpty { run.append(part) }
      offset = offset + extent
      if !run.isEmpty, slice.steps[axis] == 1, slice.starts[axis] + slice.sizes[axis] == offset {
        guard run.count < graph[joined].inputs.count, graph.hasOneUse(node.inputs[0])
        else { return }
        try readParts(run, slice, axis, id, in: &graph)
        return
      }
    }
  }

  private func readParts(
    _ parts: [ValueID],
    _ slice: Slice,
    _ axis: Int,
    _ id: NodeID,
    in graph: inout Graph
  ) throws(Diagnostic) {
    var pieces: [ValueID] = []
    for part in parts {
      var (starts, sizes) = (slice.starts, slice.sizes)
      starts[axis] = 0
      sizes[axis] = graph[part].type.shape[axis]
      let piece = Slice(starts: starts, sizes: sizes, steps: slice.steps)
      pieces.append(try graph.addView(piece, of: part, like: id))
    }
    try graph.replace(id, with: Concat(axis: axis), pieces)
  }
}

extension Slice {
  /// Whether all positions along an axis lie in 0..<extent, for all values of the symbols.
  fileprivate func lies(within extent: Dimension, axis: Int) -> Bool {
    let last = starts[axis] + (sizes[axis] - 1) * Dimension(steps[axis])
    return starts[axis].lowerBound >= 0 && (extent - 1 - starts[axis]).lowerBound >= 0
      && last.lowerBound >= 0 && (extent - 1 - last).lowerBound >= 0
      && sizes[axis].lowerBound >= 1
  }
}
