import AITGraph
import Testing

@testable import AITWeights

/// Returns an `.npy` file with a header that need not be legal.
private func numpy(_ header: String, data: [UInt8], version: UInt8 = 1, length: Int? = nil)
  -> MappedFile
{
  var bytes = Numpy.magic + [version, 0]
  let length = length ?? header.utf8.count
  if version == 1 {
    bytes.append(littleEndian: UInt16(length))
  } else {
    bytes.append(littleEndian: UInt32(length))
  }
  return MappedFile("test.npy", copying: bytes + Array(header.utf8) + data)
}

private func read(_ file: MappedFile) throws -> TensorData {
  try Numpy.read(file, 0..<file.sizeInBytes, part: nil)
}

private func header(_ dtype: String, _ shape: String, fortran: Bool = false) -> String {
  "{'descr': '\(dtype)', 'fortran_order': \(fortran ? "True" : "False"), 'shape': \(shape), }\n"
}

/// A header that must be refused, and how.
struct BadArray: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let header: String
  let identity: Diagnostic.Identity

  init(_ header: String, _ identity: Diagnostic.Identity = .corruptFile) {
    testDescription = String(header.prefix(80))
    self.header = header
    self.identity = identity
  }
}

private let badArrays: [BadArray] = [
  BadArray(header("|O", "(1,)"), .refusedPickle),
  BadArray(
    "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }",
    .unsupportedFormat
  ),
  BadArray(header("<u2", "(2,)"), .unsupportedFormat),
  BadArray(header("<c8", "(1,)"), .unsupportedFormat),
  BadArray(header("<U1", "(1,)"), .unsupportedFormat),
  BadArray(header("<f3", "(1,)"), .unsupportedFormat),
  BadArray(header("", "(1,)"), .unsupportedFormat),
  BadArray(header("<f4", "(2,)")),
  BadArray(header("<f4", "()") + "x"),
  BadArray(header("<f4", "(-1,)")),
  BadArray(header("<f4", "(1.0,)")),
  BadArray(header("<f4", "(1,")),
  BadArray(header("<f4", "1")),
  BadArray(header("<f4", "(,)")),
  BadArray(header("<f4", "(99999999999999999999,)")),
  BadArray(header("<f4", "(4294967296, 4294967296)"), .sizeLimit),
  BadArray(header("<f4", "(9223372036854775807, 4, 0)"), .sizeLimit),
  BadArray(header("<f4", "(\(String(repeating: "1,", count: 17)))"), .sizeLimit),
  BadArray(header("<f4", "(\(String(repeating: "1,", count: 18)))")),
  BadArray("{'descr': '<f4', 'fortran_order': False, }"),
  BadArray("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,), }"),
  BadArray("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}"),
  BadArray("{'descr': '<f4', 'fortran_order': 0, 'shape': (1,), }"),
  BadArray("{'descr': '<f4"),
  BadArray("__import__('os').system('true')"),
  BadArray(""),
]

@Suite("NumPy")
struct NumpyTests {
  @Test(arguments: DType.allCases)
  func `what is written is read again`(_ dtype: DType) throws {
    try withTemporaryFolder { folder in
      for shape in [[], [4], [2, 2], [0, 3], [1, 1, 4]] {
        let count = shape.reduce(1, *)
        let tensor = TensorData(dtype, shape, (0..<count).map { Double($0 % 2) })
        try Numpy.write(tensor, to: folder + "/a.npy")
        #expect(try Numpy.read(folder + "/a.npy").isIdentical(to: tensor))
        let weights = try Weights.load(folder + "/a.npy")
        #expect(weights.names == ["a"])
      }
    }
  }

  @Test func `the file is what NumPy writes`() throws {
    // numpy.save of numpy.float32([[1, 2]]), NumPy 2.
    var expected = Numpy.magic + [1, 0, 118, 0]
    expected += Array("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }".utf8)
    expected += [UInt8](repeating: 0x20, count: 127 - expected.count) + [0x0A]
    expected += [0, 0, 0x80, 0x3F, 0, 0, 0, 0x40]
    try withTemporaryFolder { folder in
      try Numpy.write(TensorData([1, 2], shape: [1, 2]), to: folder + "/a.npy")
      #expect(try MappedFile(folder + "/a.npy").bytes == expected)
    }
  }

  @Test func `versions 2 and 3 are read, others are not`() throws {
    for version: UInt8 in [2, 3] {
      let file = numpy(header("|u1", "(2,)"), data: [5, 6], version: version)
      #expect(try read(file).doubles == [5, 6])
    }
    let file = numpy(header("|u1", "(2,)"), data: [5, 6], version: 4)
    #expect(diagnostic { _ = try read(file) }?.identity == .unsupportedFormat)
  }

  @Test func `columns first become rows first`() throws {
    let file = numpy(
      header("<i2", "(2, 3)", fortran: true),
      data: [1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6, 0]
    )
    let tensor = try read(file)
    #expect(tensor.shape == [2, 3])
    #expect(tensor.doubles == [1, 2, 3, 4, 5, 6])
  }

  @Test func `the other byte order is swapped`() throws {
    let floats = numpy(header(">f4", "(2,)"), data: [0x3F, 0x80, 0, 0, 0xC0, 0, 0, 0])
    #expect(try read(floats).doubles == [1, -2])
    let integers = numpy(
      header(">i8", "(2,)", fortran: true),
      data: [0, 0, 0, 0, 0, 0, 1, 2] + [UInt8](repeating: 0xFF, count: 8)
    )
    #expect(try read(integers).doubles == [258, -1])
  }

  @Test func `two bytes without a meaning are bfloat16`() throws {
    #expect(try read(numpy(header("<V2", "(1,)"), data: [0x80, 0x3F])).doubles == [1])
    #expect(try read(numpy(header("|V2", "(1,)"), data: [0x80, 0x3F])).dtype == .bfloat16)
  }

  @Test(arguments: badArrays)
  func `a bad header is refused`(_ bad: BadArray) throws {
    let problem = try #require(diagnostic { _ = try read(numpy(bad.header, data: [0, 0, 0, 0])) })
    #expect(problem.identity == bad.identity, "\(problem)")
    #expect(problem.location == "test.npy")
  }

  @Test func `a header of gigabytes is not read`() throws {
    let beyond = numpy("{}", data: [], version: 2, length: 0x7FFF_FFFF)
    #expect(diagnostic { _ = try read(beyond) }?.identity == .sizeLimit)
  }

  @Test func `the arrays of an archive go by their names`() throws {
    let one = numpy(header("|u1", "(2,)"), data: [5, 6]).bytes
    let file = MappedFile(
      "test.npz",
      copying: ZipBuilder([("a.npy", one), ("b.c.npy", one), ("note", [])]).bytes
    )
    let weights = try Weights.load(file)
    #expect(weights.names == ["a", "b.c"])
    #expect(weights.ignored.map(\.path) == ["note"])
    var builder = ZipBuilder([("a.npy", one)])
    builder.entries[0].method = 8
    let compressed = MappedFile("test.npz", copying: builder.bytes)
    #expect(diagnostic { _ = try Weights.load(compressed) }?.identity == .unsupportedFormat)
  }
}
