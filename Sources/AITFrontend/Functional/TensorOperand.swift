import AITGraph
import AITOperators

/// What stands beside an operator: a tensor, or a number of Swift.
///
/// Numbers promote as those of Python do beside a PyTorch tensor: they raise the category of the
/// tensor (a fraction beside integers gives float32), never its precision. `2` and `2.0` differ.
public protocol TensorOperand {
  /// The tensor or number.
  var tensorOperand: AnyTensorOperand { get }
}

/// A number of Swift in a place where a tensor may stand.
public protocol TensorScalar: TensorOperand {}

/// A tensor or a number of Swift.
public struct AnyTensorOperand {
  enum Content {
    case tensor(Tensor)
    case number(ScalarValue)
  }

  let content: Content
}

extension Tensor: TensorOperand {
  /// The tensor itself.
  public var tensorOperand: AnyTensorOperand { AnyTensorOperand(content: .tensor(self)) }
}

extension Int: TensorScalar {
  /// A whole number.
  public var tensorOperand: AnyTensorOperand {
    AnyTensorOperand(content: .number(.integer(Int64(self))))
  }
}

extension Double: TensorScalar {
  /// A fraction.
  public var tensorOperand: AnyTensorOperand { AnyTensorOperand(content: .number(.float(self))) }
}

extension Float: TensorScalar {
  /// A fraction.
  public var tensorOperand: AnyTensorOperand {
    AnyTensorOperand(content: .number(.float(Double(self))))
  }
}

extension Bool: TensorScalar {
  /// A truth value.
  public var tensorOperand: AnyTensorOperand { AnyTensorOperand(content: .number(.bool(self))) }
}

/// Returns the result of a verb on operands that are tensors or numbers.
func combine(
  _ operands: [any TensorOperand],
  _ callSite: CallSite?,
  _ build: (inout Graph, [PointwiseOperand]) throws(Diagnostic) -> ValueID
) -> Tensor {
  let contents = operands.map(\.tensorOperand.content)
  let tensors = contents.compactMap { content -> Tensor? in
    if case .tensor(let tensor) = content { tensor } else { nil }
  }
  return .make(tensors, callSite) { (graph, inputs) throws(Diagnostic) in
    var rest = inputs[...]
    let operands = contents.map { content -> PointwiseOperand in
      switch content {
      case .tensor: .value(rest.removeFirst())
      case .number(let number): .number(number)
      }
    }
    return try build(&graph, operands)
  }
}

/// Returns a function of operands that broadcast together, for what is no function of `Tensor`.
package func combine(_ function: ScalarFunction, _ operands: [any TensorOperand]) -> Tensor {
  apply(function, operands, .resolved(#fileID, #line))
}

/// Returns a function of operands that broadcast together.
func apply(_ function: ScalarFunction, _ operands: [any TensorOperand], _ callSite: CallSite?)
  -> Tensor
{
  combine(operands, callSite) { (graph, operands) throws(Diagnostic) in
    try graph.pointwise(function, operands)
  }
}
