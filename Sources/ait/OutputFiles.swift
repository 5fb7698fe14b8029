import AITBuild
import AITGraph
import AITWeights

/// Where the outputs of a run go.
struct OutputFiles {
  private struct File {
    let path: String
    let isNumpy: Bool
    let names: [String]
  }

  private let files: [File]

  /// Reads the values of `--output`, and checks names and places: before the run, so that it is not
  /// in vain.
  init(_ texts: [String], of outputs: [String]) throws(Diagnostic) {
    var files: [File] = []
    for text in texts {
      let target = NamedFile(text)
      func refused(_ message: String, hint: String) -> Diagnostic {
        Diagnostic(.invalidOption, "--output \(text): \(message)", hint: hint)
      }
      if let name = target.name, !outputs.contains(name) {
        throw refused(
          "the model has no output '\(name)'",
          hint: "its outputs are \(outputs.joined(separator: ", "))"
        )
      }
      let isNumpy = target.path.hasSuffix(".npy")
      guard isNumpy || target.path.hasSuffix(".safetensors") else {
        throw refused(
          "a file whose ending says no format",
          hint: "end its name in .npy, for one tensor, or .safetensors"
        )
      }
      let names = target.name.map { [$0] } ?? outputs
      guard !isNumpy || names.count == 1 else {
        throw refused(
          "one file for \(names.count) outputs, where .npy holds one",
          hint: "write --output NAME=\(target.path) for each of \(names.joined(separator: ", ")), "
            + "or one .safetensors file"
        )
      }
      guard !files.contains(where: { $0.path == target.path }) else {
        throw refused("the file is given twice", hint: "name another")
      }
      try FileSystem.checkDestination(target.path)
      files.append(File(path: target.path, isNumpy: isNumpy, names: names))
    }
    self.files = files
  }

  /// Writes the files.
  func write(_ results: [String: TensorData]) throws(Diagnostic) {
    for file in files {
      let tensors = file.names.compactMap { name in
        results[name].map { (name: name, tensor: $0) }
      }
      if file.isNumpy, let tensor = tensors.first?.tensor {
        try Numpy.write(tensor, to: file.path)
      } else {
        try Safetensors.write(tensors.sorted { $0.name < $1.name }, to: file.path)
      }
    }
  }
}
