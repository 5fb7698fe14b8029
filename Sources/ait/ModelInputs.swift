import AITGraph
import AITLoader
import AITOperators
import AITReference
import AITWeights
import AITemplate
import ArgumentParser

/// Options that say what a model runs on.
struct InputFlags: ParsableArguments {
  @Option(
    name: .customLong("input"),
    help: "A tensor: NAME=file.npy, or a .safetensors file with all. Random if not given."
  )
  var inputs: [String] = []

  @Option(name: .customLong("size"), help: "The value of a symbol for random inputs: batch=32.")
  var sizes: [String] = []

  @Option(help: "The seed of random inputs.")
  var seed: UInt64 = 1

  @Option(help: "Threads of one run; 0 takes one for each processor.")
  var threads = 0

  /// The inputs of a model: those of files, and random ones for the rest.
  func tensors(for graph: Graph) throws(Diagnostic) -> [String: TensorData] {
    var result = try readFiles()
    let symbols = try symbolValues(for: graph, given: result)
    var generator = RandomGenerator(seed: seed)
    for id in graph.inputs {
      let value = graph[id]
      // Every input draws, given or not, so that one file does not change the others.
      guard let extents = value.type.shape.evaluate(symbols) else { continue }
      let random = TensorData.random(
        value.type.dtype,
        extents,
        using: &generator,
        indexBound: indexBound(of: id, in: graph)
      )
      if result[value.name] == nil { result[value.name] = random }
    }
    return result
  }

  private func readFiles() throws(Diagnostic) -> [String: TensorData] {
    var result: [String: TensorData] = [:]
    for input in inputs {
      if let equals = input.firstIndex(of: "="), !input[..<equals].contains("/") {
        let name = String(input[..<equals])
        result[name] = try Numpy.read(String(input[input.index(after: equals)...]))
      } else {
        let file = try Weights.load(input)
        for name in file.names { result[name] = file[name] }
      }
    }
    return result
  }

  private func symbolValues(for graph: Graph, given: [String: TensorData]) throws(Diagnostic)
    -> [String: Int]
  {
    var values: [String: Int] = [:]
    for symbol in graph.symbols { values[symbol.name] = symbol.bounds.upperBound }
    for size in sizes {
      let parts = size.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2, let value = Int(parts[1]) else {
        throw Diagnostic(.invalidOption, "--size \(size)", hint: "write it as --size batch=32")
      }
      guard let symbol = graph.symbols.first(where: { $0.name == parts[0] }) else {
        let names = graph.symbols.map(\.name).joined(separator: ", ")
        throw Diagnostic(
          .invalidOption,
          "--size \(size): the model has no symbol '\(parts[0])'",
          hint: names.isEmpty ? "all its sizes are known" : "its symbols are \(names)"
        )
      }
      guard symbol.bounds.contains(value) else {
        throw Diagnostic(
          .invalidOption,
          "--size \(size): '\(parts[0])' lies in \(symbol.bounds)"
        )
      }
      values[parts[0]] = value
    }
    // Sizes of given tensors hold for the random ones.
    for id in graph.inputs {
      guard let tensor = given[graph[id].name], tensor.shape.count == graph[id].type.rank else {
        continue
      }
      for (extent, dimension) in zip(tensor.shape, graph[id].type.shape.dimensions) {
        if let scaled = dimension.scaledSymbol {
          values[scaled.symbol.name] = extent / scaled.scale
        }
      }
    }
    return values
  }

  /// The least extent that an input is an index into, so that random indices are legal.
  private func indexBound(of input: ValueID, in graph: Graph) -> Int? {
    var bound: Int?
    var pending = [input]
    var seen: Set<ValueID> = []
    while let value = pending.popLast() {
      guard seen.insert(value).inserted else { continue }
      for consumer in graph.consumers(of: value) {
        let node = graph[consumer]
        if node.op is any ViewOperator { pending += node.outputs }
        let axis = (node.op as? Gather)?.axis ?? (node.op as? IndexSelect)?.axis
        guard let axis, node.inputs.count > 1, node.inputs[1] == value else { continue }
        let extent = graph[node.inputs[0]].type.shape[axis].lowerBound
        bound = min(bound ?? extent, extent)
      }
    }
    return bound
  }
}
