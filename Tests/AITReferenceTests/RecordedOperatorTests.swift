import AITGraph
import AITOperators
import AITReference
import AITWeights
import Testing

/// The builder verbs and the evaluator against PyTorch's recorded results.
@Suite struct RecordedOperatorTests {
  struct Row: CustomTestStringConvertible, Sendable {
    let op: String
    let cases: [Recording.Case]
    var testDescription: String { "\(op), \(cases.count) cases" }
  }

  static let rows: [Row] = {
    guard let recording = try? Recording.shared.get() else { return [] }
    var order: [String] = []
    for entry in recording.cases where !order.contains(entry.op) { order.append(entry.op) }
    return order.map { op in Row(op: op, cases: recording.cases.filter { $0.op == op }) }
  }()

  @Test func isComplete() throws {
    #expect(try Recording.shared.get().cases.count > 1000)
  }

  @Test(arguments: rows)
  func agreesWithPyTorch(_ row: Row) throws {
    let recording = try Recording.shared.get()
    for entry in row.cases {
      let expected = entry.outputs.compactMap { recording.tensors[$0] }
      let found: [TensorData]
      do { found = try Self.run(entry, recording) } catch {
        Issue.record("\(entry.id) \(entry.inputs) \(entry.attributes): \(error)")
        continue
      }
      #expect(found.count == expected.count)
      for (found, expected) in zip(found, expected) {
        if let problem = Self.difference(
          found,
          expected,
          entry,
          entry.inputs.compactMap { recording.tensors[$0] }
        ) {
          Issue.record("\(entry.id) \(entry.inputs) \(entry.attributes): \(problem)")
        }
      }
    }
  }

  private static func run(_ entry: Recording.Case, _ recording: Recording) throws -> [TensorData] {
    var graph = Graph(name: "recorded")
    var inputs: [String: TensorData] = [:]
    var ids: [ValueID] = []
    for (index, name) in entry.inputs.enumerated() {
      let data = try #require(recording.tensors[name])
      inputs["x\(index)"] = data
      ids.append(try graph.addInput("x\(index)", data.type))
    }
    for (index, result) in try entry.build(in: &graph, ids).enumerated() {
      try graph.addOutput("y\(index)", result)
    }
    try graph.verify()
    let outputs = try Evaluator.run(graph, inputs).outputs
    return entry.outputs.indices.compactMap { outputs["y\($0)"] }
  }

  /// What is wrong with a result; nil if nothing is.
  private static func difference(
    _ found: TensorData,
    _ expected: TensorData,
    _ entry: Recording.Case,
    _ inputs: [TensorData]
  ) -> String? {
    guard found.type == expected.type else { return "\(found.type), expected \(expected.type)" }
    let (relative, absolute) = tolerance(entry, expected)
    for (index, (a, b)) in zip(found.scalars, expected.scalars).enumerated() {
      let (left, right) = (a.double, b.double)
      if left.isNaN && right.isNaN { continue }
      if a == b && (left != 0 || left.sign == right.sign || !entry.isExact) { continue }
      if entry.disputed.contains(index) || isKnownToDiffer(entry, index, inputs) { continue }
      if (left - right).magnitude <= max(relative * right.magnitude, absolute) { continue }
      return "element \(index) is \(a), PyTorch has \(b)"
    }
    return nil
  }

  /// How far an element may lie off, relative to itself and at least.
  private static func tolerance(_ entry: Recording.Case, _ expected: TensorData) -> (
    Double, Double
  ) {
    let unit = expected.dtype.epsilon
    let largest = expected.doubles.reduce(0) { $1.isFinite ? max($0, $1.magnitude) : $0 }
    // Where PyTorch errs itself: its vectorised square root is wrong by one unit here and there.
    if entry.op == "sqrt" && expected.dtype != .float16 { return (unit, 0) }
    if entry.isExact { return (0, 0) }
    // A product is rounded before the bias is added, as long as no pass has fused the two.
    if ["linear", "addmm", "baddbmm"].contains(entry.op) { return (unit, unit * largest) }
    // float64 results carry the rounding errors of both sides, and those of float32 that PyTorch
    // computed in float32 too; others are computed in Double and rounded once.
    if expected.dtype == .float64 || !entry.isComputedInDouble {
      return (8 * unit, 8 * unit * largest)
    }
    let leastSubnormal = expected.dtype == .float16 ? 0x1p-24 : 0x1p-133
    // GELU's tail cancels to nothing in PyTorch's form; the factors are float32 in ours.
    if entry.op == "gelu" { return (0x1p-18 + unit, max(1e-17, leastSubnormal)) }
    return (expected.dtype == .float32 ? 4 * unit : unit, leastSubnormal)
  }

  /// Whether PyTorch's result follows from its way of computing alone.
  private static func isKnownToDiffer(
    _ entry: Recording.Case,
    _ index: Int,
    _ inputs: [TensorData]
  ) -> Bool {
    guard inputs.count == 2, inputs[0].shape == inputs[1].shape else { return false }
    let (a, b) = (inputs[0].scalar(at: index).double, inputs[1].scalar(at: index).double)
    switch entry.op {
    // Its vectorised remainder fails where the quotient overflows.
    case "fmod", "remainder": return (a / b).magnitude >= 0x1p128
    // It rounds the quotient to the element type, perhaps to the next integer, before truncating.
    case "div" where entry.attributes["rounding_mode"]?.string == "trunc":
      return (a / b - (a / b).rounded()).magnitude <= inputs[0].dtype.epsilon * (a / b).magnitude
    default: return false
    }
  }
}
