import AITGraph
import AITOperators
import Testing

@Suite struct ScalarExpressionTests {
  @Test func equalInstructionsAreStoredOnce() {
    let e = ScalarExpression(inputs: [.float32]) { e, x in
      [e.call(.add, e.call(.exp, x[0]), e.call(.exp, x[0]))]
    }
    #expect(e.instructions.count == 3)
    #expect(e.evaluate([.float(0)]) == [.float(2)])
  }

  @Test func constantsOfDifferentTypesStayApart() {
    let e = ScalarExpression(inputs: []) { e, _ in
      [e.constant(1, .float32), e.constant(.integer(1), .int32), e.constant(.integer(1), .int64)]
    }
    #expect(e.instructions.count == 3)
    #expect(e.resultTypes == [.float32, .int32, .int64])
  }

  @Test func castsToTheSameTypeVanish() {
    let e = ScalarExpression(inputs: [.float16]) { e, x in [e.cast(x[0], to: .float16)] }
    #expect(e.isIdentity)
  }

  @Test func constantsOfHalfTypesKeepSinglePrecision() {
    let e = ScalarExpression(inputs: []) { e, _ in [e.constant(0.1, .bfloat16)] }
    #expect(e.evaluate([]) == [.float(Double(Float(0.1)))])
  }

  @Test func pruningDropsWhatNoResultNeeds() {
    var e = ScalarExpression(inputs: [.float32, .float32])
    let unused = e.call(.exp, 0)
    _ = e.call(.log, unused)
    e.setResults([e.call(.tanh, 1)])
    let pruned = e.pruned()
    #expect(pruned.instructions.count == 3)
    #expect(pruned.inputTypes.count == 2)
    #expect(pruned.usedInputs == [1])
    #expect(pruned.evaluate([.float(5), .float(0)]) == [.float(0)])
  }

  @Test func expansionKeepsTheMeaning() {
    for function in ScalarFunction.allCases {
      for type in [DType.float32, .int32, .bool] {
        let types = Array(repeating: type, count: function.arity)
        guard function != .select, function.resultType(types) != nil else { continue }
        let e = ScalarExpression(inputs: types) { e, x in [e.call(function, x)] }
        let expanded = e.expanded()
        #expect(expanded.resultTypes == e.resultTypes)
        #expect(
          !expanded.instructions.contains {
            if case .call(let inner, _) = $0 { inner.isComposed } else { false }
          }
        )
        for value in [-2.0, -0.5, 0, 0.5, 1, 3] {
          let inputs = types.indices.map {
            ScalarValue.float(value + Double($0)).converted(to: type)
          }
          let (plain, other) = (e.evaluate(inputs)[0].double, expanded.evaluate(inputs)[0].double)
          #expect(plain == other || (plain.isNaN && other.isNaN), "\(function) of \(inputs)")
        }
      }
    }
  }

  /// Columns give what single elements give, for every function and type.
  @Test func columnsAgreeWithElements() {
    let values: [Double] = [-130, -2.5, -1, -0.0, 0, 0.3, 1, 2, 7, 31, 200, .infinity, .nan]
    for function in ScalarFunction.allCases {
      for type in DType.allCases {
        var types = Array(repeating: type, count: function.arity)
        if function == .select { types[0] = .bool }
        guard function.resultType(types) != nil else { continue }
        let e = ScalarExpression(inputs: types) { e, x in
          let result = e.call(function, x)
          return [result, e.cast(result, to: .float16), e.cast(x[0], to: .int32)]
        }.expanded()
        let rows = values.indices.map { row in
          types.indices.map { index in
            ScalarValue.float(values[(row + index * 5) % values.count]).converted(to: types[index])
          }
        }
        let columns = types.indices.map { index -> ScalarColumn in
          types[index].isFloatingPoint
            ? .floats(rows.map { $0[index].double }) : .integers(rows.map { $0[index].integer })
        }
        let found = e.evaluate(columns: columns, count: rows.count)
        for (row, inputs) in rows.enumerated() {
          for (index, expected) in e.evaluate(inputs).enumerated() {
            let value = found[index].scalar(at: row, e.resultTypes[index])
            let isSame = value == expected || (value.double.isNaN && expected.double.isNaN)
            #expect(isSame, "\(function) of \(inputs): \(value), not \(expected)")
          }
        }
      }
    }
  }

  @Test func inliningComposes() {
    let inner = ScalarExpression(inputs: [.float32]) { e, x in [e.call(.square, x[0])] }
    let outer = ScalarExpression(inputs: [.float32, .float32]) { e, x in
      [e.call(.add, e.inline(inner, [x[0]])[0], e.inline(inner, [x[1]])[0])]
    }
    #expect(outer.evaluate([.float(3), .float(4)]) == [.float(25)])
    let merged = outer.remappingInputs([0, 0], newTypes: [.float32])
    #expect(merged.inputTypes.count == 1)
    #expect(merged.evaluate([.float(3)]) == [.float(18)])
  }

  @Test func resultsAreSelected() {
    let e = ScalarExpression(inputs: [.float32]) { e, x in
      [e.call(.exp, x[0]), e.call(.negate, x[0])]
    }
    let second = e.selectingResults([1])
    #expect(second.evaluate([.float(2)]) == [.float(-2)])
    #expect(second.soleFunction == .negate)
  }

  @Test(
    arguments: [
      (ScalarFunction.floorDivide, 7, -2, -4), (.remainder, 7, -2, -1), (.fmod, 7, -2, 1),
      (.floorDivide, 7, 0, 0), (.power, 2, 10, 1024), (.power, 2, -1, 0), (.power, -1, -3, -1),
      (.shiftLeft, 1, 40, 0), (.shiftRight, -8, 1, -4), (.shiftRight, -8, 99, -1), (.xor, 6, 3, 5),
      (.remainder, -7, 7, 0), (.add, Int(Int32.max), 1, Int(Int32.min)),
      (.floorDivide, Int(Int32.min), -1, Int(Int32.min)), (.fmod, Int(Int32.min), -1, 0),
    ] as [(ScalarFunction, Int, Int, Int)]
  )
  func integersFollowPyTorch(_ function: ScalarFunction, _ a: Int, _ b: Int, _ expected: Int) {
    let value = function.evaluate([.integer(Int64(a)), .integer(Int64(b))], dtype: .int32)
    #expect(value == .integer(Int64(expected)))
  }

  @Test func narrowingCastsRoundAndWideningOnesDoNot() {
    let e = ScalarExpression(inputs: [.float32]) { e, x in
      [e.cast(e.cast(x[0], to: .float16), to: .float32), e.cast(x[0], to: .float64)]
    }
    let value = 1.0 + 0x1p-20
    #expect(e.evaluate([.float(value)]) == [.float(1), .float(value)])
  }

  /// What PyTorch gives on x86, and the kernels on every target; the same table of values as in
  /// `Tests/NativeTests/vector_test.cpp`.
  @Test(
    arguments: [
      (300.0, [44, 44, 300, 300, 300]), (-1, [255, -1, -1, -1, -1]), (-0.75, [0, 0, 0, 0, 0]),
      (3e9, [0, 0, 0, -0x8000_0000, 3_000_000_000]),
      (-0x1p31, [0, 0, 0, -0x8000_0000, -0x8000_0000]),
      (0x1p31 + 5, [0, 0, 0, -0x8000_0000, 0x8000_0005]),
      (.nan, [0, 0, 0, -0x8000_0000, .min]), (.infinity, [0, 0, 0, -0x8000_0000, .min]),
      (-.infinity, [0, 0, 0, -0x8000_0000, .min]), (9.3e18, [0, 0, 0, -0x8000_0000, .min]),
      (65535.9, [255, -1, -1, 65535, 65535]),
    ] as [(Double, [Int64])]
  )
  func integersAreCutFromFloats(_ value: Double, _ expected: [Int64]) {
    for (type, integer) in zip([DType.uint8, .int8, .int16, .int32, .int64], expected) {
      #expect(ScalarValue.float(value).converted(to: type) == .integer(integer), "\(type)")
      #expect(TensorData(type, [1], [value]).integers == [integer], "\(type)")
      let e = ScalarExpression(inputs: [.float64]) { e, x in [e.cast(x[0], to: type)] }
      #expect(e.evaluate([.float(value)]) == [.integer(integer)])
      guard case .integers(let column) = e.evaluate(columns: [.floats([value])], count: 1)[0] else {
        Issue.record("a cast to \(type) gives no integers")
        continue
      }
      #expect(column == [integer])
    }
    #expect(ScalarValue.float(value).converted(to: .bool) == .bool(value != 0))
  }
}
