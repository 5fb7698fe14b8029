import AITGraph
import AITOperators
import Foundation
import Testing

/// Result types against PyTorch's, for all pairs of element types.
@Suite struct RecordedPromotionTests {
  static let tables = Result {
    let file = Recording.folder.appending(path: "promotion.json")
    return try RecordedJSON(parsing: try Data(contentsOf: file))
  }

  /// An operand of the tables: a tensor with or without axes, or a number of the program.
  enum Operand {
    case tensor(DType)
    case rankZero(DType)
    case number(PointwiseOperand)

    init?(_ name: String, rankZero: Bool = false) {
      switch name {
      case "int": self = .number(2)
      case "float": self = .number(2.5)
      case "bool" where rankZero: self = .rankZero(.bool)
      default:
        guard let dtype = DType(rawValue: name) else { return nil }
        self = rankZero ? .rankZero(dtype) : .tensor(dtype)
      }
    }

    func add(to graph: inout Graph) throws -> PointwiseOperand {
      switch self {
      case .tensor(let dtype): .value(try graph.addInput("x", TensorType(dtype, [2])))
      case .rankZero(let dtype): .value(try graph.addInput("x", TensorType(dtype, [])))
      case .number(let number): number
      }
    }
  }

  @Test(arguments: [
    ("tensor_tensor", false, false), ("tensor_scalar", false, false),
    ("tensor_rank0", false, true), ("rank0_rank0", true, true), ("rank0_scalar", true, false),
  ])
  func sumsHaveTheRecordedType(_ name: String, _ isLeftRankZero: Bool, _ isRightRankZero: Bool)
    throws
  {
    let table = try #require(try Self.tables.get()[name]?.object)
    for (left, row) in table {
      for (right, expected) in row.object {
        var graph = Graph(name: "promotion")
        let first = try #require(Operand(left, rankZero: isLeftRankZero))
        var second = try #require(Operand(right, rankZero: isRightRankZero))
        if name.hasSuffix("scalar") && right == "bool" { second = .number(true) }
        let operands = [try first.add(to: &graph), try second.add(to: &graph)]
        let result = graph.promotedType(operands)
        #expect(result.rawValue == expected.string, "\(left) and \(right) in \(name)")
      }
    }
  }

  private func expect(
    _ expected: RecordedJSON,
    _ what: String,
    _ build: (inout Graph) throws -> ValueID
  ) {
    var graph = Graph(name: "promotion")
    do {
      let result = try build(&graph)
      #expect(graph.type(of: result).dtype.rawValue == expected.string, "\(what)")
    } catch {
      #expect(expected == .null, "\(what): \(error)")
    }
  }

  @Test func unaryFunctionsHaveTheRecordedTypes() throws {
    let functions: [String: ScalarFunction] = [
      "exp": .exp, "abs": .abs, "neg": .negate, "square": .square, "floor": .floor,
      "round": .round, "sign": .sign, "relu": .relu, "gelu": .gelu, "isnan": .isNaN,
      "bitwise_not": .not,
    ]
    for (op, row) in try Self.tables.get()["unary"]?.object ?? [:] {
      for (name, expected) in row.object {
        expect(expected, "\(op) of \(name)") { graph in
          let x = try graph.addInput("x", TensorType(try #require(DType(rawValue: name)), [2]))
          guard let function = functions[op] else { return try graph.logicalNot(x) }
          return try graph.pointwise(function, x)
        }
      }
    }
  }

  @Test func reductionsHaveTheRecordedTypes() throws {
    for (op, row) in try Self.tables.get()["reduction"]?.object ?? [:] {
      for (name, expected) in row.object {
        expect(expected, "\(op) of \(name)") { graph in
          let x = try graph.addInput("x", TensorType(try #require(DType(rawValue: name)), [2]))
          return switch op {
          case "sum": try graph.sum(x)
          case "prod": try graph.product(x)
          case "mean": try graph.mean(x)
          case "amax": try graph.maximum(x)
          case "argmax": try graph.argmax(x)
          case "any": try graph.any(x)
          case "all": try graph.all(x)
          case "var": try graph.variance(x)
          case "logsumexp": try graph.logSumExp(x, axes: [0])
          default: try graph.softmax(x, axis: 0)
          }
        }
      }
    }
  }

  @Test(arguments: ["binary", "binary_scalar"])
  func binaryFunctionsHaveTheRecordedTypes(_ name: String) throws {
    let functions: [String: ScalarFunction] = [
      "div": .divide, "floor_divide": .floorDivide, "pow": .power, "atan2": .atan2, "eq": .equal,
      "bitwise_and": .and,
    ]
    for (op, table) in try Self.tables.get()[name]?.object ?? [:] {
      for (left, row) in table.object {
        for (right, expected) in row.object {
          let isNumber = name == "binary_scalar"
          // The only power that PyTorch grants to truth: no program needs it.
          if op == "pow" && left == "bool" && right == "bool" { continue }
          expect(expected, "\(op) of \(left) and \(right)") { graph in
            let x = try #require(Operand(left)).add(to: &graph)
            let y =
              isNumber && right == "bool"
              ? .scalar(true) : try #require(Operand(right)).add(to: &graph)
            if let function = functions[op] { return try graph.pointwise(function, [x, y]) }
            if op == "logical_and" { return try graph.logicalAnd(x, y) }
            let two = try graph.addInput(
              "a",
              TensorType(try #require(DType(rawValue: left)), [2, 2])
            )
            let other = try graph.addInput(
              "b",
              TensorType(try #require(DType(rawValue: right)), [2, 2])
            )
            return try graph.matmul(two, other)
          }
        }
      }
    }
  }
}
