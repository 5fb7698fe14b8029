import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// A constant B of 16-bit floats whose rows the copy engine cannot take, as it is packed: rows along
/// K, each filled up with zeros to a multiple of 16 bytes.
///
/// Packing happens once, when constants are folded, so that products of any N and K run as those of
/// even sizes do; it costs a copy of B in the device's memory.
struct PackedMatrix {
  /// The node with the packed B in the place of operand 1, which is then `[…, N, K]`.
  let node: NodeContext
  let packing: KernelCall.Packing

  /// Elements of 16 bytes.
  private static let multiple = 8

  /// Nil where B need not be packed, or cannot: its extents are known, and its elements constant.
  init?(_ node: NodeContext, _ op: MatMul) {
    let b = node.inputs[1]
    let rank = b.type.rank
    guard b.isConstant, [.float16, .bfloat16].contains(b.type.dtype), (2...5).contains(rank)
    else { return nil }
    let extents = b.type.shape.dimensions.compactMap(\.constant)
    guard extents.count == rank, extents.allSatisfy({ $0 > 0 }) else { return nil }
    let batch = Array(extents.dropLast(2))
    let (rowAxis, columnAxis) = op.transposeB ? (rank - 1, rank - 2) : (rank - 2, rank - 1)
    let (K, N) = (extents[rowAxis], extents[columnAxis])
    let strides = b.layout.strides
    let (inner, column) = (strides[rowAxis], strides[columnAxis])
    let pitch = (K + Self.multiple - 1) / Self.multiple * Self.multiple
    guard K <= Int(Int32.max) - Self.multiple else { return nil }

    // One row, or one column, is contiguous whatever its stride.
    let outer = inner == 1 || K == 1 ? column : inner
    let isContiguous = inner == 1 || column == 1 || K == 1 || N == 1
    let multiples =
      (strides.dropLast(2) + [outer, b.layout.offset])
      .map { DeviceAlignment.powerOfTwo($0, limit: Self.multiple) }
    if isContiguous && multiples.allSatisfy({ $0 == Self.multiple }) { return nil }

    let padding = 3 - batch.count
    let ends = [pitch, 1, pitch, 0, N].map { Dimension($0) }
    packing = KernelCall.Packing(
      kernel: DevicePacking.kernel(elementSize: b.type.dtype.sizeInBytes),
      sizes: Array(repeating: 1, count: padding) + batch.map { Dimension($0) }
        + [Dimension(K), Dimension(N)]
        + Array(repeating: 0, count: padding) + strides.dropLast(2) + [inner, column]
        + ends,
      sizeInBytes: batch.reduce(1, *) * N * pitch * b.type.dtype.sizeInBytes,
      dtype: b.type.dtype
    )
    var packedStrides = [pitch, 1]
    var size = N * pitch
    for extent in batch.reversed() {
      packedStrides.insert(size, at: 0)
      size *= extent
    }
    let packed = NodeContext.Operand(
      type: TensorType(b.type.dtype, Shape((batch + [N, K]).map { Dimension($0) })),
      layout: Layout(strides: packedStrides.map { Dimension($0) }),
      isConstant: true
    )
    var changed = NodeContext(
      name: node.name,
      op: MatMul(transposeA: op.transposeA, transposeB: true),
      fusion: node.fusion,
      inputs: [node.inputs[0], packed] + node.inputs.dropFirst(2),
      outputs: node.outputs
    )
    changed.numerics = node.numerics
    self.node = changed
  }
}

/// The kernel that packs rows to multiples of 16 bytes (`matmul_pack.h`).
enum DevicePacking {
  /// The header of its launch.
  static let header = "ait/gpu/matmul_pack_launch.h"

  /// The kernel alone, as it packs a constant.
  static func kernel(elementSize: Int) -> KernelSource {
    KernelSource(
      stem: "pack_rows",
      headers: [header],
      definitions: "",
      statement: "ait::launchPack<\(elementSize)>(context, kernels[0]);",
      configuration: "rows of a multiple of 16 bytes",
      entries: [entry(elementSize: elementSize)]
    )
  }

  /// Its code on the device.
  static func entry(elementSize: Int) -> DeviceEntry {
    DeviceEntry(
      headers: ["ait/gpu/matmul_pack.h"],
      definitions: "",
      signature: "AIT_KERNEL(ait::PackShape::kThreads, 1)",
      arguments: "ait::PackArguments",
      statement: "ait::packRows<\(elementSize)>(arguments);",
      threads: "ait::PackShape::kThreads"
    )
  }
}
