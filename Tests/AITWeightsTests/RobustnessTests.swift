import AITGraph
import Testing

@testable import AITWeights

/// A small valid file, to be damaged.
struct Victim: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let path: String
  let bytes: [UInt8]

  init(_ path: String) {
    testDescription = path
    self.path = path
    bytes = (try? fixture(path)) ?? []
  }

  init(_ name: String, _ bytes: [UInt8]) {
    testDescription = name
    path = name
    self.bytes = bytes
  }

  static var all: [Victim] {
    var zip64 = ZipBuilder([("a/data.pkl", small), ("a/data/0", [UInt8](repeating: 1, count: 16))])
    zip64.isZip64 = true
    var numpy = Numpy.magic + [1, 0, 118, 0]
    let header = "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }"
    numpy += Array(header.utf8) + [UInt8](repeating: 0x20, count: 117 - header.utf8.count) + [0x0A]
    numpy += [UInt8](repeating: 3, count: 24)
    return [
      Victim("pt/tensor.pt"), Victim("pt/unaligned.pt"), Victim("pt/views.pt"),
      Victim("pt/checkpoint.pt"), Victim("pt/protocol4.pt"),
      Victim("safetensors/shapes.safetensors"), Victim("safetensors/escapes.safetensors"),
      Victim("zip64.pt", zip64.bytes), Victim("fortran.npy", numpy),
      Victim("arrays.npz", ZipBuilder([("x.npy", numpy)]).bytes),
    ]
  }

  private static var small: [UInt8] {
    PickleBuilder().ascii("}").text("w").tensor([2, 2], [1, 2]).ascii("s.").bytes
  }

  /// Reads damaged bytes to the last element.
  ///
  /// - Returns: What is wrong with the outcome; nil if it is a diagnostic or honest tensors.
  func problem(_ bytes: [UInt8]) -> String? {
    do {
      let weights = try Weights.load(MappedFile(path, copying: bytes), keyPath: keyPath)
      var sum = 0
      for name in weights.names {
        weights[name]?.withUnsafeBytes { for byte in $0 { sum &+= Int(byte) } }
      }
      return sum < 0 ? "a sum of bytes below 0" : nil
    } catch {
      return error.location?.hasPrefix(path) == true ? nil : "nowhere: \(error)"
    }
  }

  private var keyPath: [String]? { path.hasSuffix(".pt") ? [] : nil }
}

@Suite("Damaged files")
struct RobustnessTests {
  @Test(arguments: Victim.all)
  func `the file is valid before it is damaged`(_ victim: Victim) throws {
    #expect(!victim.bytes.isEmpty)
    _ = try Weights.load(MappedFile(victim.path, copying: victim.bytes))
  }

  @Test(arguments: Victim.all)
  func `cut anywhere, a file is refused`(_ victim: Victim) {
    for length in 0..<victim.bytes.count {
      let file = MappedFile(victim.path, copying: Array(victim.bytes[..<length]))
      let problem = diagnostic { _ = try Weights.load(file) }
      guard problem?.location?.hasPrefix(victim.path) == true else {
        Issue.record("\(length) of \(victim.bytes.count) bytes: \(String(describing: problem))")
        return
      }
    }
  }

  @Test(arguments: Victim.all)
  func `with any byte changed, a file is refused or read within its bounds`(_ victim: Victim) {
    var generator = SeededGenerator(seed: 20)
    for round in 0..<1500 {
      var bytes = victim.bytes
      for _ in 0..<(1 + round % 3) {
        let position = Int.random(in: 0..<bytes.count, using: &generator)
        // Numbers that are near limits break more than others.
        let values: [UInt8] = [
          0, 1, 0x7F, 0x80, 0xFF, UInt8.random(in: 0...255, using: &generator),
        ]
        bytes[position] = values[Int.random(in: 0..<6, using: &generator)]
      }
      if let problem = victim.problem(bytes) {
        Issue.record("round \(round): \(problem)")
        return
      }
    }
  }

  @Test func `with bytes of the pickle changed, deeper parts are reached`() throws {
    // Mutations of a whole archive mostly hit the directory; this aims at the program.
    var generator = SeededGenerator(seed: 21)
    let program = PickleBuilder().ascii("}(").text("a").tensor([2, 2], [2, 1])
      .text("b").ascii("](").tensor([2, 2], [1, 2]).ascii("K\u{7}et").text("c")
      .tensor([3], [1], offset: 1).appending([0x85]).ascii("u.").bytes
    var readCount = 0
    for _ in 0..<10_000 {
      var bytes = program
      switch Int.random(in: 0..<3, using: &generator) {
      case 0:
        bytes[Int.random(in: 2..<bytes.count, using: &generator)] ^=
          1 << UInt8(generator.next() % 8)
      case 1: bytes.remove(at: Int.random(in: 2..<bytes.count, using: &generator))
      default:
        let codes: [UInt8] =
          Array("().0123NKMJX}]asutelRbcQhqj".utf8) + [0x81, 0x85, 0x86, 0x87, 0x94]
        bytes.insert(
          codes[Int.random(in: 0..<codes.count, using: &generator)],
          at: Int.random(in: 2..<bytes.count, using: &generator)
        )
      }
      let problem = diagnostic {
        _ = try PyTorchWeights(PickleBuilder(bytes: bytes).file(), keyPath: [])
      }
      if problem == nil { readCount += 1 }
      if let problem, problem.location?.hasPrefix("test.pt") != true {
        Issue.record("\(problem)")
      }
    }
    #expect(readCount > 0)
  }

  @Test func `noise of every length is refused`() {
    var generator = SeededGenerator(seed: 22)
    for prefix in [[], ZipArchive.magic, Numpy.magic, [200, 0, 0, 0, 0, 0, 0, 0, 0x7B]] {
      for length in 0..<300 {
        let bytes = prefix + (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
        for name in ["a.pt", "a.safetensors", "a.npy", "a.npz", "a.index.json", "a"] {
          let problem = diagnostic { _ = try Weights.load(MappedFile(name, copying: bytes)) }
          #expect(problem != nil)
        }
      }
    }
  }
}
