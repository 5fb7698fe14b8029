import AITGraph

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Runs a recurrent layer over a sequence: LSTM, GRU, or a plain layer with tanh or ReLU.
///
/// The gates' share of the input is an operand, for it is one product for all steps: X `[T, N, G·H]`,
/// `x Wᵢₕᵀ + biases`, where G is 4, 3 or 1. The others are the first state `[N, H]` (of an LSTM that of
/// the cell, `[N, H]`, as well), the weights `R` `[G·H, H]`, and of a GRU the bias `[H]` that its reset
/// gate scales. Results are the states of all steps `[T, N, H]` and the last one `[N, H]` (of the cell,
/// too). With p = h Rᵀ, by H rows at a time in the order of the letters:
///
/// - `lstm` (i, f, g, o): `c' = σ(f) c + σ(i) tanh(g)`, `h' = σ(o) tanh(c')`, where i stands for `xᵢ + pᵢ`.
/// - `gru` (r, z, n): `h' = (1 − σ(z)) n + σ(z) h`, `n = tanh(xₙ + σ(r) (pₙ + b))`.
/// - `tanh`, `relu`: `h' = tanh(x + p)`, `max(x + p, 0)`.
///
/// Reversed, the last step comes first; a result stays at the place of its step. Without steps, the last
/// state is the first. One floating-point type; half types compute in float32, and round the states of
/// steps. Source: `torch.nn.LSTM`, `torch.nn.GRU`, `torch.nn.RNN`.
package struct Recurrence: Operator {
  package static let name = "recurrence"
  package static let summary = "LSTM, GRU or plain recurrent layer over a sequence"

  package enum Cell: String, CaseIterable, Hashable, Sendable {
    case lstm, gru, tanh, relu

    /// How many numbers a unit computes from input and state.
    package var gateCount: Int {
      switch self {
      case .lstm: 4
      case .gru: 3
      case .tanh, .relu: 1
      }
    }
  }

  package let cell: Cell
  package let isReversed: Bool

  package init(_ cell: Cell, isReversed: Bool = false) {
    self.cell = cell
    self.isReversed = isReversed
  }

  package init(_ attributes: inout AttributeReader) throws(Diagnostic) {
    let text = try attributes.string("cell")
    guard let cell = Cell(rawValue: text) else {
      throw Diagnostic(
        .invalidAttribute,
        "'\(text)' is not a recurrent cell",
        hint: "one of \(Cell.allCases.map(\.rawValue).joined(separator: ", "))"
      )
    }
    self.init(cell, isReversed: try attributes.bool("reversed", default: false))
  }

  package var attributes: [Attribute] {
    [Attribute("cell", .string(cell.rawValue))]
      + (isReversed ? [Attribute("reversed", .bool(true))] : [])
  }

  /// States that are carried from step to step: an LSTM's second is that of the cell.
  package var stateCount: Int { cell == .lstm ? 2 : 1 }

  package func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType] {
    let operandCount = 2 + stateCount + (cell == .gru ? 1 : 0)
    try checkOperandCount(operands, operandCount...operandCount)
    let x = operands[0]
    guard x.dtype.isFloatingPoint, operands.allSatisfy({ $0.dtype == x.dtype }) else {
      throw Diagnostic(
        .dtypeMismatch,
        "recurrence of \(operands.map(\.description).joined(separator: ", "))",
        hint: "all operands have one floating-point type: convert them with a cast"
      )
    }
    let state = operands[1].shape
    guard x.rank == 3, state.rank == 2 else {
      throw Diagnostic(
        .rankMismatch,
        "recurrence of \(x) from a state \(operands[1])",
        hint: "they are [steps, batch, gates · units] and [batch, units]"
      )
    }
    let gates = state[1] * Dimension(cell.gateCount)
    var expected = [Shape([x.shape[0], state[0], gates])]
    expected += Array(repeating: state, count: stateCount)
    expected.append(Shape([gates, state[1]]))
    if cell == .gru { expected.append(Shape([state[1]])) }
    for (operand, shape) in zip(operands, expected) where operand.shape != shape {
      throw Diagnostic(
        .shapeMismatch,
        "recurrence (\(cell.rawValue)) of an operand \(operand) where \(shape) was expected",
        hint:
          "for \(state[1]) units, the operands are \(expected.map(\.description).joined(separator: ", "))"
      )
    }
    return [TensorType(x.dtype, Shape([x.shape[0], state[0], state[1]]))]
      + Array(repeating: operands[1], count: stateCount)
  }
}

extension Recurrence {
  package func evaluate(
    _ operands: [TensorData],
    results: [TensorType],
    symbols: [String: Int]
  ) throws(Diagnostic) -> [TensorData] {
    let (x, first) = (operands[0], operands[1])
    let (steps, rows, units) = (x.shape[0], first.shape[0], first.shape[1])
    let gates = cell.gateCount
    let inputs = x.doubles
    let weights = operands[1 + stateCount].doubles
    let resetBias = cell == .gru ? operands[3].doubles : []
    var hidden = first.doubles
    var memory = cell == .lstm ? operands[2].doubles : []
    var states = Array(repeating: 0.0, count: steps * rows * units)
    for index in 0..<steps {
      let step = isReversed ? steps - 1 - index : index
      let before = hidden
      for row in 0..<rows {
        for unit in 0..<units {
          let place = row * units + unit
          let given = (0..<gates).map {
            inputs[((step * rows + row) * gates + $0) * units + unit]
          }
          let recurrent = (0..<gates).map { gate in
            (0..<units).reduce(0.0) {
              $0 + before[row * units + $1] * weights[(gate * units + unit) * units + $1]
            }
          }
          switch cell {
          case .lstm:
            let sums = zip(given, recurrent).map(+)
            memory[place] =
              Self.sigmoid(sums[1]) * memory[place] + Self.sigmoid(sums[0]) * tanh(sums[2])
            hidden[place] = Self.sigmoid(sums[3]) * tanh(memory[place])
          case .gru:
            let reset = Self.sigmoid(given[0] + recurrent[0])
            let update = Self.sigmoid(given[1] + recurrent[1])
            let new = tanh(given[2] + reset * (recurrent[2] + resetBias[unit]))
            hidden[place] = (1 - update) * new + update * before[place]
          case .tanh: hidden[place] = tanh(given[0] + recurrent[0])
          case .relu:
            // NaN stays NaN.
            let sum = given[0] + recurrent[0]
            hidden[place] = sum < 0 ? 0 : sum
          }
        }
      }
      hidden = TensorData(x.dtype, first.shape, hidden).doubles
      states.replaceSubrange((step * rows * units)..<((step + 1) * rows * units), with: hidden)
    }
    let lasts = cell == .lstm ? [hidden, memory] : [hidden]
    return [TensorData(x.dtype, [steps, rows, units], states)]
      + lasts.map { TensorData(x.dtype, [rows, units], $0) }
  }

  private static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  package func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension {
    let units = operands[1].shape[1]
    return operands[0].shape.elementCount * (units * 2 + 20)
  }

  package static let examples = [
    OperatorExample(
      Recurrence(.lstm),
      [
        TensorType(.float32, [7, 3, 80]), TensorType(.float32, [3, 20]),
        TensorType(.float32, [3, 20]), TensorType(.float32, [80, 20]),
      ]
    ),
    OperatorExample(
      Recurrence(.lstm, isReversed: true),
      [
        TensorType(.float32, [.symbol("steps", 0...6), .symbol("batch", 1...5), 4 * 37]),
        TensorType(.float32, [.symbol("batch", 1...5), 37]),
        TensorType(.float32, [.symbol("batch", 1...5), 37]), TensorType(.float32, [4 * 37, 37]),
      ]
    ),
    OperatorExample(
      Recurrence(.gru),
      [
        TensorType(.float32, [.symbol("steps", 1...9), 1, 3 * 33]),
        TensorType(.float32, [1, 33]), TensorType(.float32, [3 * 33, 33]),
        TensorType(.float32, [33]),
      ]
    ),
    OperatorExample(
      Recurrence(.gru, isReversed: true),
      [
        TensorType(.bfloat16, [4, 17, 48]), TensorType(.bfloat16, [17, 16]),
        TensorType(.bfloat16, [48, 16]), TensorType(.bfloat16, [16]),
      ]
    ),
    OperatorExample(
      Recurrence(.lstm),
      [
        TensorType(.float16, [3, 2, 32]), TensorType(.float16, [2, 8]),
        TensorType(.float16, [2, 8]), TensorType(.float16, [32, 8]),
      ]
    ),
    OperatorExample(
      Recurrence(.tanh),
      [
        TensorType(.float64, [5, 2, 5]), TensorType(.float64, [2, 5]),
        TensorType(.float64, [5, 5]),
      ]
    ),
    OperatorExample(
      Recurrence(.relu),
      [
        TensorType(.float32, [5, 2, 19]), TensorType(.float32, [2, 19]),
        TensorType(.float32, [19, 19]),
      ]
    ),
    // No sequence of the batch.
    OperatorExample(
      Recurrence(.tanh),
      [
        TensorType(.float32, [5, 0, 4]), TensorType(.float32, [0, 4]),
        TensorType(.float32, [4, 4]),
      ]
    ),
  ]
}

extension Graph {
  /// The states of a recurrent layer's steps `[T, N, H]` and the last states `[N, H]`, from its gates'
  /// share of the input `[T, N, G·H]`, the first states `[N, H]`, the weights `[G·H, H]` and, of a
  /// GRU, the bias `[H]` that the reset gate scales: see `Recurrence`.
  package mutating func recurrence(
    _ cell: Recurrence.Cell,
    _ gates: ValueID,
    states: [ValueID],
    weights: ValueID,
    resetBias: ValueID? = nil,
    isReversed: Bool = false,
    name: String? = nil
  ) throws(Diagnostic) -> (states: ValueID, last: [ValueID]) {
    let results = try addNode(
      Recurrence(cell, isReversed: isReversed),
      [gates] + states + [weights] + [resetBias].compactMap(\.self),
      name: name ?? cell.rawValue
    )
    return (results[0], Array(results.dropFirst()))
  }
}
