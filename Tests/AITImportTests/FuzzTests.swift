import AITGraph
import AITImport
import AITWeights
import Foundation
import Testing

/// Changed files: readers give a diagnostic or tensors, within bounds of time and memory.
///
/// A fault that is no diagnostic ends the process. By default a few inputs of each file are tried;
/// `AIT_FUZZ_SECONDS=600` goes on for so long, from the seed `AIT_FUZZ_SEED`, and leaves the input that
/// is being read in `AIT_FUZZ_FILE`, if given, to be looked at after a fault.
@Suite struct FuzzTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static let seconds = environment["AIT_FUZZ_SECONDS"].flatMap(Double.init)
  private static let seed = environment["AIT_FUZZ_SEED"].flatMap(UInt64.init) ?? 1

  /// Files of all kinds that are read, with their paths below `Tests/Fixtures`.
  private static let corpus: [(path: String, bytes: [UInt8])] = {
    let fixtures = URL(filePath: ProgramTests.folder).deletingLastPathComponent()
    let names =
      ["layers", "attention", "movements", "images", "corners", "changing", "older_2_5"].map {
        "programs/\($0).pt2"
      }
      + ["state_dict", "checkpoint", "views", "dtypes", "protocol4", "unaligned"].map {
        "pt/\($0).pt"
      }
      + ["dtypes", "shapes", "metadata"].map { "safetensors/\($0).safetensors" }
    var files = names.compactMap { name in
      (try? Data(contentsOf: fixtures.appending(path: name))).map { (name, Array($0)) }
    }
    let array =
      [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0]
      + Array("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }".utf8)
    let npy =
      array + [UInt8](repeating: 0x20, count: 127 - array.count) + [0x0A]
      + [UInt8](repeating: 3, count: 24)
    files.append(("array.npy", npy))
    files.append(("arrays.npz", StoredArchive([("x.npy", npy), ("y.npy", npy)]).bytes))
    return files
  }()

  /// Reads a file to its end.
  ///
  /// - Returns: whether it was read; false where a diagnostic told what is wrong.
  static func read(_ bytes: [UInt8], path: String) -> Bool {
    do throws(Diagnostic) {
      if path.hasSuffix(".pt2") {
        let program = try ExportedProgram(bytes, path: path)
        _ = program.coverage.description
        _ = try program.graph(named: "fuzzed")
      } else {
        let weights = try Weights.load(MappedFile(path, copying: bytes))
        for name in weights.names {
          weights[name]?.withUnsafeBytes { bytes in
            #expect(bytes.reduce(0) { $0 | $1 } <= 255)
          }
        }
      }
      return true
    } catch {
      #expect(!error.message.isEmpty)
      return false
    }
  }

  @Test func changedFilesAreReadOrRefused() throws {
    #expect(Self.corpus.count > 15)
    for (path, bytes) in Self.corpus { _ = Self.read(bytes, path: path) }
    var mutator = Mutator(seed: Self.seed)
    var tried = 0
    var read = 0
    var slowest: (seconds: Double, input: Int) = (0, 0)
    let start = ContinuousClock.now
    func elapsed() -> Double { (ContinuousClock.now - start) / .seconds(1) }
    while tried < 30 * Self.corpus.count || elapsed() < Self.seconds ?? 0 {
      let (path, bytes) = Self.corpus[tried % Self.corpus.count]
      let changed = mutator.changed(bytes, path: path)
      if let file = Self.environment["AIT_FUZZ_FILE"] {
        try Data(changed).write(to: URL(filePath: file))
      }
      let begin = elapsed()
      if Self.read(changed, path: path) { read += 1 }
      let seconds = elapsed() - begin
      if seconds > slowest.seconds { slowest = (seconds, tried) }
      // A reader that takes so long for a file of some kilobytes could be made to take for ever.
      #expect(seconds < 20, "input \(tried) of seed \(Self.seed), of \(path): \(seconds) s")
      tried += 1
    }
    #expect(read > 0 && read < tried)
    let memory = Self.peakMemory
    #expect(memory < 2 << 30, "\(memory) bytes")
    if Self.seconds != nil {
      print(
        "fuzz: seed \(Self.seed), \(tried) inputs in \(elapsed()) s, \(read) read, slowest "
          + "\(slowest.seconds) s (input \(slowest.input)), peak \(memory >> 20) MiB"
      )
    }
  }

  /// The most memory that the process has had, in bytes.
  private static var peakMemory: Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
    return (Int(line.filter(\.isNumber)) ?? 0) << 10
  }
}
