import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// A filter for each channel (`convolution_depthwise.h`): taps, stride and dilation of the last axis
/// are constants of the kernel, which loads each element once for all neighbours that a thread
/// computes.
extension DeviceConvolution {
  /// Elements of a line that a thread goes through, and taps, whose filters it keeps in registers.
  private static let limits = (span: 24, taps: 9)
  /// Shared memory that leaves room for a second block everywhere.
  private static let sharedSizeInBytes = 48 << 10
  /// The template's `kRun`.
  private static let run = 4

  /// The kernel; nil if the elements are wider than float32, channels do not lie next to each other
  /// in whole packets, zeros lie between the elements of the image, or windows are too long.
  var depthwisePart: Part? {
    let size = node.inputs[0].type.dtype.sizeInBytes
    let packet = DeviceAlignment.widest / size
    let last = problem.axes[2]
    let span = (Self.run - 1) * last.stride + (last.taps - 1) * last.dilation + 1
    let places = [node.inputs[0].layout.offset] + problem.imageStrides.prefix(4)
    guard problem.isDepthwise, size <= 4, problem.groups.isMultiple(of: packet),
      problem.imageStrides[4] == 1, !problem.axes.contains(where: { $0.inputDilation > 1 }),
      places.allSatisfy({ DeviceAlignment.powerOfTwo($0, limit: packet) == packet }),
      span <= Self.limits.span, last.taps <= Self.limits.taps
    else { return nil }
    let packets = problem.groups / packet
    let fitting = [32, 16, 8, 4, 2, 1].filter {
      problem.taps * $0 * packet * 4 <= Self.sharedSizeInBytes
    }
    // Few lanes are to be idle.
    let most = fitting.first { ((packets + $0 - 1) / $0 * $0 - packets) * 4 <= packets }
    guard let most = most ?? fitting.last else { return nil }
    var config = DeviceConfig(name: "Config", base: "DepthwiseConvolutionDefaults")
    config.types = [("Element", CxxScalar.storageType(node.inputs[0].type.dtype))]
    config.constants = [
      ("kBatchRank", batchRank),
      ("kColumnMultiple", DeviceAlignment.powerOfTwo(Dimension(problem.groups), limit: 8)),
      ("kTaps", last.taps), ("kStride", last.stride), ("kDilation", last.dilation),
      ("kAllTaps", problem.taps), ("kPackets", most),
    ]
    return Part(
      template: "DepthwiseConvolution",
      header: "convolution_depthwise",
      config: config,
      configuration: "a thread for \(packet) channels of \(Self.run) neighbours",
      blocks: "1"
    )
  }
}
