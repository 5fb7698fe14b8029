import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// Panels of queries against blocks of keys, with a softmax that goes along (`attention.h`); operands are
/// read and the result is written by any strides, so that heads stay where a projection leaves them.
///
/// Bound by FMA throughput and the exponential, for few queries by the bandwidth of K and V.
extension Attention: CPULowerable {
  package func lowerToCPU(_ node: NodeContext, _ target: Target) throws(Diagnostic) -> [KernelCall]
  {
    let (q, k, v, result) = (node.inputs[0], node.inputs[1], node.inputs[2], node.outputs[0])
    let mask = node.inputs.count > 3 ? node.inputs[3] : nil
    let head = q.type.rank - 3
    let scores = Shape(
      Array(q.type.shape.dimensions[...(head + 1)]) + [k.type.shape[head + 1]]
    )
    guard isComputedOnCPU(node.inputs.map(\.type)),
      let group = Self.groupSize(q.type.shape[head], k.type.shape[head])
    else { throw node.unsupported(target, "its types or widths have no kernel") }
    // For each operand the strides of the scores' axes, of which a row and a column are the last.
    func own(_ operand: NodeContext.Operand) -> [Dimension] {
      (0..<operand.type.rank).map { axis in
        operand.type.shape[axis] == 1 && axis < head ? 0 : operand.layout.strides[axis]
      }
    }
    let strides =
      [own(q), own(k), own(v)] + (mask.map { [LoopNest.strides($0, over: scores)] } ?? [])
      + [own(result)]
    // K and V have one head for the group that a head of the others is a part of.
    let isShared = strides.indices.map { $0 == 1 || $0 == 2 }
    var outer = LoopNest(
      extents: Array(q.type.shape.dimensions[..<head]) + [k.type.shape[head]],
      strides: zip(strides, isShared).map { strides, isShared in
        strides[..<head] + [isShared ? strides[head] : strides[head] * group]
      }
    )
    outer.collapse()
    guard outer.rank <= LoopNest.maximumRank else {
      throw node.unsupported(target, "its batch axes do not join")
    }
    let inner = zip(strides, isShared).map { strides, isShared in
      [isShared ? 0 : strides[head], strides[head + 1], strides[head + 2]]
    }
    let extents = [
      group, scores[head + 1], scores[head + 2], q.type.shape[head + 2], v.type.shape[head + 2],
    ]
    let dtype = q.type.dtype
    let maskType = mask.map { CxxScalar.storageType($0.type.dtype) } ?? "void"
    let config =
      "ait::AttentionConfig<\(CxxScalar.storageType(dtype)), \(maskType), \(outer.rank), \(isCausal), "
      + "\(keepsNaN)>"
    let kernel = KernelSource(
      stem: "attention_\(dtype.rawValue)",
      headers: ["ait/cpu/attention.h"],
      definitions: """
        struct Config : \(config) {
          static constexpr float kScale = \(CxxScalar.literal(.float(scale), .float32));
        };
        """,
      statement: "ait::attention<Config>(context);",
      configuration: "online softmax, outer loops of rank \(outer.rank)"
    )
    return [
      KernelCall(
        kernel: kernel,
        reads: node.inputs.indices.map { .input($0) },
        writes: [.output(0)],
        sizes: outer.extents + extents + zip(outer.strides, inner).flatMap { $0 + $1 },
        flops: operationCount(node.inputs.map(\.type), results: [result.type])
      )
    ]
  }

  /// Whether the kernel takes operands of given types; others are spelt out.
  package func isComputedOnCPU(_ operands: [TensorType]) -> Bool {
    let widths = [operands[0], operands[2]].map { $0.shape[$0.rank - 1].upperBound }
    return operands[0].dtype != .float64 && widths.allSatisfy { $0 <= Self.maximumWidths }
      && widths[0] + widths[1] <= Self.maximumWidths
  }

  /// The prelude's `kMaximumWidths`.
  private static let maximumWidths = 4096
}
