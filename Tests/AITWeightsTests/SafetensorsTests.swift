import AITGraph
import FoundationEssentials
import Glibc
import Testing

@testable import AITWeights

/// A header that must be refused, and how.
struct BadHeader: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let header: String
  var dataSize = 0
  var length: UInt64?
  var identity = Diagnostic.Identity.corruptFile
  /// Part of the message.
  let says: String
}

private func entry(_ shape: String, _ begin: String, _ end: String, _ dtype: String = "F32")
  -> String
{
  #"{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":[\#(begin),\#(end)]}"#
}

private let badHeaders: [BadHeader] = [
  BadHeader(testDescription: "a length beyond the file", header: "{}", length: 3, says: "3 bytes"),
  BadHeader(
    testDescription: "a length that is negative as a signed number",
    header: "{}",
    length: 1 << 63,
    says: "header of"
  ),
  BadHeader(testDescription: "no header", header: "", says: "an object"),
  BadHeader(testDescription: "text after the header", header: "{}x", says: "the end"),
  BadHeader(
    testDescription: "a comma at the end",
    header: #"{"a":"# + entry("[]", "0", "4") + ",}",
    dataSize: 4,
    says: "a name"
  ),
  BadHeader(testDescription: "an open object", header: "{", says: "a name"),
  BadHeader(testDescription: "an open string", header: #"{"a"#, says: "ends in the middle"),
  BadHeader(testDescription: "an open escape", header: #"{"a\"#, says: "ends in the middle"),
  BadHeader(testDescription: "half a surrogate pair", header: #"{"\ud800x":1}"#, says: "surrogate"),
  BadHeader(testDescription: "the second half alone", header: #"{"\udc00":1}"#, says: "surrogate"),
  BadHeader(testDescription: "a zero escape cut short", header: #"{"\u00"}"#, says: "hexadecimal"),
  BadHeader(testDescription: "a line break in a name", header: "{\"a\n\":1}", says: "control"),
  BadHeader(
    testDescription: "an extent with a fraction",
    header: #"{"a":"# + entry("[1.0]", "0", "4") + "}",
    dataSize: 4,
    says: "integer"
  ),
  BadHeader(
    testDescription: "an extent with an exponent",
    header: #"{"a":"# + entry("[1e0]", "0", "4") + "}",
    dataSize: 4,
    says: "integer"
  ),
  BadHeader(
    testDescription: "an extent with a leading zero",
    header: #"{"a":"# + entry("[01]", "0", "4") + "}",
    dataSize: 4,
    says: "begins with 0"
  ),
  BadHeader(
    testDescription: "an extent beyond 64 bits",
    header: #"{"a":"# + entry("[99999999999999999999]", "0", "4") + "}",
    dataSize: 4,
    says: "64 bits"
  ),
  BadHeader(
    testDescription: "an offset of 2^64 - 1",
    header: #"{"a":"# + entry("[1]", "0", "18446744073709551615") + "}",
    says: "64 bits"
  ),
  BadHeader(
    testDescription: "a negative offset",
    header: #"{"a":"# + entry("[1]", "-4", "0") + "}",
    says: "offsets"
  ),
  BadHeader(
    testDescription: "sizes whose product wraps to 0",
    header: #"{"a":"# + entry("[4294967296,4294967296]", "0", "0") + "}",
    identity: .sizeLimit,
    says: "shape"
  ),
  BadHeader(
    testDescription: "sizes that overflow before a 0",
    header: #"{"a":"# + entry("[9223372036854775807,4,0]", "0", "0") + "}",
    identity: .sizeLimit,
    says: "shape"
  ),
  BadHeader(
    testDescription: "a rank of 17",
    header: #"{"a":"# + entry("[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "0", "4") + "}",
    dataSize: 4,
    identity: .sizeLimit,
    says: "16"
  ),
  BadHeader(
    testDescription: "three offsets",
    header: #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}"#,
    dataSize: 4,
    identity: .sizeLimit,
    says: "2 numbers"
  ),
  BadHeader(
    testDescription: "one offset",
    header: #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#,
    dataSize: 4,
    says: "offsets"
  ),
  BadHeader(
    testDescription: "a field twice",
    header: #"{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
    dataSize: 4,
    says: "two fields"
  ),
  BadHeader(
    testDescription: "a name spelt in two ways",
    header: #"{"a":"# + entry("[1]", "0", "4") + #","\u0061":"# + entry("[1]", "4", "8") + "}",
    dataSize: 8,
    says: "two entries"
  ),
  BadHeader(
    testDescription: "metadata twice",
    header: #"{"__metadata__":{},"__metadata__":{}}"#,
    says: "two entries"
  ),
  BadHeader(
    testDescription: "a metadata key twice",
    header: #"{"__metadata__":{"a":"1","a":"2"}}"#,
    says: "two entries"
  ),
  BadHeader(
    testDescription: "deep lists in a field that is not read",
    header: #"{"a":{"x":"# + String(repeating: "[", count: 100_000),
    says: "nested"
  ),
  BadHeader(
    testDescription: "deep objects in a field that is not read",
    header: #"{"a":{"x":"# + String(repeating: #"{"x":"#, count: 100_000),
    says: "nested"
  ),
  BadHeader(
    testDescription: "deep lists as a header",
    header: String(repeating: "[", count: 100_000),
    says: "an object"
  ),
  BadHeader(
    testDescription: "elements of 4 bits that fill no byte",
    header: #"{"a":"# + entry("[3]", "0", "1", "F4") + "}",
    dataSize: 1,
    says: "whole number"
  ),
  BadHeader(
    testDescription: "a tensor of no bytes inside another",
    header: #"{"a":"# + entry("[2]", "0", "8") + #","b":"# + entry("[0]", "4", "4") + "}",
    dataSize: 8,
    says: "overlaps"
  ),
  BadHeader(
    testDescription: "a type no one knows",
    header: #"{"a":"# + entry("[1]", "0", "4", "F32\\u001b[31m") + "}",
    dataSize: 4,
    identity: .unsupportedFormat,
    says: #""F32\u{1b}[31m""#
  ),
]

@Suite("Safetensors")
struct SafetensorsTests {
  @Test(arguments: badHeaders)
  func `a bad header is refused, and named`(_ bad: BadHeader) throws {
    let file = safetensors(
      bad.header,
      data: [UInt8](repeating: 0, count: bad.dataSize),
      length: bad.length
    )
    let problem = try #require(diagnostic { _ = try Safetensors.read(file) })
    #expect(problem.identity == bad.identity, "\(problem)")
    #expect(problem.message.contains(bad.says), "\(problem)")
    #expect(problem.location?.hasPrefix("test.safetensors") == true)
  }

  @Test func `a length above the limit is refused in a file that would hold it`() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.safetensors"
      let length: [UInt8] = [0x01, 0xE1, 0xF5, 0x05, 0, 0, 0, 0]
      try #require(FileManager.default.createFile(atPath: path, contents: Data(length)))
      // A hole as long as the header says it is.
      try #require(truncate(path, 200_000_000) == 0)
      let problem = try #require(diagnostic { _ = try Weights.load(path) })
      #expect(problem.identity == .sizeLimit)
      #expect(problem.message.contains("100000001"))
    }
  }

  @Test func `fields that the format may get later are skipped`() throws {
    let header =
      #"{"a":{"dtype":"U8","x":[{"y":[1,-2.5e3,null,true,"s",{}]}],"shape":[1],"#
      + #""data_offsets":[0,1]}}"#
    let weights = try Safetensors.read(safetensors(header, data: [7]))
    #expect(weights["a"]?.doubles == [7])
  }

  @Test func `a type that the compiler lacks is an error only for who asks`() throws {
    let header =
      #"{"a":"# + entry("[2]", "0", "2", "F8_E4M3") + #","b":"#
      + entry("[1]", "2", "6") + "}"
    let weights = try Safetensors.read(safetensors(header, data: [0, 0, 0, 0, 0x80, 0x3F]))
    #expect(weights["b"]?.doubles == [1])
    let problem = try #require(diagnostic { _ = try weights.tensor(named: "a") })
    #expect(problem.identity == .unsupportedFormat)
    #expect(problem.message.contains("F8_E4M3"))
    #expect(problem.hint != nil)
  }

  @Test func `an unknown name is met with near ones`() throws {
    let header = #"{"layer.weight":"# + entry("[0]", "0", "0") + "}"
    let weights = try Safetensors.read(safetensors(header))
    let problem = try #require(diagnostic { _ = try weights.tensor(named: "layer.weigth") })
    #expect(problem.identity == .unknownName)
    #expect(problem.hint?.contains("layer.weight") == true)
  }

  // MARK: - Writing

  private var samples: [(name: String, tensor: TensorData)] {
    DType.allCases.map { dtype in
      (name: "tensor.\(dtype.rawValue)", tensor: TensorData(dtype, [2, 3], [0, 1, 1, 0, 1, 0]))
    } + [
      (name: "caf\u{E9} \"😀\"\n\\", tensor: TensorData(scalar: 2.5, .float32)),
      (name: "empty", tensor: TensorData(zeros: .float16, [0, 4])),
    ]
  }

  @Test func `what is written is read again`() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.safetensors"
      let metadata = ["format": "pt", "a \"quote\"": "tab\t\u{1}"]
      try Safetensors.write(samples, metadata: metadata, to: path)
      let weights = try Weights.load(path)
      #expect(weights.count == samples.count)
      #expect(weights.metadata == metadata)
      for (name, tensor) in samples {
        #expect(try weights.tensor(named: name).isIdentical(to: tensor), "\(name)")
        #expect(try weights.tensor(named: name).address % UInt(tensor.dtype.sizeInBytes) == 0)
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.safetensors"])
    }
  }

  @Test func `the order in which tensors are given leaves no trace`() throws {
    try withTemporaryFolder { folder in
      try Safetensors.write(samples, metadata: ["b": "1", "a": "2"], to: folder + "/a")
      try Safetensors.write(samples.reversed(), metadata: ["a": "2", "b": "1"], to: folder + "/b")
      #expect(try MappedFile(folder + "/a").bytes == MappedFile(folder + "/b").bytes)
    }
  }

  @Test func `a file that is mapped survives its replacement`() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.safetensors"
      try Safetensors.write([("a", TensorData([1, 2], shape: [2]))], to: path)
      let old = try Weights.load(path)
      try Safetensors.write([("a", TensorData([3], shape: [1]))], to: path)
      #expect(old["a"]?.doubles == [1, 2])
      #expect(try Weights.load(path)["a"]?.doubles == [3])
    }
  }

  @Test func `a mapped tensor is copied before it is changed`() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.safetensors"
      try Safetensors.write([("a", TensorData([1, 2], shape: [2]))], to: path)
      var tensor = try Weights.load(path).tensor(named: "a")
      tensor.withUnsafeMutableBytes { $0[3] = 0x40 }
      #expect(tensor.doubles == [4, 2])
      #expect(try Weights.load(path)["a"]?.doubles == [1, 2])
    }
  }

  @Test func `names used twice or reserved are not written`() throws {
    let tensor = TensorData(zeros: .float32, [1])
    for names in [["a", "a"], ["__metadata__"]] {
      let problem = diagnostic {
        try Safetensors.write(names.map { ($0, tensor) }, to: "/nowhere/a.safetensors")
      }
      #expect(problem?.identity == .duplicateName)
    }
  }

  @Test func `a folder that is not there cannot be written to`() {
    let problem = diagnostic { try Safetensors.write([], to: "/nowhere/a.safetensors") }
    #expect(problem?.identity == .unwritableFile)
    #expect(problem?.location == "/nowhere/a.safetensors")
  }
}
