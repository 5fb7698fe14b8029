// The functions of `Tensor+Activations.swift` in the form `relu(x)`.

/// The rectified linear unit: `max(x, 0)`.
public func relu(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.relu(file: file, line: line)
}

/// The logistic function: `1 / (1 + exp(−x))`.
public func sigmoid(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.sigmoid(file: file, line: line)
}

/// The sigmoid linear unit, or swish: `x · sigmoid(x)`.
public func silu(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.silu(file: file, line: line)
}

/// `x · tanh(softplus(x))`.
public func mish(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.mish(file: file, line: line)
}

/// `x / (1 + |x|)`.
public func softsign(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.softsign(file: file, line: line)
}

/// `x · min(max(x + 3, 0), 6) / 6`.
public func hardSwish(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.hardSwish(file: file, line: line)
}

/// `min(max(x + 3, 0), 6) / 6`.
public func hardSigmoid(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.hardSigmoid(file: file, line: line)
}

/// The logarithm of the sigmoid, without underflow.
public func logSigmoid(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.logSigmoid(file: file, line: line)
}

/// The scaled exponential linear unit of self-normalising networks.
public func selu(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.selu(file: file, line: line)
}

/// `min(max(x, 0), 6)`.
public func relu6(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.relu6(file: file, line: line)
}

/// The Gaussian error linear unit: `x · Φ(x)`, exact or by a hyperbolic tangent.
public func gelu(
  _ x: Tensor,
  approximate: GELUApproximation = .none,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  x.gelu(approximate: approximate, file: file, line: line)
}

/// `x` where it is above 0, `slope · x` elsewhere.
public func leakyReLU(
  _ x: Tensor,
  slope: Double = 0.01,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  x.leakyReLU(slope: slope, file: file, line: line)
}

/// The exponential linear unit: `x` above 0, `α · (exp(x) − 1)` elsewhere.
public func elu(
  _ x: Tensor,
  alpha: Double = 1,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  x.elu(alpha: alpha, file: file, line: line)
}

/// The continuously differentiable exponential linear unit: `x` above 0, `α · (exp(x / α) − 1)`
/// elsewhere.
public func celu(
  _ x: Tensor,
  alpha: Double = 1,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  x.celu(alpha: alpha, file: file, line: line)
}

/// Limits each element to a range, by default from -1 to 1.
public func hardtanh(
  _ x: Tensor,
  min: Double = -1,
  max: Double = 1,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  x.hardtanh(min: min, max: max, file: file, line: line)
}

/// A smooth `max(x, 0)`: `log(1 + exp(β · x)) / β`.
public func softplus(
  _ x: Tensor,
  beta: Double = 1,
  threshold: Double = 20,
  file: String = #fileID,
  line: Int = #line
) -> Tensor {
  x.softplus(beta: beta, threshold: threshold, file: file, line: line)
}
