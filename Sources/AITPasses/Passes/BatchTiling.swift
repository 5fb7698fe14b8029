import AITGraph
import AITOperators

/// Computes the first part of a network for a few images of a batch at a time.
///
/// ```
/// input x: float32[4, 64, 64, 3]
/// a = convolution(x, w)
/// b = convolution(a, v)
/// y = reduce(b)
/// ```
/// becomes, where two images fill the caches,
/// ```
/// x_slice = slice(x) {starts: [0, 0, 0, 0], sizes: [2, 64, 64, 3]}
/// a_0 = convolution(x_slice, w)
/// b_0 = convolution(a_0, v)
/// x_slice_1 = slice(x) {starts: [2, 0, 0, 0], sizes: [2, 64, 64, 3]}
/// a_1 = convolution(x_slice_1, w)
/// b_1 = convolution(a_1, v)
/// b = concat(b_0, b_1) {axis: 0}
/// y = reduce(b)
/// ```
///
/// A layer's images are then in the caches when the next layer reads them, where those of a whole
/// batch have left them. What is computed apart reaches from an input to a value that all the rest
/// follows from, the last before which a layer reads and writes more than twice `tileBytes`: behind
/// it images are small, and large weights had better be read once for all of them. The parts of the
/// batch share kernels and packed weights; nodes are laid out part after part, which is the order in
/// which they run. Only batches of fixed extent; never a node that depends on more than one image,
/// or whose result does not have the batch for its first axis.
///
/// Does nothing where the limit is 0, as by default. Runs once, when nothing else changes any more, so
/// that all parts are fused alike. Visits each node once; the graph grows by at most `tiles` times the first part.
package struct BatchTiling: GraphPass {
  package static let name = "batch-tiling"

  package init() {}

  package func run(on graph: inout Graph, in context: PassContext) throws(Diagnostic) {
    let limits = context.limits
    guard limits.tileBytes > 0 else { return }
    for input in graph.inputs {
      guard let section = Section(from: input, in: graph, limits) else { continue }
      try tile(section, in: &graph)
    }
  }

  /// Nodes that each image goes through on its own, from an input to one value.
  fileprivate struct Section {
    let input: ValueID
    let batch: Int
    let nodes: [NodeID]
    let end: ValueID
    let tiles: Int
  }

  private func tile(_ section: Section, in graph: inout Graph) throws(Diagnostic) {
    var parts: [ValueID] = []
    for tile in 0..<section.tiles {
      let first = tile * section.batch / section.tiles
      let count = (tile + 1) * section.batch / section.tiles - first
      var sizes = graph[section.input].type.shape.dimensions
      sizes[0] = Dimension(count)
      let slice = Slice(
        starts: [Dimension(first)] + Array(repeating: 0, count: sizes.count - 1),
        sizes: sizes,
        steps: Array(repeating: 1, count: sizes.count)
      )
      var copies = [section.input: try graph.addView(slice, of: section.input)]
      for id in section.nodes {
        let node = graph[id]
        var op = node.op
        if let reshape = op as? Reshape {
          op = Reshape(reshape.shape.replacing([0], with: Dimension(count)))
        }
        let results = try graph.addNode(
          op,
          node.inputs.map { copies[$0] ?? $0 },
          name: "\(node.name)_tile\(tile)",
          fusion: node.fusion,
          source: node.source
        )
        for (old, new) in zip(node.outputs, results) { copies[old] = new }
      }
      if let end = copies[section.end] { parts.append(end) }
    }
    let whole = try graph.addNode(Concat(axis: 0), parts, name: graph[section.end].name)[0]
    graph.forward(section.end, to: whole, isNew: true)
    for id in section.nodes.reversed() { graph.eraseIfUnused(id) }
  }
}

extension BatchTiling.Section {
  /// The section of an input that is worth tiling; nil if there is none.
  fileprivate init?(from input: ValueID, in graph: Graph, _ limits: PassLimits) {
    let shape = graph[input].type.shape
    guard shape.rank >= 3, let batch = shape[0].constant, batch > 1 else { return nil }
    self.input = input
    self.batch = batch
    let invariant = graph.invariantValues()
    // Values with the batch for their first axis, and how many uses of them lie ahead.
    var uses = [input: graph.useCount(of: input)]
    var live = 1
    var nodes: [NodeID] = []
    var best: (nodes: Int, end: ValueID, bytesPerImage: Int)?
    // The largest node's traffic since the last value that all follows from, and before it.
    var bytes = 0
    var bytesBefore = 0
    for id in graph.sortedNodes() {
      let node = graph[id]
      guard node.inputs.contains(where: { uses[$0] != nil }),
        Self.isParallel(node, batch, in: graph, { uses[$0] != nil }, { invariant[$0.index] })
      else { continue }
      nodes.append(id)
      let isView = node.op is any ViewOperator
      let traffic = (node.inputs.filter { uses[$0] != nil } + node.outputs)
        .compactMap { graph[$0].type.sizeInBytes.constant }.reduce(0, +)
      if !isView { bytes = max(bytes, traffic) }
      for value in Set(node.inputs) where uses[value] != nil {
        uses[value] = (uses[value] ?? 0) - node.inputs.filter { $0 == value }.count
        if uses[value] == 0 { live -= 1 }
      }
      for output in node.outputs {
        uses[output] = graph.useCount(of: output)
        if graph.useCount(of: output) > 0 { live += 1 }
      }
      guard live == 1, !isView, node.outputs.count == 1, uses[node.outputs[0]] ?? 0 > 0 else {
        continue
      }
      if bytes > 2 * limits.tileBytes {
        bytesBefore = max(bytesBefore, bytes)
        best = (nodes.count, node.outputs[0], max(1, bytesBefore / batch))
      }
      bytes = 0
    }
    guard let best else { return nil }
    let images = max(1, limits.tileBytes / best.bytesPerImage)
    tiles = min((batch + images - 1) / images, limits.tiles)
    guard tiles > 1 else { return nil }
    self.nodes = Array(nodes.prefix(best.nodes))
    end = best.end
  }

  /// Whether a node computes each image of its results from the same image of what carries the
  /// batch, and from what is the same in every run.
  private static func isParallel(
    _ node: Graph.Node,
    _ batch: Int,
    in graph: Graph,
    _ carries: (ValueID) -> Bool,
    _ isInvariant: (ValueID) -> Bool
  ) -> Bool {
    let shapes = node.outputs.map { graph[$0].type.shape }
    guard node.fusion.prologue == nil,
      shapes.allSatisfy({ $0.rank > 0 && $0[0].constant == batch }),
      node.inputs.allSatisfy({ carries($0) || isInvariant($0) })
    else { return false }
    // What meets results element by element: lined up with them, the batch has to be the same axis.
    func isLinedUp(_ values: some Sequence<ValueID>) -> Bool {
      values.allSatisfy { value in
        let shape = graph[value].type.shape
        if carries(value) { return shape.rank == shapes[0].rank }
        return shape.rank < shapes[0].rank || shape[0] == 1
      }
    }
    let own = node.inputs.dropLast(node.fusion.epilogueInputCount)
    guard isLinedUp(node.inputs.suffix(node.fusion.epilogueInputCount)), let first = own.first
    else { return false }
    let areRestInvariant = carries(first) && own.dropFirst().allSatisfy { !carries($0) }
    switch node.op {
    case is Convolution, is Pool: return areRestInvariant
    case let product as MatMul:
      // Leading axes that the other operand lacks are rows.
      return areRestInvariant && own.count == 2 && !product.transposeA
        && graph[first].type.shape.rank >= 3 && graph[own[own.startIndex + 1]].type.shape.rank <= 2
    case is Pointwise: return isLinedUp(own)
    case let reduce as Reduce: return areRestInvariant && !reduce.axes.contains(0)
    case let permute as Permute: return permute.permutation.first == 0
    case is Reshape: return graph[first].type.shape[0].constant == batch
    default: return false
    }
  }
}
