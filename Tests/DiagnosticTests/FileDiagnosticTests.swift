import AITBuild
import AITGraph
import AITOperators
import AITTestSupport
import AITWeights
import AITemplate
import Testing

/// What is wrong with files.
@Suite struct FileDiagnosticTests {
  /// Writes a file and reads it as weights.
  static func load(_ bytes: [UInt8], as name: String) throws {
    let folder = try TemporaryFolder()
    _ = try Weights.load(try folder.write(bytes, as: name))
  }

  /// A file of NumPy with a header of ours.
  static func numpy(_ header: String) -> [UInt8] {
    let padded = header + String(repeating: " ", count: 117 - header.utf8.count) + "\n"
    return [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(padded.utf8)
  }

  static func safetensors(_ header: String, data: Int) -> [UInt8] {
    let length = (0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) }
    return length + Array(header.utf8) + [UInt8](repeating: 0, count: data)
  }

  /// A graph with two weights, of which a file has one, and one more.
  static func bind(_ header: String, data: Int) throws {
    let folder = try TemporaryFolder()
    var g = Graph(name: "g")
    let x = try g.addInput("x", TensorType(.float32, [2, 4]))
    let weight = try g.addConstant(
      "dense_weight",
      TensorType(.float32, [3, 4]),
      originalName: "dense.weight"
    )
    let bias = try g.addConstant(
      "dense_bias",
      TensorType(.float32, [3]),
      originalName: "dense.bias"
    )
    try g.addOutput("y", try g.linear(x, weight, bias: bias))
    let path = try folder.write(safetensors(header, data: data), as: "w.safetensors")
    try g.bindConstants(to: try Weights.load(path))
  }

  static let provocations: [Provocation] = [
    Provocation(
      .unreadableFile,
      "weights that are not there",
      says: ["/nowhere/w.safetensors", "error: "]
    ) { _ = try Weights.load("/nowhere/w.safetensors") },
    Provocation(
      .unwritableFile,
      "a file where the folder should be",
      says: ["file/below", "cannot be made", "hint: ", "--work-directory"]
    ) {
      let folder = try TemporaryFolder()
      let file = try folder.write("", as: "file")
      try FileSystem.createFolder("\(file)/below/it")
    },
    Provocation(
      .unwritableFile,
      "a file in a folder that is not there",
      says: ["/nowhere/text", "'/nowhere/' is not there", "hint: make it"]
    ) { try FileSystem.write("text", to: "/nowhere/text") },
    Provocation(
      .unwritableFile,
      "a file in the place of a device",
      says: ["/dev/full", "a device", "hint: name a file"]
    ) { try FileSystem.write("text", to: "/dev/full") },
    Provocation(
      .unwritableFile,
      "tensors in the place of a device",
      says: ["/dev/full", "device", "hint: name a file"]
    ) { try Numpy.write(TensorData(zeros: .float32, [2]), to: "/dev/full") },
    Provocation(
      .unwritableFile,
      "a file without a name",
      says: ["no name of a file", "hint: "]
    ) { try FileSystem.checkDestination("/tmp/") },
    Provocation(
      .unwritableFile,
      "a folder in the file's place",
      says: ["place", "a folder, not a file", "hint: "]
    ) {
      let folder = try TemporaryFolder()
      try FileSystem.createFolder("\(folder.path)/place/full")
      do { try FileSystem.write("text", to: "\(folder.path)/place") } catch {
        #expect(try folder.files().isEmpty, "what was written aside is left")
        throw error
      }
    },
    Provocation(
      .corruptFile,
      "a safetensors file cut short",
      says: ["w.safetensors", "error: "]
    ) {
      try load(
        safetensors(
          #"{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}"#,
          data: 8
        ),
        as: "w.safetensors"
      )
    },
    Provocation(
      .corruptFile,
      "a safetensors file that declares a header of exabytes",
      says: ["w.safetensors", "error: "]
    ) {
      try load([UInt8](repeating: 0x7F, count: 40), as: "w.safetensors")
    },
    Provocation(
      .unsupportedFormat,
      "a file of another kind",
      says: ["w.bin", "error: ", "hint: "]
    ) { try load(Array("who knows what this is".utf8), as: "w.bin") },
    Provocation(
      .refusedPickle,
      "a NumPy file of pickled objects",
      says: ["w.npy", "error: "]
    ) {
      try load(
        numpy("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }"),
        as: "w.npy"
      )
    },
    Provocation(
      .weightMismatch,
      "a weight that is missing and one that nobody asked for",
      says: ["dense.bias", "dense.bais"]
    ) {
      try bind(
        #"{"dense.weight":{"dtype":"F32","shape":[3,4],"data_offsets":[0,48]},"#
          + #""dense.bais":{"dtype":"F32","shape":[3],"data_offsets":[48,60]}}"#,
        data: 60
      )
    },
    Provocation(
      .weightMismatch,
      "a weight of another shape",
      says: ["dense.weight", "[4, 3] in the file", "[3, 4] in the model", "hint: "]
    ) {
      try bind(
        #"{"dense.weight":{"dtype":"F32","shape":[4,3],"data_offsets":[0,48]},"#
          + #""dense.bias":{"dtype":"F32","shape":[3],"data_offsets":[48,60]}}"#,
        data: 60
      )
    },
  ]

  @Test("Faults of files are told", arguments: provocations)
  func faults(_ provocation: Provocation) async { await provocation.check() }
}
