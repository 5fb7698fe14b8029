import AITGraph
import Testing

@testable import AITWeights

private func vector(_ values: Float...) -> TensorData {
  TensorData(values, shape: [values.count])
}

private func type(_ dtype: DType, _ shape: Int...) -> TensorType { TensorType(dtype, Shape(shape)) }

@Suite("Mapping weights to parameters")
struct WeightMappingTests {
  @Test func `names match as they are, or with underscores for dots`() throws {
    let weights = try Weights([("layers.0.weight", vector(1)), ("layers.1.weight", vector(2))])
    let mapping = try WeightMapping(
      weights,
      to: [("layers.0.weight", type(.float32, 1)), ("layers_1_weight", type(.float32, 1))]
    )
    #expect(mapping.tensors["layers.0.weight"]?.doubles == [1])
    #expect(mapping.tensors["layers_1_weight"]?.doubles == [2])
    #expect(mapping.unused.isEmpty)
  }

  @Test func `a name that underscores make ambiguous is not guessed`() throws {
    let weights = try Weights([("a.b_c", vector(1)), ("a_b.c", vector(2))])
    let problem = diagnostic {
      _ = try WeightMapping(weights, to: [("a_b_c", type(.float32, 1))])
    }
    #expect(problem?.identity == .weightMismatch)
    let exact = try WeightMapping(
      weights,
      to: [("a_b.c", type(.float32, 1)), ("a.b_c", type(.float32, 1))]
    )
    #expect(exact.tensors["a_b.c"]?.doubles == [2])
  }

  @Test func `one diagnostic tells everything that is amiss`() throws {
    let weights = try Weights([
      ("encoder.weigth", vector(1, 2)), ("extra", vector(1)),
      ("fc.weight", TensorData(zeros: .float32, [2, 3])),
      ("mask", TensorData(zeros: .float32, [1])),
      ("bn.num_batches_tracked", TensorData(zeros: .int64, [])),
    ])
    let problem = try #require(
      diagnostic {
        _ = try WeightMapping(
          weights,
          to: [
            ("encoder.weight", type(.float16, 2)), ("gone", type(.float32, 4)),
            ("fc.weight", type(.float32, 3, 2)), ("mask", type(.bool, 1)),
          ]
        )
      }
    )
    #expect(problem.identity == .weightMismatch)
    for part in [
      "2 missing, 2 unexpected, 2 of another shape or type",
      "missing: encoder.weight float16[2] (near: \"encoder.weigth\")",
      "missing: gone float32[4]",
      "unexpected: \"extra\" float32[1]",
      "different: fc.weight: float32[2, 3] in the file, float32[3, 2] in the model; transposed?",
      "different: mask: float32[1] in the file cannot become bool[1]",
    ] {
      #expect(problem.message.contains(part), "\(problem)")
    }
    #expect(!problem.message.contains("num_batches"))
  }

  @Test func `what is amiss can be forgiven`() throws {
    let weights = try Weights([("a", vector(1)), ("b", vector(2))])
    let options = WeightMapping.Options(allowsMissing: true, allowsUnexpected: true)
    let mapping = try WeightMapping(
      weights,
      to: [("a", type(.float32, 1)), ("c", type(.float32, 1))],
      options: options
    )
    #expect(Set(mapping.tensors.keys) == ["a"])
    #expect(mapping.unused == ["b"])
    // A wrong shape is never forgiven.
    let problem = diagnostic {
      _ = try WeightMapping(weights, to: [("a", type(.float32, 2))], options: options)
    }
    #expect(problem?.identity == .weightMismatch)
  }

  @Test func `a prefix is pointed out, and removed or added on demand`() throws {
    let weights = try Weights([("module.a.w", vector(1)), ("module.b.w", vector(2))])
    let parameters = [("a.w", type(.float32, 1)), ("b_w", type(.float32, 1))]
    let problem = try #require(diagnostic { _ = try WeightMapping(weights, to: parameters) })
    #expect(problem.hint?.contains("\"module.\": remove") == true, "\(problem)")
    let mapping = try WeightMapping(
      weights,
      to: parameters,
      options: WeightMapping.Options(removedPrefix: "module.")
    )
    #expect(mapping.tensors["b_w"]?.doubles == [2])

    let bare = try Weights([("a.w", vector(1))])
    let prefixed = [("model.a.w", type(.float32, 1))]
    let other = try #require(diagnostic { _ = try WeightMapping(bare, to: prefixed) })
    #expect(other.hint?.contains("\"model.\": add") == true, "\(other)")
    let added = try WeightMapping(
      bare,
      to: prefixed,
      options: WeightMapping.Options(addedPrefix: "model.")
    )
    #expect(added.tensors.count == 1)
  }

  @Test func `a prefix whose removal makes two names one is refused`() throws {
    let weights = try Weights([("module.a", vector(1)), ("a", vector(2))])
    let problem = diagnostic {
      _ = try WeightMapping(
        weights,
        to: [("a", type(.float32, 1))],
        options: WeightMapping.Options(removedPrefix: "module.")
      )
    }
    #expect(problem?.identity == .duplicateName)
  }

  @Test func `tied weights stay one, converted or not`() throws {
    let tied = vector(1, 2)
    let weights = try Weights([("embed", tied), ("head", tied)])
    let parameters = [
      ("embed", type(.float16, 2)), ("head", type(.float16, 2)), ("tail", type(.float16, 2)),
    ]
    let mapping = try WeightMapping(
      weights,
      to: parameters,
      options: WeightMapping.Options(ties: ["tail": "embed"])
    )
    #expect(Set(mapping.tensors.values.map(\.address)).count == 1)
    #expect(mapping.tensors["tail"]?.doubles == [1, 2])
  }

  @Test func `a tensor that cannot be used is missing, with the reason`() throws {
    let weights = try Weights(
      [],
      unsupported: [Weights.Unsupported(name: "fp8.weight", reason: "element type F8_E4M3")]
    )
    let options = WeightMapping.Options(allowsMissing: true)
    let problem = diagnostic {
      _ = try WeightMapping(weights, to: [("fp8_weight", type(.float32, 1))], options: options)
    }
    #expect(problem?.message.contains("unusable: element type F8_E4M3") == true)
  }

  @Test func `numbers beyond the new type are pointed out`() throws {
    let weights = try Weights([
      ("big", vector(70_000, 1)), ("infinite", vector(.infinity)), ("fits", vector(65_504)),
      ("wide", TensorData(.int64, [1], [5e9])), ("narrow", TensorData(.int64, [1], [5])),
    ])
    let mapping = try WeightMapping(
      weights,
      to: [
        ("big", type(.float16, 2)), ("infinite", type(.float16, 1)), ("fits", type(.float16, 1)),
        ("wide", type(.int32, 1)), ("narrow", type(.int32, 1)),
      ]
    )
    #expect(mapping.overflowing == ["big", "wide"])
  }

  @Test func `a symbol in a parameter's shape is an error`() throws {
    let weights = try Weights([("a", vector(1))])
    let symbolic = TensorType(.float32, [Dimension(Symbol("n", 1...4))])
    let problem = diagnostic { _ = try WeightMapping(weights, to: [("a", symbolic)]) }
    #expect(problem?.identity == .weightMismatch)
  }
}

@Suite("Conversion of tensors")
struct TensorConversionTests {
  @Test func `every 16-bit number converts as one scalar does`() {
    let words = (0...UInt32(UInt16.max)).map { UInt16($0) }
    for (source, target) in [
      (DType.float16, DType.float32), (.bfloat16, .float32), (.float16, .bfloat16),
      (.bfloat16, .float16),
    ] {
      var tensor = TensorData(zeros: source, [words.count])
      tensor.withUnsafeMutableBytes { bytes in
        words.withUnsafeBytes { bytes.copyMemory(from: $0) }
      }
      expectSame(tensor, target)
    }
  }

  @Test(arguments: [DType.float16, .bfloat16, .float64])
  func `float32 converts as one scalar does, at every boundary`(_ target: DType) {
    var generator = SeededGenerator(seed: 3)
    var values: [Float] = [0, -0, .infinity, -.infinity, .nan, 65504, 65519.996, 65520, 65536]
    for exponent in 0...255 {
      for low in [0, 0xFFF, 0x1000, 0x1001, 0x1FFF, 0x2000, 0x3000, 0x7FFF, 0x8000, 0x18000] {
        values.append(Float(bitPattern: UInt32(exponent) << 23 | UInt32(low)))
        values.append(Float(bitPattern: 1 << 31 | UInt32(exponent) << 23 | 0x7F_FFFF - UInt32(low)))
      }
    }
    for _ in 0..<20_000 {
      values.append(Float(bitPattern: UInt32(truncatingIfNeeded: generator.next())))
    }
    expectSame(TensorData(values, shape: [values.count]), target)
  }

  @Test func `float64 converts as one scalar does`() {
    var generator = SeededGenerator(seed: 4)
    var values: [Double] = [0, -0.0, .infinity, .nan, 1e39, 0x1p-149, 0x1p-150, 1 + 0x1p-24]
    for _ in 0..<10_000 { values.append(Double(bitPattern: generator.next())) }
    let tensor = TensorData(.float64, [values.count], values)
    for target in [DType.float32, .float16, .bfloat16] { expectSame(tensor, target) }
  }

  @Test func `integers and truth values convert too`() {
    let tensor = TensorData(.int32, [3], [0, 1, 300])
    for target in DType.allCases { expectSame(tensor, target) }
    expectSame(TensorData(zeros: .float32, [0, 3]), .float16)
    expectSame(TensorData(scalar: 1.5, .float32), .float16)
  }

  private func expectSame(_ tensor: TensorData, _ target: DType) {
    let fast = TensorConversion.convert(tensor, to: target)
    let slow = tensor.converted(to: target)
    guard !fast.isIdentical(to: slow) else { return }
    #expect(fast.shape == slow.shape && fast.dtype == slow.dtype)
    for (index, (left, right)) in zip(fast.doubles, slow.doubles).enumerated() {
      // The payload of NaN may differ.
      guard left.isNaN && right.isNaN || left.bitPattern == right.bitPattern else {
        Issue.record("\(tensor.dtype) \(tensor.doubles[index]) became \(left), not \(right)")
        return
      }
    }
  }
}
