import AITGraph
import AITReference
import AITWeights

extension Graph {
  /// The named constants, as a weight file is mapped to them: by the names of the user's program.
  package var parameters: [(name: String, type: TensorType)] {
    constants.compactMap { id in
      guard let constant = constant(id), constant.isNamed else { return nil }
      return (constant.originalName, self[id].type)
    }
  }

  /// Gives named constants the tensors of a file.
  ///
  /// - Throws: `weightMismatch` with everything that is missing, unexpected or mis-shaped.
  package mutating func bindConstants(
    to weights: Weights,
    options: WeightMapping.Options = WeightMapping.Options()
  ) throws(Diagnostic) {
    try bindConstants(try WeightMapping(weights, to: parameters, options: options).tensors)
  }

  /// Gives named constants tensors of their types, by the names of the user's program.
  package mutating func bindConstants(_ tensors: [String: TensorData]) throws(Diagnostic) {
    for id in constants {
      guard let constant = constant(id), constant.isNamed,
        let tensor = tensors[constant.originalName] ?? tensors[self[id].name]
      else { continue }
      try bind(id, to: tensor)
    }
  }

  /// Gives random values to constants without data, so that the graph can be run.
  package mutating func bindMissingConstants(seed: UInt64) throws(Diagnostic) {
    var generator = RandomGenerator(seed: seed)
    for id in constants where constant(id)?.data == nil {
      let type = self[id].type
      try bind(
        id,
        to: TensorData.random(
          type.dtype,
          type.shape.constants ?? [],
          using: &generator,
          scale: 0.05
        )
      )
    }
  }
}

extension Weights {
  /// All tensors by name.
  package var tensorsByName: [String: TensorData] {
    var result: [String: TensorData] = [:]
    for name in names { result[name] = self[name] }
    return result
  }
}
