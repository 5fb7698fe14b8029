import AITGraph
import AITKernels

/// Loops over operands that broadcast to one shape: the extents, and each operand's stride along
/// each, in elements.
package struct LoopNest {
  package private(set) var extents: [Dimension]
  /// `strides[operand][axis]`.
  package private(set) var strides: [[Dimension]]

  /// The prelude's loops have at most this many extents.
  package static let maximumRank = 8

  /// The loops over a shape; operands are aligned at the last axis, as in broadcasting.
  package init(_ shape: Shape, _ operands: [NodeContext.Operand]) {
    extents = shape.dimensions
    strides = operands.map { Self.strides($0, over: shape) }
  }

  package init(extents: [Dimension], strides: [[Dimension]]) {
    self.extents = extents
    self.strides = strides
  }

  package var rank: Int { extents.count }

  /// An operand's stride along each axis of a shape that it broadcasts to.
  package static func strides(_ operand: NodeContext.Operand, over shape: Shape) -> [Dimension] {
    let missing = shape.rank - operand.type.rank
    return (0..<shape.rank).map { axis in
      guard axis >= missing else { return 0 }
      let own = axis - missing
      return operand.type.shape[own] == 1 && shape[axis] != 1 ? 0 : operand.layout.strides[own]
    }
  }

  /// Takes the axes in another order.
  package mutating func permute(_ order: [Int]) {
    extents = order.map { extents[$0] }
    strides = strides.map { own in order.map { own[$0] } }
  }

  /// Puts the axes in the order of an operand's strides, the smallest innermost.
  package mutating func sort(by operand: Int) {
    let own = strides[operand]
    let order = extents.indices.sorted { first, second in
      let (a, b) = (abs(own[first].upperBound), abs(own[second].upperBound))
      return a == b ? first < second : a > b
    }
    permute(order)
  }

  /// Removes axes of extent 1 and joins neighbours that every operand walks as one, within the
  /// range of axes given; returns how many are left of it.
  @discardableResult
  package mutating func collapse(_ range: Range<Int>) -> Int {
    var axis = range.lowerBound
    var end = range.upperBound
    while axis < end {
      if extents[axis] == 1 {
        remove(axis)
        end -= 1
      } else if axis + 1 < end, canJoin(axis) {
        extents[axis] = extents[axis] * extents[axis + 1]
        for operand in strides.indices { strides[operand][axis] = strides[operand][axis + 1] }
        remove(axis + 1)
        end -= 1
      } else {
        axis += 1
      }
    }
    return end - range.lowerBound
  }

  /// Collapses all axes; at least one, of extent 1, is left.
  package mutating func collapse() {
    if collapse(0..<rank) == 0 { appendUnitAxis() }
  }

  private func canJoin(_ axis: Int) -> Bool {
    // An inner extent of 1 is removed before, so the outer stride is that of a whole inner run.
    extents[axis + 1] != 1
      && strides.allSatisfy { $0[axis] == extents[axis + 1] * $0[axis + 1] }
  }

  private mutating func remove(_ axis: Int) {
    extents.remove(at: axis)
    for operand in strides.indices { strides[operand].remove(at: axis) }
  }

  /// Adds an innermost axis of extent 1.
  package mutating func appendUnitAxis() { insertUnitAxis(at: rank) }

  /// Adds an axis of extent 1.
  package mutating func insertUnitAxis(at axis: Int) {
    extents.insert(1, at: axis)
    for operand in strides.indices { strides[operand].insert(0, at: axis) }
  }

  /// Extents, then the strides of each operand: the sizes that the prelude's kernels take.
  package var sizes: [Dimension] { extents + strides.flatMap { $0 } }

  /// How an operand moves along an axis, by the prelude's names.
  package func access(_ operand: Int, along axis: Int) -> String {
    let stride = strides[operand][axis]
    if stride == 1 { return "contiguous" }
    // A unit extent takes one element: no matter how far the next would be.
    if stride == 0 { return extents[axis] == 1 ? "contiguous" : "uniform" }
    return "strided"
  }

  /// For each element of a loop along an axis: the bytes that operands move in order, and the
  /// operands that are reached one element at a time.
  package func traffic(_ types: [DType], along axis: Int) -> (bytes: Int, strided: Int) {
    var result = (bytes: 0, strided: 0)
    for (operand, dtype) in types.enumerated() {
      switch access(operand, along: axis) {
      case "contiguous": result.bytes += dtype.sizeInBytes
      case "strided": result.strided += 1
      default: break
      }
    }
    return result
  }

  /// The prelude's description of an operand.
  package func operandType(_ operand: Int, _ dtype: DType, along axis: Int) -> String {
    "ait::Operand<\(CxxScalar.storageType(dtype)), ait::Access::\(access(operand, along: axis))>"
  }
}
