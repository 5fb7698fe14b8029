import AITGraph
import AITOperators

/// What a recurrent layer does with its gates.
public enum RecurrentCell: String, CaseIterable, Hashable, Sendable {
  /// Long short-term memory: gates i, f, g, o, and a second state, that of the cell.
  case lstm
  /// Gated recurrent unit: gates r, z, n.
  case gru
  /// A plain layer with tanh.
  case tanh
  /// A plain layer with ReLU.
  case relu

  var cell: Recurrence.Cell {
    switch self {
    case .lstm: .lstm
    case .gru: .gru
    case .tanh: .tanh
    case .relu: .relu
    }
  }
}

/// The parameters of one direction of a recurrent layer of H units and G gates, as PyTorch's modules
/// keep them.
public struct RecurrentParameters {
  /// `weight_ih`, `[G·H, I]`.
  public var inputWeight: Tensor
  /// `weight_hh`, `[G·H, H]`.
  public var stateWeight: Tensor
  /// `bias_ih` and `bias_hh`, `[G·H]`; nil for none.
  public var biases: (input: Tensor, state: Tensor)?

  /// Names the parameters of one direction of a layer.
  ///
  /// - Parameters:
  ///   - inputWeight: `[G·H, I]`.
  ///   - stateWeight: `[G·H, H]`.
  ///   - biases: two of `[G·H]`, or nil.
  public init(
    inputWeight: Tensor,
    stateWeight: Tensor,
    biases: (input: Tensor, state: Tensor)? = nil
  ) {
    self.inputWeight = inputWeight
    self.stateWeight = stateWeight
    self.biases = biases
  }
}

/// Runs one direction of a recurrent layer over a sequence: `torch.nn.LSTM`, `GRU` and `RNN`.
///
/// The share of the input in all gates is one product for all steps.
///
/// - Parameters:
///   - cell: LSTM, GRU, or a plain layer.
///   - x: the input `[T, N, I]`, of a floating-point type.
///   - states: the first state `[N, H]`; of an LSTM that of the cell, too.
///   - parameters: weights and biases of the same type.
///   - isReversed: whether the last step comes first.
///   - file: where the call stands.
///   - line: where the call stands.
/// - Returns: the states of all steps `[T, N, H]`, and the last states, each `[N, H]`; failing with
///   `dtype-mismatch`, `rank-mismatch` or `shape-mismatch`.
public func recurrent(
  _ cell: RecurrentCell,
  _ x: Tensor,
  states: [Tensor],
  parameters: RecurrentParameters,
  isReversed: Bool = false,
  file: String = #fileID,
  line: Int = #line
) -> (states: Tensor, last: [Tensor]) {
  var bias: Tensor?
  var resetBias: [Tensor] = []
  if let biases = parameters.biases {
    if cell == .gru {
      // That of the new state is scaled by the reset gate, with the product.
      let parts = biases.state.chunk(3)
      guard parts.count == 3 else {
        return failure(cell, "a bias \(biases.state.type)", file, line)
      }
      resetBias = [parts[2]]
      let zero = Tensor.zeros(parts[2].shape, parts[2].dtype)
      bias = biases.input + concatenate([parts[0], parts[1], zero], axis: 0)
    } else {
      bias = biases.input + biases.state
    }
  } else if cell == .gru {
    guard parameters.stateWeight.rank == 2 else {
      return failure(cell, "weights \(parameters.stateWeight.type)", file, line)
    }
    resetBias = [.zeros([parameters.stateWeight.extent(1)], x.dtype)]
  }
  let gates = linear(x, parameters.inputWeight, bias: bias, file: file, line: line)
  let results = Tensor.make(
    [gates] + states + [parameters.stateWeight] + resetBias,
    resultCount: cell == .lstm ? 3 : 2,
    .resolved(file, line)
  ) { (graph, operands) throws(Diagnostic) in
    let count = states.count
    let found = try graph.recurrence(
      cell.cell,
      operands[0],
      states: Array(operands[1...].prefix(count)),
      weights: operands[count + 1],
      resetBias: cell == .gru ? operands[count + 2] : nil,
      isReversed: isReversed
    )
    return [found.states] + found.last
  }
  return (results[0], Array(results.dropFirst()))
}

private func failure(_ cell: RecurrentCell, _ found: String, _ file: String, _ line: Int)
  -> (states: Tensor, last: [Tensor])
{
  let results = Tensor.make([], resultCount: cell == .lstm ? 3 : 2, .resolved(file, line)) {
    (_, _) throws(Diagnostic) in
    throw Diagnostic(
      .shapeMismatch,
      "recurrent layer (\(cell.rawValue)) with \(found)",
      hint: "weights of the state are [gates · units, units], biases [gates · units]"
    )
  }
  return (results[0], Array(results.dropFirst()))
}
