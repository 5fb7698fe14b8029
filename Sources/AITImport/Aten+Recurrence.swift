import AITFrontend
import AITGraph

extension AtenOperator {
  /// Recurrent layers: stacks of them, in one direction or both.
  static let recurrences: [String: AtenOperator] = [
    "lstm": .many { (call) throws(Diagnostic) in
      let states = try call.tensors("hx")
      guard states.count == 2, states[0].shape == states[1].shape else {
        throw call.unsupported("with projections", hint: "make the LSTM with proj_size=0")
      }
      return try stacked(.lstm, states, call)
    },
    "gru": .many { (call) throws(Diagnostic) in
      try stacked(.gru, [try call.tensor("hx")], call)
    },
    "rnn_tanh": .many { (call) throws(Diagnostic) in
      try stacked(.tanh, [try call.tensor("hx")], call)
    },
    "rnn_relu": .many { (call) throws(Diagnostic) in
      try stacked(.relu, [try call.tensor("hx")], call)
    },
  ]

  /// The outputs `[T, N, D·H]` of the last layer and the last states `[L·D, N, H]` of all, where D is 2
  /// in both directions; sequences come first where the call says so.
  private static func stacked(_ cell: RecurrentCell, _ states: [Tensor], _ call: AtenCall)
    throws(Diagnostic) -> [Tensor]
  {
    guard call.overload == "input" else {
      throw call.unsupported("of packed sequences", hint: "give the layer a padded tensor")
    }
    let isTraining = try call.bool("train")
    let dropout = try call.number("dropout", default: 0)
    guard !isTraining || dropout == 0 else {
      throw call.unsupported("with dropout", hint: "export the module in eval mode")
    }
    let layers = try call.integer("num_layers")
    let directions = try call.bool("bidirectional") ? 2 : 1
    let hasBiases = try call.bool("has_biases")
    let parameters = try call.tensors("params")
    let each = hasBiases ? 4 : 2
    guard layers > 0, parameters.count == layers * directions * each,
      states.allSatisfy({ $0.rank == 3 && $0.extent(0) == Dimension(layers * directions) })
    else {
      throw call.unsupported("with \(parameters.count) parameters for \(layers) layers")
    }
    let isBatchFirst = try call.bool("batch_first")
    var x = try call.subject()
    guard x.rank == 3 else { throw call.unsupported("of \(x.type)") }
    if isBatchFirst { x = x.transpose(0, 1) }
    var lasts: [[Tensor]] = Array(repeating: [], count: states.count)
    for layer in 0..<layers {
      var outputs: [Tensor] = []
      for direction in 0..<directions {
        let index = layer * directions + direction
        let own = parameters[(index * each)..<((index + 1) * each)].map { $0 }
        let result = recurrent(
          cell,
          x,
          states: states.map { $0.select(axis: 0, Dimension(index)) },
          parameters: RecurrentParameters(
            inputWeight: own[0],
            stateWeight: own[1],
            biases: hasBiases ? (own[2], own[3]) : nil
          ),
          isReversed: direction == 1
        )
        outputs.append(result.states)
        for (kind, last) in result.last.enumerated() { lasts[kind].append(last) }
      }
      x = outputs.count == 1 ? outputs[0] : concatenate(outputs, axis: 2)
    }
    return [isBatchFirst ? x.transpose(0, 1) : x] + lasts.map { stack($0, axis: 0) }
  }
}
