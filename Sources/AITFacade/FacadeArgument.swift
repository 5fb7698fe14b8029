import AITFrontend
import AITGraph

/// A value that a caller of AITemplate's operators passes: what Python has, and tensors.
package indirect enum FacadeArgument {
  case none
  case bool(Bool)
  case integer(Int)
  case float(Double)
  case string(String)
  case tensor(Tensor)
  /// An extent, or an integer that is known only when the model runs.
  case dimension(Dimension)
  case list([FacadeArgument])

  /// What the value is, for messages.
  var kind: String {
    switch self {
    case .none: "None"
    case .bool(let value): "the truth value \(value)"
    case .integer(let value): "the integer \(value)"
    case .float(let value): "the number \(value)"
    case .string(let text): "the string '\(text)'"
    case .tensor(let tensor): "a tensor \(tensor.type)"
    case .dimension(let dimension): "the dimension \(dimension)"
    case .list(let elements): "a list of \(elements.count)"
    }
  }
}
