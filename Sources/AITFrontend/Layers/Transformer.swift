import AITGraph

/// A layer of a transformer's encoder: attention and two linear layers, each with a residual and a
/// normalisation; PyTorch's `TransformerEncoderLayer` with `batch_first`.
///
/// x and the result are `[…, T, E]`. The parameters have PyTorch's names: `self_attn`, `linear1`,
/// `linear2`, `norm1`, `norm2`.
open class TransformerEncoderLayer: Module, UnaryLayer {
  @ModuleInfo(key: "self_attn") private var attention: MultiheadAttention
  private let linear1: Linear
  private let linear2: Linear
  private let norm1: LayerNorm
  private let norm2: LayerNorm
  private let activation: any UnaryLayer
  /// Whether the normalisations come before attention and linear layers, and not after the residuals.
  public let normalizesFirst: Bool

  /// Creates the layer.
  ///
  /// - Parameters:
  ///   - width: E, the extent of the last axis.
  ///   - headCount: the number of heads; it divides E.
  ///   - hiddenWidth: the extent between the linear layers.
  ///   - activation: what stands between the linear layers.
  ///   - normalizesFirst: whether normalisations come first; PyTorch's `norm_first`.
  ///   - epsilon: what the normalisations add to the variance.
  ///   - dtype: the element type of the parameters; nil for that of the first x.
  public init(
    _ width: Int,
    headCount: Int,
    hiddenWidth: Int = 2048,
    activation: any UnaryLayer = ReLU(),
    normalizesFirst: Bool = false,
    epsilon: Double = 1e-5,
    dtype: DType? = nil
  ) {
    _attention.wrappedValue = MultiheadAttention(width, headCount: headCount, dtype: dtype)
    linear1 = Linear(width, hiddenWidth, dtype: dtype)
    linear2 = Linear(hiddenWidth, width, dtype: dtype)
    norm1 = LayerNorm(width, epsilon: epsilon, dtype: dtype)
    norm2 = LayerNorm(width, epsilon: epsilon, dtype: dtype)
    self.activation = activation
    self.normalizesFirst = normalizesFirst
    super.init()
  }

  /// Returns the result without a mask.
  open func forward(_ x: Tensor) -> Tensor { forward(x, mask: nil, isCausal: false) }

  /// Returns the result under a mask, which broadcasts to `[…, heads, T, T]`: bool for which keys
  /// count, or floating-point to be added.
  public func callAsFunction(
    _ x: Tensor,
    mask: Tensor?,
    isCausal: Bool = false,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    scoped(file: file, line: line) { forward(x, mask: mask, isCausal: isCausal) }
  }

  private func forward(_ x: Tensor, mask: Tensor?, isCausal: Bool) -> Tensor {
    if normalizesFirst {
      let attended = x + attention(norm1(x), mask: mask, isCausal: isCausal)
      return attended + feedForward(norm2(attended))
    }
    let attended = norm1(x + attention(x, mask: mask, isCausal: isCausal))
    return norm2(attended + feedForward(attended))
  }

  private func feedForward(_ x: Tensor) -> Tensor { linear2(activation(linear1(x))) }
}

/// Layers of a transformer's encoder one after the other, and a normalisation at the end if there is
/// one; PyTorch's `TransformerEncoder`.
open class TransformerEncoder: Module, UnaryLayer {
  private let layers: [TransformerEncoderLayer]
  private let norm: LayerNorm?

  /// Creates the encoder.
  public init(_ layers: [TransformerEncoderLayer], norm: LayerNorm? = nil) {
    self.layers = layers
    self.norm = norm
    super.init()
  }

  /// Returns the result without a mask.
  open func forward(_ x: Tensor) -> Tensor { forward(x, mask: nil, isCausal: false) }

  /// Returns the result of all layers under one mask; see ``TransformerEncoderLayer``.
  public func callAsFunction(
    _ x: Tensor,
    mask: Tensor?,
    isCausal: Bool = false,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    scoped(file: file, line: line) { forward(x, mask: mask, isCausal: isCausal) }
  }

  private func forward(_ x: Tensor, mask: Tensor?, isCausal: Bool) -> Tensor {
    let encoded = layers.reduce(x) { $1($0, mask: mask, isCausal: isCausal) }
    return norm?(encoded) ?? encoded
  }
}

/// The gated feed-forward of Shazeer 2020: `(silu(x · Gᵀ) · (x · Uᵀ)) · Dᵀ`.
///
/// x and the result are `[…, E]`. The parameters have the names of the Llama models: `gate_proj`,
/// `up_proj`, `down_proj`. Another activation makes a GEGLU, a ReGLU and so on.
open class SwiGLU: Module, UnaryLayer {
  @ModuleInfo(key: "gate_proj") private var gate: Linear
  @ModuleInfo(key: "up_proj") private var up: Linear
  @ModuleInfo(key: "down_proj") private var down: Linear
  private let activation: any UnaryLayer

  /// Creates the layer.
  ///
  /// - Parameters:
  ///   - width: E, the extent of the last axis.
  ///   - hiddenWidth: the extent of the gate.
  ///   - bias: whether the three products have biases.
  ///   - activation: what the gate passes through.
  ///   - dtype: the element type of the parameters; nil for that of the first x.
  public init(
    _ width: Int,
    hiddenWidth: Int,
    bias: Bool = false,
    activation: any UnaryLayer = SiLU(),
    dtype: DType? = nil
  ) {
    _gate.wrappedValue = Linear(width, hiddenWidth, bias: bias, dtype: dtype)
    _up.wrappedValue = Linear(width, hiddenWidth, bias: bias, dtype: dtype)
    _down.wrappedValue = Linear(hiddenWidth, width, bias: bias, dtype: dtype)
    self.activation = activation
    super.init()
  }

  /// Returns the result.
  open func forward(_ x: Tensor) -> Tensor { down(activation(gate(x)) * up(x)) }
}
