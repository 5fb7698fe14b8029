import AITGraph

/// Attention by several heads at once, with projections of its own; PyTorch's `MultiheadAttention`
/// with `batch_first`.
///
/// query is `[…, T, E]`, key and value `[…, S, E]`, the result `[…, T, E]`; head h attends within
/// the h-th part of E / heads columns. Composed of ``linear(_:_:bias:file:line:)`` and
/// ``scaledDotProductAttention(_:_:_:mask:scale:isCausal:groupsHeads:file:line:)``. The
/// parameters have PyTorch's names: `in_proj_weight` `[3E, E]` holds the projections of query, key and
/// value one below the other.
open class MultiheadAttention: Module, UnaryLayer {
  /// E.
  public let width: Int
  /// The number of heads, which divides E.
  public let headCount: Int
  @ParameterInfo(key: "in_proj_weight") private var inputWeight: Parameter
  @ParameterInfo(key: "in_proj_bias") private var inputBias: Parameter?
  @ModuleInfo(key: "out_proj") private var output: Linear

  /// Creates the layer.
  ///
  /// - Parameters:
  ///   - width: E, the extent of the last axes.
  ///   - headCount: the number of heads; it divides E.
  ///   - bias: whether the projections have biases.
  ///   - dtype: the element type of the parameters; nil for that of the first query.
  public init(_ width: Int, headCount: Int, bias: Bool = true, dtype: DType? = nil) {
    self.width = width
    self.headCount = headCount
    _inputWeight.wrappedValue = Parameter([3 * width, width], dtype: dtype)
    _inputBias.wrappedValue = bias ? Parameter([3 * width], dtype: dtype) : nil
    _output.wrappedValue = Linear(width, width, bias: bias, dtype: dtype)
    super.init()
  }

  open override var detail: String { "\(width), headCount: \(headCount)" }

  /// Returns the attention of a sequence to itself.
  open func forward(_ x: Tensor) -> Tensor { forward(x, x, x, mask: nil, isCausal: false) }

  /// The attention of a sequence to itself, under a mask.
  ///
  /// - Parameters:
  ///   - x: `[…, T, E]`.
  ///   - mask: broadcasts to `[…, heads, T, T]`: a bool tensor that tells which keys count (PyTorch's
  ///     module has it the other way round), or a floating-point one that is added.
  ///   - isCausal: whether an element counts only those up to its own position.
  ///   - file: where the call stands.
  ///   - line: where the call stands.
  /// - Returns: `[…, T, E]`.
  public func callAsFunction(
    _ x: Tensor,
    mask: Tensor?,
    isCausal: Bool = false,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    scoped(file: file, line: line) { forward(x, x, x, mask: mask, isCausal: isCausal) }
  }

  /// Returns the attention of one sequence to another; the mask broadcasts to `[…, heads, T, S]`.
  public func callAsFunction(
    _ query: Tensor,
    _ key: Tensor,
    _ value: Tensor,
    mask: Tensor? = nil,
    isCausal: Bool = false,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    scoped(file: file, line: line) {
      forward(query, key, value, mask: mask, isCausal: isCausal)
    }
  }

  private func forward(
    _ query: Tensor,
    _ key: Tensor,
    _ value: Tensor,
    mask: Tensor?,
    isCausal: Bool
  ) -> Tensor {
    guard width.isMultiple(of: max(headCount, 1)), headCount > 0 else {
      let diagnostic = Diagnostic(
        .invalidAttribute,
        "attention of the width \(width) with \(headCount) heads",
        hint: "the number of heads divides the width"
      )
      return .failing(diagnostic, .resolved(#fileID, #line))
    }
    let weight = inputWeight.tensor(matching: query)
    let bias = inputBias?.tensor(matching: query)
    let parts: [Tensor]
    if query.isSame(as: key) && key.isSame(as: value) {
      parts = project(query, weight, bias, "projection").chunk(3, axis: -1)
    } else {
      let weights = weight.chunk(3)
      let biases = bias?.chunk(3)
      let sources = [
        (query, "query_projection"), (key, "key_projection"), (value, "value_projection"),
      ]
      parts = sources.enumerated().map { index, source in
        project(source.0, weights[index], biases?[index], source.1)
      }
    }
    let heads = zip(parts, ["query", "key", "value"]).map { split($0).named($1) }
    let attended = scaledDotProductAttention(
      heads[0],
      heads[1],
      heads[2],
      mask: mask,
      isCausal: isCausal
    )
    // […, heads, T, D] to […, T, heads · D].
    return output(attended.transpose(-3, -2).flatten(start: -2))
  }

  private func project(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ name: String) -> Tensor {
    let product = linear(x, weight).named(name)
    return bias.map { product + $0 } ?? product
  }

  /// `[…, T, heads · D]` to `[…, heads, T, D]`.
  private func split(_ x: Tensor) -> Tensor {
    x.unflatten(axis: -1, [Dimension(headCount), Dimension(width / headCount)]).transpose(-3, -2)
  }
}

extension Tensor {
  /// Whether both stand for the same value.
  func isSame(as other: Tensor) -> Bool {
    expression === other.expression && result == other.result
  }
}
