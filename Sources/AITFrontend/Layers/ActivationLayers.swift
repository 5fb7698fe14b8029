import AITGraph

// Activations as layers without parameters: the functions of the same names.

/// `max(x, 0)`; PyTorch's `ReLU`.
open class ReLU: Module, UnaryLayer {
  /// Returns the function of each element.
  open func forward(_ x: Tensor) -> Tensor { x.relu().representingModule() }
}

/// `min(max(x, 0), 6)`; PyTorch's `ReLU6`.
open class ReLU6: Module, UnaryLayer {
  /// Returns the function of each element.
  open func forward(_ x: Tensor) -> Tensor { x.relu6().representingModule() }
}

/// The Gaussian error linear unit; PyTorch's `GELU`.
open class GELU: Module, UnaryLayer {
  /// Whether the function is exact or by a hyperbolic tangent.
  public let approximate: GELUApproximation

  /// Creates the layer.
  public init(approximate: GELUApproximation = .none) {
    self.approximate = approximate
    super.init()
  }

  open override var detail: String { "approximate: \(approximate)" }

  /// Returns the function of each element.
  open func forward(_ x: Tensor) -> Tensor { x.gelu(approximate: approximate).representingModule() }
}

/// `x · sigmoid(x)`, or swish; PyTorch's `SiLU`.
open class SiLU: Module, UnaryLayer {
  /// Returns the function of each element.
  open func forward(_ x: Tensor) -> Tensor { x.silu().representingModule() }
}

/// `1 / (1 + exp(−x))`; PyTorch's `Sigmoid`.
open class Sigmoid: Module, UnaryLayer {
  /// Returns the function of each element.
  open func forward(_ x: Tensor) -> Tensor { x.sigmoid().representingModule() }
}

/// The hyperbolic tangent; PyTorch's `Tanh`.
open class Tanh: Module, UnaryLayer {
  /// Returns the function of each element.
  open func forward(_ x: Tensor) -> Tensor { x.tanh().representingModule() }
}

/// `x · tanh(softplus(x))`; PyTorch's `Mish`.
open class Mish: Module, UnaryLayer {
  /// Returns the function of each element.
  open func forward(_ x: Tensor) -> Tensor { x.mish().representingModule() }
}

/// `x / (1 + |x|)`; PyTorch's `Softsign`.
open class Softsign: Module, UnaryLayer {
  /// Returns the function of each element.
  open func forward(_ x: Tensor) -> Tensor { x.softsign().representingModule() }
}

/// `x · min(max(x + 3, 0), 6) / 6`; PyTorch's `Hardswish`.
open class HardSwish: Module, UnaryLayer {
  /// Returns the function of each element.
  open func forward(_ x: Tensor) -> Tensor { x.hardSwish().representingModule() }
}

/// `min(max(x + 3, 0), 6) / 6`; PyTorch's `Hardsigmoid`.
open class HardSigmoid: Module, UnaryLayer {
  /// Returns the function of each element.
  open func forward(_ x: Tensor) -> Tensor { x.hardSigmoid().representingModule() }
}

/// The scaled exponential linear unit; PyTorch's `SELU`.
open class SELU: Module, UnaryLayer {
  /// Returns the function of each element.
  open func forward(_ x: Tensor) -> Tensor { x.selu().representingModule() }
}

/// The logarithm of the sigmoid; PyTorch's `LogSigmoid`.
open class LogSigmoid: Module, UnaryLayer {
  /// Returns the function of each element.
  open func forward(_ x: Tensor) -> Tensor { x.logSigmoid().representingModule() }
}

/// `x` above 0, `slope · x` elsewhere; PyTorch's `LeakyReLU`.
open class LeakyReLU: Module, UnaryLayer {
  /// The factor below 0.
  public let slope: Double

  /// Creates the layer.
  public init(slope: Double = 0.01) {
    self.slope = slope
    super.init()
  }

  open override var detail: String { "slope: \(slope)" }

  /// Returns the function of each element.
  open func forward(_ x: Tensor) -> Tensor { x.leakyReLU(slope: slope).representingModule() }
}

/// `x` above 0, `α · (exp(x) − 1)` elsewhere; PyTorch's `ELU`.
open class ELU: Module, UnaryLayer {
  /// α.
  public let alpha: Double

  /// Creates the layer.
  public init(alpha: Double = 1) {
    self.alpha = alpha
    super.init()
  }

  open override var detail: String { "alpha: \(alpha)" }

  /// Returns the function of each element.
  open func forward(_ x: Tensor) -> Tensor { x.elu(alpha: alpha).representingModule() }
}

/// `x` above 0, `α · (exp(x / α) − 1)` elsewhere; PyTorch's `CELU`.
open class CELU: Module, UnaryLayer {
  /// α.
  public let alpha: Double

  /// Creates the layer.
  public init(alpha: Double = 1) {
    self.alpha = alpha
    super.init()
  }

  open override var detail: String { "alpha: \(alpha)" }

  /// Returns the function of each element.
  open func forward(_ x: Tensor) -> Tensor { x.celu(alpha: alpha).representingModule() }
}

/// A smooth `max(x, 0)`; PyTorch's `Softplus`.
open class Softplus: Module, UnaryLayer {
  /// How sharp the bend is.
  public let beta: Double
  /// Where `β · x` exceeds it, the result is x itself.
  public let threshold: Double

  /// Creates the layer.
  public init(beta: Double = 1, threshold: Double = 20) {
    self.beta = beta
    self.threshold = threshold
    super.init()
  }

  open override var detail: String { "beta: \(beta), threshold: \(threshold)" }

  /// Returns the function of each element.
  open func forward(_ x: Tensor) -> Tensor {
    x.softplus(beta: beta, threshold: threshold).representingModule()
  }
}

/// Limits each element to a range; PyTorch's `Hardtanh`.
open class Hardtanh: Module, UnaryLayer {
  /// The lower limit.
  public let min: Double
  /// The upper limit.
  public let max: Double

  /// Creates the layer.
  public init(min: Double = -1, max: Double = 1) {
    self.min = min
    self.max = max
    super.init()
  }

  open override var detail: String { "min: \(min), max: \(max)" }

  /// Returns the function of each element.
  open func forward(_ x: Tensor) -> Tensor { x.hardtanh(min: min, max: max).representingModule() }
}

/// Exponentials divided by their sum along an axis; PyTorch's `Softmax`.
open class Softmax: Module, UnaryLayer {
  /// The axis; negative ones count from the end.
  public let axis: Int

  /// Creates the layer.
  public init(axis: Int = -1) {
    self.axis = axis
    super.init()
  }

  open override var detail: String { "axis: \(axis)" }

  /// Returns the function of each element.
  open func forward(_ x: Tensor) -> Tensor { x.softmax(axis: axis).representingModule() }
}

/// The logarithm of softmax; PyTorch's `LogSoftmax`.
open class LogSoftmax: Module, UnaryLayer {
  /// The axis; negative ones count from the end.
  public let axis: Int

  /// Creates the layer.
  public init(axis: Int = -1) {
    self.axis = axis
    super.init()
  }

  open override var detail: String { "axis: \(axis)" }

  /// Returns the function of each element.
  open func forward(_ x: Tensor) -> Tensor { x.logSoftmax(axis: axis).representingModule() }
}

/// The first half along an axis times the sigmoid of the second; PyTorch's `GLU`.
open class GLU: Module, UnaryLayer {
  /// The axis; negative ones count from the end.
  public let axis: Int

  /// Creates the layer.
  public init(axis: Int = -1) {
    self.axis = axis
    super.init()
  }

  open override var detail: String { "axis: \(axis)" }

  /// Returns the function of each element.
  open func forward(_ x: Tensor) -> Tensor { x.glu(axis: axis).representingModule() }
}
