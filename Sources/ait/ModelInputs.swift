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
    help: ArgumentHelp(
      """
      An input: NAME=FILE, where FILE is .npy, .npz or .safetensors; or a .npz or .safetensors file \
      with several by their names. May be given several times; inputs not given are random.
      """,
      valueName: "[name=]file"
    )
  )
  var inputs: [String] = []

  @Option(
    name: .customLong("size"),
    help: ArgumentHelp(
      """
      The value of a symbol for random inputs, as batch=32; the largest if not given. May be given \
      several times.
      """,
      valueName: "symbol=size"
    )
  )
  var sizes: [String] = []

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The seed of random inputs and constants.", valueName: "number")
  )
  var seed: UInt64 = 1

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Threads of one run, up to 1024; 0 takes one for each processor.",
      valueName: "count"
    )
  )
  var threads = 0

  func validate() throws {
    try OptionRange.check("--threads", threads, in: OptionRange.threads)
  }

  /// The inputs of a model: those of files, and random ones for the rest.
  func tensors(for graph: Graph) throws(Diagnostic) -> [String: TensorData] {
    let asked = try askedSizes(of: graph)
    var result = try InputFiles.read(inputs, for: graph)
    let symbols = try symbolValues(for: graph, asked: asked, given: result)
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

  /// The values of `--size`.
  private func askedSizes(of graph: Graph) throws(Diagnostic) -> [String: Int] {
    var values: [String: Int] = [:]
    for size in sizes {
      func refused(_ message: String, hint: String?) -> Diagnostic {
        Diagnostic(.invalidOption, "--size \(size)\(message)", hint: hint)
      }
      let parts = size.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2, let value = Int(parts[1]) else {
        throw refused(": no number", hint: "write it as --size batch=32")
      }
      guard let symbol = graph.symbols.first(where: { $0.name == parts[0] }) else {
        let names = graph.symbols.map(\.name).joined(separator: ", ")
        throw refused(
          ": the model has no symbol '\(parts[0])'",
          hint: names.isEmpty ? "all its sizes are known" : "its symbols are \(names)"
        )
      }
      guard symbol.bounds.contains(value) else {
        throw refused(": '\(parts[0])' lies in \(symbol.bounds)", hint: "choose a size in them")
      }
      guard values.updateValue(value, forKey: parts[0]) == nil else {
        throw refused(": '\(parts[0])' is given twice", hint: "leave one out")
      }
    }
    return values
  }

  /// The values of all symbols: those asked for, those of given tensors, else the largest.
  private func symbolValues(
    for graph: Graph,
    asked: [String: Int],
    given: [String: TensorData]
  ) throws(Diagnostic) -> [String: Int] {
    var values: [String: Int] = [:]
    for symbol in graph.symbols {
      values[symbol.name] = asked[symbol.name] ?? symbol.bounds.upperBound
    }
    for id in graph.inputs {
      guard let tensor = given[graph[id].name], tensor.shape.count == graph[id].type.rank else {
        continue
      }
      for (extent, dimension) in zip(tensor.shape, graph[id].type.shape.dimensions) {
        guard let (scale, symbol) = dimension.scaledSymbol.map({ ($0.scale, $0.symbol.name) })
        else {
          continue
        }
        if let value = asked[symbol], value * scale != extent {
          throw Diagnostic(
            .invalidOption,
            "--size \(symbol)=\(value): input '\(graph[id].name)' has the shape \(tensor.shape), "
              + "which stands for \(graph[id].type.shape)",
            hint: "leave --size out: sizes of given inputs hold for the random ones"
          )
        }
        values[symbol] = extent / scale
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
        guard let (operand, axis) = node.op.indexOperand, node.inputs.count > operand,
          node.inputs[operand] == value
        else { continue }
        let extent = graph[node.inputs[0]].type.shape[axis].lowerBound
        bound = min(bound ?? extent, extent)
      }
    }
    return bound
  }
}
