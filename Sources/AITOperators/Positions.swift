import AITGraph

/// Where elements lie in row-major buffers: what the reference meanings walk over.
package enum Positions {
  /// The distances between neighbours of a dense row-major tensor.
  package static func rowMajorStrides(_ extents: [Int]) -> [Int] {
    var strides = Array(repeating: 1, count: extents.count)
    for axis in extents.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * extents[axis + 1]
    }
    return strides
  }

  /// The strides by which a dense tensor is read as one of other extents that it broadcasts to:
  /// aligned at the last axis, 0 where an extent of 1 is repeated.
  static func broadcastStrides(_ extents: [Int], to target: [Int]) -> [Int] {
    let dense = rowMajorStrides(extents)
    let offset = target.count - extents.count
    return target.indices.map { axis in
      axis < offset || extents[axis - offset] != target[axis] ? 0 : dense[axis - offset]
    }
  }

  /// The positions `start + Σ index·stride` for all indices below the extents, the last axis
  /// fastest.
  static func list(_ extents: [Int], strides: [Int], start: Int = 0) -> [Int] {
    var positions = [start]
    for (extent, stride) in zip(extents, strides) {
      var next: [Int] = []
      next.reserveCapacity(positions.count * extent)
      for base in positions {
        var index = 0
        while index < extent {
          next.append(base + index * stride)
          index += 1
        }
      }
      positions = next
    }
    return positions
  }

  /// All indices below the extents, the last axis fastest.
  static func indices(_ extents: [Int]) -> [[Int]] {
    extents.reduce([[]]) { all, extent in
      all.flatMap { index in (0..<extent).map { index + [$0] } }
    }
  }
}

extension TensorData {
  /// Returns a tensor of the elements at the given positions; each lies within the tensor.
  func picking(_ positions: [Int], shape: [Int]) -> TensorData {
    var result = TensorData(zeros: dtype, shape)
    let size = dtype.sizeInBytes
    withUnsafeBytes { source in
      result.withUnsafeMutableBytes { target in
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        for (index, position) in positions.enumerated() {
          (to + index * size).copyMemory(from: from + position * size, byteCount: size)
        }
      }
    }
    return result
  }

  /// Writes the elements of another tensor of the same type to the given positions, in order.
  mutating func scatter(_ other: TensorData, to positions: [Int]) {
    let size = dtype.sizeInBytes
    other.withUnsafeBytes { source in
      withUnsafeMutableBytes { target in
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        for (index, position) in positions.enumerated() {
          (to + position * size).copyMemory(from: from + index * size, byteCount: size)
        }
      }
    }
  }
}

extension Operator {
  /// The extents of a type whose symbols have been replaced by their values.
  func extents(_ type: TensorType) throws(Diagnostic) -> [Int] {
    guard let extents = type.shape.constants else {
      throw Diagnostic(
        .internalInconsistency,
        "\(Self.name) is evaluated with the symbolic type \(type)"
      )
    }
    return extents
  }

  /// The values of dimensions for given symbol values.
  func values(_ dimensions: [Dimension], _ symbols: [String: Int]) throws(Diagnostic) -> [Int] {
    guard let values = Shape(dimensions).evaluate(symbols) else {
      throw Diagnostic(
        .internalInconsistency,
        "\(Self.name) is evaluated without a value for \(dimensions)"
      )
    }
    return values
  }
}
