import AITGraph
import AITWeights

/// The tensors that `--input` names.
enum InputFiles {
  /// Reads the files; each tensor is one of the model's inputs, and each input is given once.
  static func read(_ texts: [String], for graph: Graph) throws(Diagnostic) -> [String: TensorData] {
    let known = graph.inputs.map { graph[$0].name }
    var result: [String: TensorData] = [:]
    for text in texts {
      let source = NamedFile(text)
      if let name = source.name, !known.contains(name) {
        throw Diagnostic(
          .invalidOption,
          "--input \(text): the model has no input '\(name)'",
          hint: "its inputs are \(known.joined(separator: ", "))"
        )
      }
      let file = try Weights.load(source.path)
      for (name, tensor) in try tensors(of: file, for: source, known) {
        guard result.updateValue(tensor, forKey: name) == nil else {
          throw Diagnostic(
            .invalidOption,
            "--input \(text): input '\(name)' is given twice",
            hint: "leave one out"
          )
        }
      }
    }
    return result
  }

  /// The tensors of a file by the names of inputs.
  private static func tensors(of file: Weights, for source: NamedFile, _ known: [String])
    throws(Diagnostic) -> [String: TensorData]
  {
    guard let name = source.name else {
      var result: [String: TensorData] = [:]
      for name in file.names {
        guard known.contains(name) else {
          throw Diagnostic(
            .invalidArgument,
            "'\(name)' is no input of the model",
            at: source.path,
            hint: "its inputs are \(known.joined(separator: ", ")); --input NAME=FILE says which "
              + "one a file is for"
          )
        }
        result[name] = file[name]
      }
      return result
    }
    // A file of one tensor need not know the model's name for it.
    guard let tensor = file[name] ?? (file.names.count == 1 ? file[file.names[0]] : nil) else {
      throw Diagnostic(
        .invalidArgument,
        file.names.isEmpty
          ? "no tensor that can be used" : "no tensor '\(name)' among \(file.names.count)",
        at: source.path,
        hint: file.names.isEmpty
          ? "\(file.unsupported.first.map { "'\($0.name)': \($0.reason)" } ?? "the file is empty")"
          : "it has \(file.names.prefix(8).joined(separator: ", "))"
      )
    }
    return [name: tensor]
  }
}
