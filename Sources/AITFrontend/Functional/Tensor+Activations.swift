import AITGraph
import AITOperators

// Activations, with the meanings of PyTorch's functions of the same names. Shape and floating-point
// element type stay; integers are refused with `dtype-mismatch` where PyTorch refuses them.

/// How the Gaussian error linear unit is computed.
public enum GELUApproximation: Hashable, Sendable {
  /// By the error function.
  case none
  /// By a hyperbolic tangent: AITemplate's `fast_gelu`.
  case tanh
}

extension Tensor {
  /// The rectified linear unit: `max(x, 0)`.
  public func relu(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.relu, .resolved(file, line))
  }

  /// The logistic function: `1 / (1 + exp(−x))`.
  public func sigmoid(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.sigmoid, .resolved(file, line))
  }

  /// The sigmoid linear unit, or swish: `x · sigmoid(x)`.
  public func silu(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.silu, .resolved(file, line))
  }

  /// `x · tanh(softplus(x))`.
  public func mish(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.mish, .resolved(file, line))
  }

  /// `x / (1 + |x|)`.
  public func softsign(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.softsign, .resolved(file, line))
  }

  /// `x · min(max(x + 3, 0), 6) / 6`.
  public func hardSwish(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.hardSwish, .resolved(file, line))
  }

  /// `min(max(x + 3, 0), 6) / 6`.
  public func hardSigmoid(file: String = #fileID, line: Int = #line) -> Tensor {
    applying(.hardSigmoid, .resolved(file, line))
  }

  /// The logarithm of the sigmoid, without underflow.
  public func logSigmoid(file: String = #fileID, line: Int = #line) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in try graph.logSigmoid(x) }
  }

  /// The scaled exponential linear unit of self-normalising networks.
  public func selu(file: String = #fileID, line: Int = #line) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in try graph.selu(x) }
  }

  /// `min(max(x, 0), 6)`.
  public func relu6(file: String = #fileID, line: Int = #line) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in try graph.relu6(x) }
  }

  /// The Gaussian error linear unit: `x · Φ(x)`.
  ///
  /// - Parameters:
  ///   - approximate: whether Φ is exact or `(1 + tanh(√(2/π) · (x + 0.044715 x³))) / 2`.
  ///   - file: where the call stands.
  ///   - line: where the call stands.
  /// - Returns: the function of each element.
  public func gelu(
    approximate: GELUApproximation = .none,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    applying(approximate == .tanh ? .fastGELU : .gelu, .resolved(file, line))
  }

  /// `x` where it is above 0, `slope · x` elsewhere.
  public func leakyReLU(slope: Double = 0.01, file: String = #fileID, line: Int = #line) -> Tensor {
    apply(.leakyReLU, [self, slope], .resolved(file, line))
  }

  /// The exponential linear unit: `x` above 0, `α · (exp(x) − 1)` elsewhere.
  public func elu(alpha: Double = 1, file: String = #fileID, line: Int = #line) -> Tensor {
    apply(.elu, [self, alpha], .resolved(file, line))
  }

  /// `x` above 0, `α · (exp(x / α) − 1)` elsewhere.
  public func celu(alpha: Double = 1, file: String = #fileID, line: Int = #line) -> Tensor {
    apply(.celu, [self, alpha], .resolved(file, line))
  }

  /// A smooth `max(x, 0)`: `log(1 + exp(β · x)) / β`, and `x` itself where `β · x` exceeds the
  /// threshold.
  public func softplus(
    beta: Double = 1,
    threshold: Double = 20,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    apply(.softplus, [self, beta, threshold], .resolved(file, line))
  }

  /// Limits each element to a range, by default from -1 to 1.
  public func hardtanh(
    min: Double = -1,
    max: Double = 1,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      try graph.hardtanh(x, least: min, greatest: max)
    }
  }

  /// The gated linear unit: the first half along an axis times the sigmoid of the second.
  ///
  /// `shape-mismatch` if the extent of the axis is odd.
  public func glu(axis: Int = -1, file: String = #fileID, line: Int = #line) -> Tensor {
    unary(.resolved(file, line)) { (graph, x) throws(Diagnostic) in
      let halves = try graph.chunk(x, 2, axis: axis)
      guard halves.count == 2,
        graph.type(of: halves[0]).shape == graph.type(of: halves[1]).shape
      else {
        throw Diagnostic(
          .shapeMismatch,
          "glu along axis \(axis) of \(graph.type(of: x))",
          hint: "the extent of the axis is even"
        )
      }
      let gate = try graph.pointwise(.sigmoid, halves[1])
      return try graph.multiply(.value(halves[0]), .value(gate), name: "glu")
    }
  }
}
