import AITGraph
import AITOperators

/// What lies around an image that filters slide over: zeros.
public enum ConvolutionPadding: Hashable, Sendable {
  /// As many positions before as behind each spatial axis; one number stands for all axes.
  case symmetric([Int])
  /// Positions before, and positions behind, each spatial axis.
  case asymmetric(before: [Int], after: [Int])
  /// As many as give the result the extents of x, at a stride of 1; PyTorch's `"same"`.
  case same

  /// The positions along each of the axes of a window with the given taps.
  func amounts(taps: [Int], dilation: [Int], stride: [Int]) throws(Diagnostic)
    -> [Convolution.Padding]
  {
    switch self {
    case .symmetric(let amounts): return amounts.map { Convolution.Padding($0, $0) }
    case .asymmetric(let before, let after):
      guard before.count == after.count else {
        throw Diagnostic(
          .invalidAttribute,
          "convolution with padding \(before) before and \(after) behind",
          hint: "give two numbers for each spatial axis"
        )
      }
      return zip(before, after).map { Convolution.Padding($0, $1) }
    case .same:
      guard stride.allSatisfy({ $0 == 1 }) else {
        throw Diagnostic(
          .invalidAttribute,
          "convolution with padding 'same' and stride \(stride)",
          hint: "the same extents need a stride of 1; give the padding in numbers"
        )
      }
      return taps.enumerated().map { axis, count in
        let total = (dilation.count == 1 ? dilation[0] : dilation[axis]) * (count - 1)
        return Convolution.Padding(total / 2, total - total / 2)
      }
    }
  }
}

extension ConvolutionPadding: ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral {
  /// The same on all sides.
  public init(integerLiteral value: Int) { self = .symmetric([value]) }

  /// The same before and behind each axis.
  public init(arrayLiteral elements: Int...) { self = .symmetric(elements) }
}

/// Slides filters over images; PyTorch's `conv1d`, `conv2d` and `conv3d`.
///
/// Lists with one number stand for all spatial axes.
///
/// - Parameters:
///   - x: `[N, C, D1…Dk]` with k = 1...3, or `[C, D1…Dk]`, floating-point; C is known.
///   - weight: `[O, C / groups, F1…Fk]` of the type of x.
///   - bias: `[O]`, if any.
///   - stride: how far windows are apart.
///   - padding: zeros around x.
///   - dilation: how far the taps of a window are apart.
///   - groups: how many groups of channels have filters of their own.
///   - channelsLast: whether x is `[N, D1…Dk, C]`, and the result too; the weight is as above.
///   - file: where the call stands.
///   - line: where the call stands.
/// - Returns: `[N, O, E1…Ek]`; failing with `shape-mismatch`, `dtype-mismatch`, `rank-mismatch` or
///   `invalid-attribute` if the operands or the numbers do not fit.
public func convolution(
  _ x: Tensor,
  _ weight: Tensor,
  bias: Tensor? = nil,
  stride: [Int] = [1],
  padding: ConvolutionPadding = 0,
  dilation: [Int] = [1],
  groups: Int = 1,
  channelsLast: Bool = false,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  .make([x, weight] + [bias].compactMap(\.self), .resolved(file, line)) {
    (graph, operands) throws(Diagnostic) in
    let shape = graph.type(of: operands[1]).shape
    let amounts = try padding.amounts(
      taps: shape.dimensions.dropFirst(2).compactMap(\.constant),
      dilation: dilation,
      stride: stride
    )
    // [O, C/G, F…] as [O, F…, C/G].
    let filters =
      shape.rank < 3
      ? operands[1]
      : try graph.permute(operands[1], [0] + Array(2..<shape.rank) + [1])
    return try graph.withChannelsLast(operands[0], like: shape, isAlready: channelsLast) {
      (graph, image) throws(Diagnostic) in
      try graph.convolution(
        image,
        filters,
        bias: operands.count > 2 ? operands[2] : nil,
        stride: stride,
        padding: amounts,
        dilation: dilation,
        groups: groups
      )
    }
  }
}

/// Spreads images by filters; PyTorch's `conv_transpose1d`, `conv_transpose2d` and
/// `conv_transpose3d`.
///
/// Lists with one number stand for all spatial axes.
///
/// - Parameters:
///   - x: `[N, C, D1…Dk]` with k = 1...3, or `[C, D1…Dk]`, floating-point; C is known.
///   - weight: `[C, O / groups, F1…Fk]` of the type of x.
///   - bias: `[O]`, if any.
///   - stride: how far the windows that elements of x are spread over are apart.
///   - padding: positions that are left out before and behind the result.
///   - outputPadding: positions that are added behind it; below the stride or the dilation.
///   - dilation: how far the taps of a window are apart.
///   - groups: how many groups of channels have filters of their own.
///   - channelsLast: whether x is `[N, D1…Dk, C]`, and the result too; the weight is as above.
///   - file: where the call stands.
///   - line: where the call stands.
/// - Returns: `[N, O, E1…Ek]` with
///   `E = (D − 1) · stride − 2 · padding + dilation · (F − 1) + outputPadding + 1`; failing as
///   ``convolution(_:_:bias:stride:padding:dilation:groups:channelsLast:file:line:)``.
public func transposedConvolution(
  _ x: Tensor,
  _ weight: Tensor,
  bias: Tensor? = nil,
  stride: [Int] = [1],
  padding: [Int] = [0],
  outputPadding: [Int] = [0],
  dilation: [Int] = [1],
  groups: Int = 1,
  channelsLast: Bool = false,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  .make([x, weight] + [bias].compactMap(\.self), .resolved(file, line)) {
    (graph, operands) throws(Diagnostic) in
    let shape = graph.type(of: operands[1]).shape
    return try graph.withChannelsLast(operands[0], like: shape, isAlready: channelsLast) {
      (graph, image) throws(Diagnostic) in
      try graph.transposedConvolution(
        image,
        operands[1],
        bias: operands.count > 2 ? operands[2] : nil,
        stride: stride,
        padding: padding,
        outputPadding: outputPadding,
        dilation: dilation,
        groups: groups
      )
    }
  }
}

extension Graph {
  /// Hands an image to a verb with its batch in front and its channels last, and gives the result
  /// the order that the image came in.
  fileprivate mutating func withChannelsLast(
    _ x: ValueID,
    like weight: Shape,
    isAlready: Bool,
    _ convolve: (inout Graph, ValueID) throws(Diagnostic) -> ValueID
  ) throws(Diagnostic) -> ValueID {
    let rank = type(of: x).rank
    let isSingle = rank == weight.rank - 1
    guard (3...5).contains(weight.rank), isSingle || rank == weight.rank else {
      throw Diagnostic(
        .rankMismatch,
        "convolution of \(type(of: x)) by a weight of shape \(weight)",
        hint: "both have a rank of 3 to 5; that of x may be one less, without a batch"
      )
    }
    var image = isSingle ? try unsqueeze(x, axis: 0) : x
    if !isAlready { image = try permute(image, [0] + Array(2..<weight.rank) + [1]) }
    var result = try convolve(&self, image)
    if !isAlready {
      result = try permute(result, [0, weight.rank - 1] + Array(1..<(weight.rank - 1)))
    }
    return isSingle ? try squeeze(result, axes: [0]) : result
  }
}
