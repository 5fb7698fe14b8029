import AITGraph
import Testing

@testable import AITWeights

/// Tensors may begin at any byte of a file; what is read can always be handed to a kernel.
@Suite("Alignment")
struct AlignmentTests {
  /// Whether the elements lie at multiples of their size.
  private static func isAligned(_ tensor: TensorData) -> Bool {
    tensor.address.isMultiple(of: UInt(tensor.dtype.sizeInBytes))
  }

  /// The bytes of numbers of a type.
  private static func bytes(_ dtype: DType, _ numbers: [Double]) -> [UInt8] {
    TensorData(dtype, [numbers.count], numbers).bytes
  }

  @Test(arguments: 0..<8, [DType.bool, .int16, .float16, .float32, .int64, .float64])
  func `a safetensors header may have any length`(_ residue: Int, _ dtype: DType) throws {
    let numbers = [1.0, 0, 1]
    let data = Self.bytes(dtype, numbers)
    var header =
      #"{"w":{"dtype":"\#(ElementType.safetensorsName(dtype))","shape":[3],"data_offsets":[0,"#
      + "\(data.count)]}}"
    while (8 + header.utf8.count) % 8 != residue { header += " " }
    let file = safetensors(header, data: data)
    let tensor = try #require(try Weights.load(file)["w"])
    #expect(tensor.doubles == numbers)
    #expect(Self.isAligned(tensor))
    // Nothing is copied without need.
    let isInFile =
      tensor.address == file.withUnsafeBytes(0..<1) { UInt(bitPattern: $0.baseAddress) }
      + UInt(8 + header.utf8.count)
    #expect(isInFile == residue.isMultiple(of: dtype.sizeInBytes))
  }

  /// An archive as `numpy.savez` writes it: stored, each local header with a zip64 field, the
  /// arrays wherever the names before them end.
  @Test(arguments: 1...8)
  func `an archive of numpy.savez has its arrays anywhere`(_ nameLength: Int) throws {
    let arrays: [(name: String, dtype: DType, numbers: [Double])] = [
      (String(repeating: "a", count: nameLength), .float64, [1.5, -2, 3]),
      ("weight", .float32, [4, 5]), ("ids", .int64, [6]),
    ]
    var builder = ZipBuilder(
      arrays.map { array in
        let name = NumpyHeader.name(array.dtype)
        var header =
          "{'descr': '\(name)', 'fortran_order': False, 'shape': (\(array.numbers.count),), }"
        header += String(repeating: " ", count: 117 - header.utf8.count) + "\n"
        return (
          "\(array.name).npy",
          Numpy.magic + [1, 0, 118, 0] + Array(header.utf8) + Self.bytes(array.dtype, array.numbers)
        )
      }
    )
    for index in builder.entries.indices {
      let size = UInt64(builder.entries[index].content.count)
      builder.entries[index].localExtra = [1, 0, 16, 0]
      for _ in 0..<2 { builder.entries[index].localExtra.append(littleEndian: size) }
    }
    let weights = try Weights.load(MappedFile("w.npz", copying: builder.bytes))
    for array in arrays {
      let tensor = try #require(weights[array.name])
      #expect(tensor.doubles == array.numbers)
      #expect(Self.isAligned(tensor), "\(array.name)")
    }
  }

  @Test(arguments: 0..<8)
  func `a storage of a PyTorch file may lie anywhere`(_ residue: Int) throws {
    let numbers = [1.0, 2, 3, 4]
    let pickle = PickleBuilder().tensor([2, 2], [2, 1]).ascii(".").bytes
    var builder = ZipBuilder([
      ("top/data.pkl", pickle), ("top/data/0", Self.bytes(.float32, numbers)),
    ])
    builder.entries[1].localExtra = [UInt8](repeating: 0, count: residue)
    let tensors = try Weights.load(builder.file)
    let tensor = try #require(tensors.names.first.flatMap { tensors[$0] })
    #expect(tensor.doubles == numbers)
    #expect(Self.isAligned(tensor))
  }

  /// Views of one unaligned storage are copied each: the sum of them is limited.
  @Test func `many views of an unaligned storage do not fill the memory`() throws {
    var pickle = PickleBuilder().ascii("(")
    let count = 1 << 18
    // 2^11 views of 1 MiB each.
    for index in 0..<2048 { pickle = pickle.text("w\(index)").tensor([count], [1], count: count) }
    pickle = pickle.ascii("d.")
    var builder = ZipBuilder([
      ("top/data.pkl", pickle.bytes), ("top/data/0", [UInt8](repeating: 0, count: 4 * count)),
    ])
    builder.entries[1].localExtra = [0]
    while Self.dataOffset(builder) % 4 == 0 { builder.entries[1].localExtra.append(0) }
    let file = builder.file
    #expect(diagnostic { _ = try Weights.load(file) }?.identity == .sizeLimit)
  }

  private static func dataOffset(_ builder: ZipBuilder) -> Int {
    var before = builder
    let last = before.entries.removeLast()
    let directory = before.entries.reduce(22) { $0 + 46 + $1.name.utf8.count }
    return before.bytes.count - directory + 30 + last.name.utf8.count + last.localExtra.count
  }
}
