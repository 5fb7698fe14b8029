import AITGraph
import AITOperators

extension TensorData {
  /// Returns the result of an operator that only moves elements, at the speed of memory; nil if the
  /// operator does more than that.
  static func moving(_ op: any Operator, _ operands: [TensorData], to type: TensorType)
    -> TensorData?
  {
    guard let first = operands.first, let shape = type.shape.constants else { return nil }
    switch op {
    case is Reshape, is Identity: return first.reshaped(shape)
    case let concat as Concat: return joining(operands, axis: concat.axis, shape)
    case let pad as Pad: return first.padded(pad, shape)
    case let view as any ViewOperator:
      let layout = Layout(rowMajor: Shape(first.shape))
      guard let viewed = view.view(of: layout, operand: first.type, result: type),
        let offset = viewed.offset.constant
      else { return nil }
      return first.gathered(shape, strides: viewed.strides.compactMap(\.constant), offset: offset)
    case let pointwise as Pointwise:
      // A cast and nothing else.
      let body = pointwise.body
      guard operands.count == 1, body.results.count == 1, first.shape == shape,
        case .cast(0) = body.instructions[body.results[0]]
      else { return nil }
      return first.converted(to: type.dtype)
    default: return nil
    }
  }

  private static func joining(_ parts: [TensorData], axis: Int, _ shape: [Int]) -> TensorData {
    var result = TensorData(zeros: parts[0].dtype, shape)
    let inner = shape[(axis + 1)...].reduce(parts[0].dtype.sizeInBytes, *)
    let outer = shape[..<axis].reduce(1, *)
    result.withUnsafeMutableBytes { target in
      guard let to = target.baseAddress else { return }
      var start = 0
      for part in parts {
        let row = part.shape[axis] * inner
        part.withUnsafeBytes { source in
          guard let from = source.baseAddress, row > 0 else { return }
          for index in 0..<outer {
            (to + start + index * shape[axis] * inner).copyMemory(
              from: from + index * row,
              byteCount: row
            )
          }
        }
        start += row
      }
    }
    return result
  }

  private func padded(_ pad: Pad, _ shape: [Int]) -> TensorData {
    var result = TensorData(zeros: dtype, shape)
    let low = pad.low.compactMap(\.constant)
    let size = dtype.sizeInBytes
    let dense = Self.rowMajorStrides(shape)
    let start = zip(low, dense).reduce(0) { $0 + $1.0 * $1.1 }
    let border = TensorData(scalar: pad.value, dtype)
    result.withUnsafeMutableBytes { target in
      border.withUnsafeBytes { value in
        if value.contains(where: { $0 != 0 }) {
          for index in target.indices { target[index] = value[index % size] }
        }
      }
      withUnsafeBytes { source in
        guard let from = source.baseAddress, let to = target.baseAddress, elementCount > 0
        else { return }
        let walk = StridedWalk(
          self.shape,
          from: Self.rowMajorStrides(self.shape),
          to: dense,
          size: size
        )
        walk.copy(from, to + start * size)
      }
    }
    return result
  }

  /// Returns a dense tensor of the elements at `offset + Σ index · stride`.
  private func gathered(_ shape: [Int], strides: [Int], offset: Int) -> TensorData? {
    guard strides.count == shape.count else { return nil }
    var result = TensorData(zeros: dtype, shape)
    guard result.elementCount > 0 else { return result }
    let size = dtype.sizeInBytes
    withUnsafeBytes { source in
      result.withUnsafeMutableBytes { target in
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        let walk = StridedWalk(shape, from: strides, to: Self.rowMajorStrides(shape), size: size)
        walk.copy(from + offset * size, to)
      }
    }
    return result
  }

  private static func rowMajorStrides(_ shape: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in shape.indices.dropLast().reversed() {
      strides[axis] = strides[axis + 1] * shape[axis + 1]
    }
    return strides
  }
}

/// Copies elements from one strided place to another, the last axes fastest.
private struct StridedWalk {
  private var extents: [Int] = []
  private var sourceSteps: [Int] = []
  private var targetSteps: [Int] = []
  /// Bytes that lie side by side in both places.
  private var chunk: Int

  init(_ shape: [Int], from sourceStrides: [Int], to targetStrides: [Int], size: Int) {
    chunk = size
    for axis in shape.indices.reversed() where shape[axis] != 1 {
      let (source, target) = (sourceStrides[axis] * size, targetStrides[axis] * size)
      if extents.isEmpty && source == chunk && target == chunk {
        chunk *= shape[axis]
        continue
      }
      extents.insert(shape[axis], at: 0)
      sourceSteps.insert(source, at: 0)
      targetSteps.insert(target, at: 0)
    }
    if extents.isEmpty {
      (extents, sourceSteps, targetSteps) = ([1], [0], [0])
    }
  }

  func copy(_ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer) {
    switch chunk {
    case 1: copy(source, target, 0, as: UInt8.self)
    case 2: copy(source, target, 0, as: UInt16.self)
    case 4: copy(source, target, 0, as: UInt32.self)
    case 8: copy(source, target, 0, as: UInt64.self)
    default: copyChunks(source, target, 0)
    }
  }

  private func copyChunks(
    _ source: UnsafeRawPointer,
    _ target: UnsafeMutableRawPointer,
    _ axis: Int
  ) {
    var (from, to) = (source, target)
    for _ in 0..<extents[axis] {
      if axis == extents.count - 1 {
        to.copyMemory(from: from, byteCount: chunk)
      } else {
        copyChunks(from, to, axis + 1)
      }
      from += sourceSteps[axis]
      to += targetSteps[axis]
    }
  }

  private func copy<Element: BitwiseCopyable>(
    _ source: UnsafeRawPointer,
    _ target: UnsafeMutableRawPointer,
    _ axis: Int,
    as type: Element.Type
  ) {
    if axis == extents.count - 2 {
      copyPlane(source, target, as: type)
      return
    }
    let isLast = axis == extents.count - 1
    var (from, to) = (source, target)
    for _ in 0..<extents[axis] {
      if isLast {
        to.storeBytes(of: from.loadUnaligned(as: type), as: type)
      } else {
        copy(from, to, axis + 1, as: type)
      }
      from += sourceSteps[axis]
      to += targetSteps[axis]
    }
  }

  /// Copies the last two axes in tiles, so that a transposition uses each line of memory it loads.
  private func copyPlane<Element: BitwiseCopyable>(
    _ source: UnsafeRawPointer,
    _ target: UnsafeMutableRawPointer,
    as type: Element.Type
  ) {
    let axis = extents.count - 2
    let (rows, columns) = (extents[axis], extents[axis + 1])
    let tile = 32
    for firstRow in stride(from: 0, to: rows, by: tile) {
      for firstColumn in stride(from: 0, to: columns, by: tile) {
        let lastColumn = min(firstColumn + tile, columns)
        for row in firstRow..<min(firstRow + tile, rows) {
          var from = source + row * sourceSteps[axis] + firstColumn * sourceSteps[axis + 1]
          var to = target + row * targetSteps[axis] + firstColumn * targetSteps[axis + 1]
          for _ in firstColumn..<lastColumn {
            to.storeBytes(of: from.loadUnaligned(as: type), as: type)
            from += sourceSteps[axis + 1]
            to += targetSteps[axis + 1]
          }
        }
      }
    }
  }
}
