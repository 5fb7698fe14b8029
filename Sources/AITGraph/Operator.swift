/// What a node computes: a value with attributes, and everything the compiler knows of it.
///
/// One file of `AITOperators/Operators` conforms one type. Backends add a conformance to their own
/// lowering protocol; there is no registry. The examples drive every contract test on every target.
package protocol Operator: Hashable, Sendable {
  /// The name in graph text, in snake case, after the function of PyTorch with the same meaning.
  static var name: String { get }

  /// One line for the operator table.
  static var summary: String { get }

  /// The attributes in the order in which they are printed; those at their default may be left out.
  var attributes: [Attribute] { get }

  /// Creates the operator from its printed attributes.
  init(_ attributes: inout AttributeReader) throws(Diagnostic)

  /// The types of the results, from the types of the operands.
  func inferTypes(_ operands: [TensorType]) throws(Diagnostic) -> [TensorType]

  /// What a run's sizes must comply with where the symbols' bounds do not say so; none by default.
  ///
  /// The types are those of `inferTypes`. What no sizes can comply with is refused when the node is
  /// added, the rest is checked when a run begins.
  func sizeConstraints(_ operands: [TensorType], results: [TensorType]) -> [SizeConstraint]

  /// The meaning: straight loops in Double, for operands of known extents.
  ///
  /// `results` are the inferred types with symbols replaced by their values.
  func evaluate(_ operands: [TensorData], results: [TensorType], symbols: [String: Int])
    throws(Diagnostic) -> [TensorData]

  /// Floating-point operations of one evaluation; memory traffic is derived from the types.
  func operationCount(_ operands: [TensorType], results: [TensorType]) -> Dimension

  /// What fusion and planning may do with it.
  var traits: OperatorTraits { get }

  /// Graphs of one node that show the operator at work: static, symbolic, zero-size, rank 0 and odd
  /// sizes as far as they apply.
  static var examples: [OperatorExample] { get }
}

/// What fusion and planning may do with an operator.
package struct OperatorTraits: OptionSet, Sendable {
  package let rawValue: Int
  package init(rawValue: Int) { self.rawValue = rawValue }

  /// A pointwise expression on result 0 can be computed where the result is made.
  package static let acceptsEpilogue = OperatorTraits(rawValue: 1 << 0)
  /// A pointwise expression that makes operand 0 can be computed where the operand is read.
  package static let acceptsPrologue = OperatorTraits(rawValue: 1 << 1)
  /// The result may take the memory of an operand of the same size that dies here, since each
  /// element is read before the one at its place is written.
  package static let mayRunInPlace = OperatorTraits(rawValue: 1 << 2)
  /// The results depend on nothing but the attributes.
  package static let isGenerator = OperatorTraits(rawValue: 1 << 3)
  /// The result is written row-major: it cannot be a strided part of another tensor.
  package static let needsDenseResult = OperatorTraits(rawValue: 1 << 4)
}

/// An operator that only describes memory anew, where the operand's layout allows.
package protocol ViewOperator: Operator {
  /// The layout of the result over the operand's memory; nil if elements must be copied.
  func view(of layout: Layout, operand: TensorType, result: TensorType) -> Layout?
}

/// A graph of one node, with the operands' types: a row of the contract and conformance tables.
package struct OperatorExample: Sendable {
  package let op: any Operator
  package let operands: [TensorType]
  /// Values of integer operands lie in 0..<this (indices); nil takes the test's own range.
  package let indexBound: Int?

  package init(_ op: any Operator, _ operands: [TensorType], indexBound: Int? = nil) {
    self.op = op
    self.operands = operands
    self.indexBound = indexBound
  }
}

extension Operator {
  package var traits: OperatorTraits { [] }

  package func sizeConstraints(_ operands: [TensorType], results: [TensorType]) -> [SizeConstraint]
  { [] }

  /// Whether another operator is the same with the same attributes.
  package func isEqual(to other: any Operator) -> Bool { (other as? Self) == self }

  /// Throws unless there are as many operands as expected.
  package func checkOperandCount(_ operands: [TensorType], _ expected: ClosedRange<Int>)
    throws(Diagnostic)
  {
    guard expected.contains(operands.count) else {
      let count =
        expected.lowerBound == expected.upperBound
        ? "\(expected.lowerBound)"
        : expected.upperBound == Int.max
          ? "at least \(expected.lowerBound)"
          : "\(expected.lowerBound) to \(expected.upperBound)"
      throw Diagnostic(
        .wrongInputCount,
        "\(Self.name) takes \(count) operand\(count == "1" ? "" : "s"), found \(operands.count)"
      )
    }
  }
}

extension OperatorExample: CustomStringConvertible {
  /// Reads like the call: `softmax(float16[4, 1000], axis: 1)`.
  package var description: String {
    let arguments =
      operands.map(\.description)
      + op.attributes.map { "\($0.name): \(GraphPrinter.text($0.value))" }
    return "\(type(of: op).name)(\(arguments.joined(separator: ", ")))"
  }
}
