import AITFacade
import AITFrontend
import AITGraph
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

@Suite("Functions of single elements by AITemplate's names")
struct PointwiseEntryTests {
  typealias Formula = @Sendable (_ x: [Double]) -> Double

  /// How many operands a function has, and what it gives: all 32 of FuncEnum.
  static let functions: [String: (Int, Formula)] = [
    "ADD": (2, { $0[0] + $0[1] }),
    "SUB": (2, { $0[0] - $0[1] }),
    "MUL": (2, { $0[0] * $0[1] }),
    "DIV": (2, { $0[0] / $0[1] }),
    "TANH": (1, { tanh($0[0]) }),
    "COS": (1, { cos($0[0]) }),
    "SIN": (1, { sin($0[0]) }),
    "SIGN": (1, { $0[0] > 0 ? 1 : $0[0] < 0 ? -1 : 0 }),
    "ABS": (1, { $0[0].magnitude }),
    "LOGE": (1, { log($0[0]) }),
    "EXP": (1, { exp($0[0]) }),
    "SQRT": (1, { $0[0].squareRoot() }),
    "MAX": (2, { max($0[0], $0[1]) }),
    "MIN": (2, { min($0[0], $0[1]) }),
    "SIGMOID": (1, { 1 / (1 + exp(-$0[0])) }),
    "LRELU": (2, { $0[0] > 0 ? $0[0] : $0[0] * $0[1] }),
    "HARDTANH": (3, { min(max($0[0], $0[1]), $0[2]) }),
    "RELU": (1, { max($0[0], 0) }),
    "NAN_TO_NUM": (4, { $0[0] }),
    "CLAMP_NAN_TO_NUM": (4, { min(max($0[0], $0[1]), $0[2]) }),
    "SILU": (1, { $0[0] / (1 + exp(-$0[0])) }),
    "POW": (2, { pow($0[0], $0[1]) }),
    "GELU": (1, { $0[0] * 0.5 * erfc(-$0[0] / 2.0.squareRoot()) }),
    "FASTGELU": (
      1,
      { x in
        let inner = (2 / Double.pi).squareRoot() * (x[0] + 0.044715 * pow(x[0], 3))
        return 0.5 * x[0] * (1 + tanh(inner))
      }
    ),
    "SOFTPLUS": (
      3, { x in x[0] * x[1] > x[2] ? x[0] : log(1 + exp(x[0] * x[1])) / x[1] }
    ),
    "ELU": (2, { x in x[0] > 0 ? x[0] : x[1] * (exp(x[0]) - 1) }),
    "SOFTSIGN": (1, { x in x[0] / (1 + x[0].magnitude) }),
    "FLOOR_DIV": (2, { floor($0[0] / $0[1]) }),
    "CELU": (2, { x in max(x[0], 0) + min(x[1] * (exp(x[0] / x[1]) - 1), 0) }),
    "FLOOR": (1, { floor($0[0]) }),
    "LOG1P": (1, { log(1 + $0[0]) }),
    "RECIPROCAL": (1, { 1 / $0[0] }),
  ]
  /// Further operands as numbers.
  static let numbers: [Double] = [-0.75, 1.25, 0.5]

  @Test("all 32 functions, of tensors and of numbers", arguments: functions.keys.sorted())
  func function(_ name: String) throws {
    #expect(Self.functions.count == 32)
    let (count, formula) = try #require(Self.functions[name])
    let entry = Entry()
    let (x, X) = entry.random([2, 3, 4], as: [.symbol("batch", 1...8), 3, 4])
    let numbers = Self.numbers.prefix(count - 1)
    try entry.check(
      "elementwise",
      [
        "func_enum": .string(name), "args": .list([x] + numbers.map { .float($0) }),
      ],
      Numbers([2, 3, 4]) { formula([X[$0]] + numbers) }
    )
    guard count == 2 else { return }
    let (y, Y) = entry.random([3, 1])
    try entry.check(
      "elementwise",
      ["func_enum": .string(name), "args": .list([x, y])],
      Numbers([2, 3, 4]) { formula([X[$0], Y[$0[1], 0]]) }
    )
  }

  @Test("NaN and infinities are replaced")
  func replaced() throws {
    let entry = Entry()
    let data = TensorData(.float32, [4], [.nan, .infinity, -.infinity, 0.5])
    let (x, _) = entry.input(data)
    let numbers: [FacadeArgument] = [.float(-1), .integer(2), .float(3)]
    for (name, expected) in [
      ("NAN_TO_NUM", [-1, 2, 3, 0.5]), ("CLAMP_NAN_TO_NUM", [3, 2, -1, 0.5]),
    ] {
      try entry.check(
        "elementwise",
        ["func_enum": .string(name), "args": .list([x] + numbers)],
        Numbers([4]) { expected[$0[0]] }
      )
    }
  }

  @Test("the result has the operands' type, whatever the numbers")
  func types() throws {
    for dtype in [DType.float16, .bfloat16, .float32, .int64] {
      let results = try FacadeCatalog.apply(
        "elementwise",
        ["func_enum": .string("MUL"), "args": .list([typed("x", [2], dtype), .float(0.5)])]
      )
      #expect(results[0].dtype == dtype)
    }
    let numbers = try FacadeCatalog.apply(
      "elementwise",
      ["func_enum": .string("ADD"), "args": .list([.integer(1), .float(0.5)])]
    )
    #expect(numbers[0].type == TensorType(.float16, []))
    let truth = try FacadeCatalog.apply(
      "elementwise",
      [
        "func_enum": .string("MUL"),
        "args": .list([typed("m", [3], .bool), typed("x", [2, 3], .float16)]),
      ]
    )
    #expect(truth[0].type == TensorType(.float16, [2, 3]))
    expectDiagnostic(
      .dtypeMismatch,
      "elementwise",
      [
        "func_enum": .string("ADD"),
        "args": .list([typed("a", [3], .float16), typed("b", [3], .float32)]),
      ]
    )
  }

  @Test("an exponent has the type of its base, as in PyTorch")
  func exponents() throws {
    let entry = Entry()
    let (x, X) = entry.input(TensorData(.bfloat16, [3], [0.5, 3, 24]))
    // 1.2 is 1.203125 as bfloat16.
    try entry.check(
      "elementwise",
      ["func_enum": .string("POW"), "args": .list([x, .float(1.2)])],
      Numbers([3]) { pow(X[$0], 1.203125) },
      .bfloat16,
      tolerance: 0x1p-8
    )
  }

  @Test("what does not fit is refused")
  func refusals() {
    let x = typed("x", [2, 3])
    expectDiagnostic(
      .invalidArgument,
      "elementwise",
      ["func_enum": .string("ERF"), "args": .list([x])]
    )
    expectDiagnostic(
      .wrongInputCount,
      "elementwise",
      ["func_enum": .string("ADD"), "args": .list([x])]
    )
    expectDiagnostic(
      .shapeMismatch,
      "elementwise",
      ["func_enum": .string("ADD"), "args": .list([x, typed("y", [2, 4])])]
    )
    expectDiagnostic(.invalidArgument, "clamp", ["x": x])
  }

  @Test("limits on either side")
  func clamp() throws {
    let entry = Entry()
    let (x, X) = entry.random([20])
    let least = FacadeArgument.float(-0.5)
    let greatest = FacadeArgument.float(0.25)
    try entry.check("clamp", ["x": x, "min_value": least], Numbers([20]) { max(X[$0], -0.5) })
    try entry.check("clamp", ["x": x, "max_value": greatest], Numbers([20]) { min(X[$0], 0.25) })
    try entry.check(
      "clamp",
      ["x": x, "min_value": least, "max_value": greatest],
      Numbers([20]) { min(max(X[$0], -0.5), 0.25) }
    )
  }

  // MARK: - Comparisons and choice

  @Test("comparisons with tensors and numbers")
  func comparisons() throws {
    let functions: [String: @Sendable (Double, Double) -> Bool] = [
      "eq": { $0 == $1 }, "ne": { $0 != $1 }, "lt": { $0 < $1 }, "le": { $0 <= $1 },
      "gt": { $0 > $1 }, "ge": { $0 >= $1 },
    ]
    for (name, function) in functions {
      let entry = Entry()
      let (x, X) = entry.input(TensorData(.float16, [4], [1, 2, 3, 0.1]))
      let (y, Y) = entry.input(TensorData(.float16, [4], [2, 2, 1, 0.1]))
      try entry.check(
        name,
        ["left": x, "right": y],
        Numbers([4]) { function(X[$0], Y[$0]) ? 1 : 0 },
        .bool
      )
      // 0.1 is compared as the float16 that it becomes.
      for number in [2, 0.1] {
        try entry.check(
          name,
          ["left": x, "right": .float(number)],
          Numbers([4]) { function(X[$0], Double(Float16(number))) ? 1 : 0 },
          .bool
        )
      }
    }
  }

  @Test("comparisons neither broadcast nor convert")
  func comparisonRefusals() {
    let x = typed("x", [.symbol("batch", 1...128), 10], .float16)
    expectDiagnostic(
      .dtypeMismatch,
      "ge",
      ["left": x, "right": typed("y", [.symbol("batch", 1...128), 10], .float32)]
    )
    expectDiagnostic(.shapeMismatch, "ge", ["left": x, "right": typed("y", [10], .float16)])
  }

  @Test("a choice between tensors and numbers")
  func choice() throws {
    let entry = Entry()
    let (m, M) = entry.random([3, 4], .bool)
    let (x, X) = entry.random([3, 4])
    let (y, Y) = entry.random([3, 4])
    try entry.check(
      "where",
      ["condition": m, "input_tensor": x, "other_tensor": y],
      Numbers([3, 4]) { M[$0] == 1 ? X[$0] : Y[$0] }
    )
    try entry.check(
      "where",
      ["condition": m, "input_tensor": .integer(2), "other_tensor": y],
      Numbers([3, 4]) { M[$0] == 1 ? 2 : Y[$0] }
    )
    try entry.check(
      "where",
      [
        "condition": m, "input_tensor": .integer(2), "other_tensor": .float(0.5),
        "dtype": .string("float16"),
      ],
      Numbers([3, 4]) { M[$0] == 1 ? 2 : 0.5 },
      .float16
    )
  }

  @Test("choices that AITemplate refuses")
  func choiceRefusals() {
    let m = typed("m", [.symbol("batch", 2...128), 4], .bool)
    let x = typed("x", [4, 4])
    let square = typed("s", [4, 4], .bool)
    let parameters = ["condition", "input_tensor", "other_tensor"]
    func arguments(_ values: FacadeArgument...) -> [String: FacadeArgument] {
      Dictionary(uniqueKeysWithValues: zip(parameters, values))
    }
    expectDiagnostic(.dtypeMismatch, "where", arguments(x, x, x))
    expectDiagnostic(.invalidArgument, "where", arguments(.integer(1), x, x))
    expectDiagnostic(.shapeMismatch, "where", arguments(m, x, x))
    expectDiagnostic(.invalidArgument, "where", arguments(m, .integer(1), .integer(2)))
    expectDiagnostic(.dtypeMismatch, "where", arguments(square, x, typed("h", [4, 4], .float16)))
  }

  @Test("casts to a type by AITemplate's name")
  func cast() throws {
    let entry = Entry()
    let (x, X) = entry.random([5], .float16)
    try entry.check("cast", ["x": x, "dtype": .string("float")], Numbers([5]) { X[$0] })
    try entry.check(
      "cast",
      ["x": x],
      Numbers([5]) { X[$0] },
      .bfloat16,
      tolerance: 0.01
    )
    expectDiagnostic(.invalidArgument, "cast", ["x": x, "dtype": .string("float8")])
  }
}
