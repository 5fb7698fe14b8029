import AITGraph

/// Which nodes depend on which, kept right while nodes are merged.
///
/// One bit for each pair of nodes: a question costs one load, a merge a pass over the column of the
/// merged nodes, and one over the row of each node that depends on more than before. A thousand
/// nodes take 125 KB.
struct Reachability {
  /// The row of a node, by the index of its identity.
  private var rows: [Int: Int] = [:]
  /// For each row, one that stands for it, or nearer to that one: nodes that are merged, and views of
  /// their results, share one in the end, which stands for itself.
  private var leaders: [Int] = []
  /// For each row, the bits of the rows it depends on.
  private var ancestors: [[UInt64]] = []

  init(_ graph: Graph) {
    let order = graph.sortedNodes()
    let width = (order.count + 63) / 64
    ancestors.reserveCapacity(order.count)
    for (row, id) in order.enumerated() {
      var bits = [UInt64](repeating: 0, count: width)
      for input in graph[id].inputs {
        guard let source = graph.producer(of: input), let other = rows[source.index] else {
          continue
        }
        bits.formUnion(ancestors[other])
        bits[other >> 6] |= 1 << UInt64(other & 63)
      }
      rows[id.index] = row
      ancestors.append(bits)
    }
    leaders = Array(order.indices)
  }

  private func leader(of node: NodeID) -> Int? {
    guard var row = rows[node.index] else { return nil }
    while leaders[row] != row { row = leaders[row] }
    return row
  }

  /// Whether a node needs the result of another, over any number of nodes between.
  func depends(_ node: NodeID, on other: NodeID) -> Bool {
    guard let row = leader(of: node), let column = leader(of: other) else { return false }
    return ancestors[row].hasBit(column)
  }

  /// Whether computing a value needs the result of a node.
  func depends(_ value: ValueID, on other: NodeID, in graph: Graph) -> Bool {
    guard let source = graph.producer(of: value) else { return false }
    if let row = leader(of: source), row == leader(of: other) { return true }
    return source == other || depends(source, on: other)
  }

  /// Records that a node computes what others did; they need not be in the graph any more.
  mutating func merge(_ old: [NodeID], into new: NodeID) {
    let merged = old.compactMap(leader)
    guard let kept = merged.last else { return }
    rows[new.index] = kept
    let others = merged.filter { $0 != kept }
    // What depends on a reader depends on all that the reader does: a producer that joins it brings
    // nothing new but to its other readers.
    let isKeptLast = others.allSatisfy { ancestors[kept].hasBit($0) }
    for row in others {
      leaders[row] = kept
      ancestors[kept].formUnion(ancestors[row])
    }
    for row in merged { ancestors[kept][row >> 6] &= ~(1 << UInt64(row & 63)) }
    let bits = ancestors[kept]
    for row in ancestors.indices where row != kept {
      let dependsOnKept = ancestors[row].hasBit(kept)
      guard dependsOnKept ? !isKeptLast : others.contains(where: { ancestors[row].hasBit($0) })
      else { continue }
      ancestors[row].formUnion(bits)
      ancestors[row][kept >> 6] |= 1 << UInt64(kept & 63)
    }
  }

  /// Records a node that only describes the result of another anew.
  mutating func alias(_ view: NodeID, to node: NodeID) { rows[view.index] = rows[node.index] }
}

extension [UInt64] {
  fileprivate func hasBit(_ position: Int) -> Bool {
    self[position >> 6] >> UInt64(position & 63) & 1 == 1
  }

  fileprivate mutating func formUnion(_ other: [UInt64]) {
    for index in indices { self[index] |= other[index] }
  }
}
