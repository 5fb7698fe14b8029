import AITGraph
import AITLoader
import AITReference
import AITWeights
import AITemplate

extension CompiledModule {
  /// Gives the library's constants the values of a weight file, converted to their types.
  ///
  /// Those that then have no value, neither there nor in the library, get random ones where a seed
  /// is given, so that the library can be timed; otherwise they are told.
  func setConstants(from file: String?, of graph: Graph, randomSeed: UInt64? = nil)
    throws(Diagnostic)
  {
    let known = Set(try constantNames())
    var values: [String: TensorData] = [:]
    if let file {
      // The library may have values for the rest.
      let mapping = try WeightMapping(
        try Weights.load(file),
        to: graph.parameters,
        options: WeightMapping.Options(allowsMissing: true)
      )
      for (name, tensor) in mapping.tensors where known.contains(Identifier.make(name)) {
        values[Identifier.make(name)] = tensor
      }
    }
    let unbound = Set(try constantNames(unboundOnly: true)).subtracting(values.keys)
    let missing = graph.constants.filter { id in
      unbound.contains(graph[id].name) && graph[id].type.sizeInBytes.constant != 0
    }
    if let randomSeed {
      var generator = RandomGenerator(seed: randomSeed)
      for id in missing {
        values[graph[id].name] = TensorData.random(
          graph[id].type.dtype,
          graph[id].type.shape.constants ?? [],
          using: &generator,
          scale: 0.05
        )
      }
    } else if !missing.isEmpty {
      throw missingValues(missing.map { graph.constant($0)?.originalName ?? graph[$0].name })
    }
    if !values.isEmpty { try setConstants(values) }
  }

  private func missingValues(_ names: [String]) -> Diagnostic {
    let shown = names.prefix(8).map { "'\($0)'" }.joined(separator: ", ")
    return Diagnostic(
      .invalidArgument,
      "no values for \(names.count) constant\(names.count == 1 ? "" : "s") that the library was "
        + "compiled without: \(shown)\(names.count > 8 ? ", …" : "")",
      at: path,
      hint: "give them with --weights FILE (.safetensors, .pt or .npz)"
    )
  }
}
