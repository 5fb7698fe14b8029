import AITGraph

/// A product with a weight, a bias and what is fused to them: `y = x · Wᵀ + b`; PyTorch's `Linear`.
///
/// x is `[…, K]`, the weight `[N, K]`, the bias `[N]`, the result `[…, N]`. The parameters take the
/// element type of the first x unless one is given; an x of another type is refused
/// (`dtype-mismatch`).
///
/// The specialisations are those of AITemplate's `nn.Linear`. They say what follows; the compiler
/// fuses the same functions where they are written out.
open class Linear: Module, UnaryLayer {
  /// What follows the product, written with y for `x · Wᵀ + b` and d, e for further operands.
  public enum Specialization: String, CaseIterable, Hashable, Sendable {
    /// y
    case none
    /// relu(y)
    case relu
    /// gelu(y), by the error function
    case gelu
    /// gelu(y), by a hyperbolic tangent
    case fastGELU
    /// silu(y); AITemplate's `swish`
    case silu
    /// hardSwish(y)
    case hardSwish
    /// sigmoid(y)
    case sigmoid
    /// tanh(y)
    case tanh
    /// softmax(y) along the last axis
    case softmax
    /// y + d
    case add
    /// relu(y + d)
    case addReLU
    /// y + d + e
    case addAdd
    /// relu(y + d + e)
    case addAddReLU
    /// y · d
    case multiply
    /// y · d + e
    case multiplyAdd
    /// tanh(y · d)
    case multiplyTanh
    /// sigmoid(y) · d
    case sigmoidMultiply
    /// tanh(sigmoid(y) · d)
    case sigmoidMultiplyTanh

    /// The number of operands besides x.
    public var operandCount: Int {
      switch self {
      case .none, .relu, .gelu, .fastGELU, .silu, .hardSwish, .sigmoid, .tanh, .softmax: 0
      case .add, .addReLU, .multiply, .multiplyTanh, .sigmoidMultiply, .sigmoidMultiplyTanh: 1
      case .addAdd, .addAddReLU, .multiplyAdd: 2
      }
    }
  }

  /// `[N, K]`.
  public let weight: Parameter
  /// `[N]`, if there is one.
  public let bias: Parameter?
  /// What follows the product.
  public let specialization: Specialization

  /// Creates the layer.
  ///
  /// - Parameters:
  ///   - inputWidth: K, the extent of x's last axis.
  ///   - outputWidth: N, the extent of the result's last axis.
  ///   - bias: whether there is a bias.
  ///   - specialization: what follows the product.
  ///   - dtype: the element type of the parameters; nil for that of the first x.
  public init(
    _ inputWidth: Int,
    _ outputWidth: Int,
    bias: Bool = true,
    specialization: Specialization = .none,
    dtype: DType? = nil
  ) {
    weight = Parameter([outputWidth, inputWidth], dtype: dtype)
    self.bias = bias ? Parameter([outputWidth], dtype: dtype) : nil
    self.specialization = specialization
    super.init()
  }

  open override var detail: String {
    "\(weight.shape[1]), \(weight.shape[0]), bias: \(bias != nil)"
      + (specialization == .none ? "" : ", specialization: \(specialization.rawValue)")
  }

  /// Returns the result for specialisations without further operands.
  open func forward(_ x: Tensor) -> Tensor { forward(x, []) }

  /// Returns the result for specialisations with further operands, which broadcast to `[…, N]`.
  public func callAsFunction(
    _ x: Tensor,
    _ d: Tensor,
    _ e: Tensor? = nil,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    scoped(file: file, line: line) { forward(x, [d] + [e].compactMap(\.self)) }
  }

  private func forward(_ x: Tensor, _ others: [Tensor]) -> Tensor {
    guard others.count == specialization.operandCount else {
      let diagnostic = Diagnostic(
        .wrongInputCount,
        "linear with the specialisation \(specialization.rawValue) takes x and "
          + "\(specialization.operandCount) more operands, found \(others.count)"
      )
      return .failing(diagnostic, .resolved(#fileID, #line))
    }
    var y = linear(x, weight.tensor(matching: x)).representingModule()
    if let bias { y = y + bias.tensor(matching: x) }
    switch specialization {
    case .none: return y
    case .relu: return y.relu()
    case .gelu: return y.gelu()
    case .fastGELU: return y.gelu(approximate: .tanh)
    case .silu: return y.silu()
    case .hardSwish: return y.hardSwish()
    case .sigmoid: return y.sigmoid()
    case .tanh: return y.tanh()
    case .softmax: return y.softmax(axis: -1)
    case .add: return y + others[0]
    case .addReLU: return (y + others[0]).relu()
    case .addAdd: return y + others[0] + others[1]
    case .addAddReLU: return (y + others[0] + others[1]).relu()
    case .multiply: return y * others[0]
    case .multiplyAdd: return y * others[0] + others[1]
    case .multiplyTanh: return (y * others[0]).tanh()
    case .sigmoidMultiply: return y.sigmoid() * others[0]
    case .sigmoidMultiplyTanh: return (y.sigmoid() * others[0]).tanh()
    }
  }
}
