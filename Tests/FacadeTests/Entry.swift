import AITFacade
import AITFrontend
import AITGraph
import AITReference
import Testing

/// Numbers in a shape: operands and expectations of the tests, computed by straight loops in Double.
struct Numbers {
  let shape: [Int]
  private(set) var elements: [Double]

  /// What a function of the indices gives.
  init(_ shape: [Int], _ element: ([Int]) -> Double) {
    self.shape = shape
    elements = []
    var index = Array(repeating: 0, count: shape.count)
    for _ in 0..<shape.reduce(1, *) {
      elements.append(element(index))
      for axis in shape.indices.reversed() {
        index[axis] += 1
        if index[axis] < shape[axis] { break }
        index[axis] = 0
      }
    }
  }

  init(_ data: TensorData) {
    shape = data.shape
    elements = data.doubles
  }

  subscript(_ index: Int...) -> Double { self[index] }

  subscript(_ index: [Int]) -> Double {
    precondition(index.count == shape.count, "an index \(index) into \(shape)")
    return elements[zip(index, shape).reduce(0) { $0 * $1.1 + $1.0 }]
  }
}

/// Returns the sum of a function of 0..<count.
func sum(_ count: Int, _ term: (Int) -> Double) -> Double {
  (0..<count).reduce(0) { $0 + term($1) }
}

/// One call of an entry, evaluated by the reference.
final class Entry {
  private var generator: RandomGenerator
  private var inputs: [String: TensorData] = [:]

  init(seed: UInt64 = 1) { generator = RandomGenerator(seed: seed) }

  /// Adds an input; its elements are as they are after rounding to the type.
  func input(_ data: TensorData, _ shape: Shape? = nil) -> (FacadeArgument, Numbers) {
    let name = "x\(inputs.count)"
    inputs[name] = data
    return (.tensor(.input(name, shape ?? Shape(data.shape), data.dtype)), Numbers(data))
  }

  /// Adds an input of random numbers.
  func random(_ extents: [Int], _ dtype: DType = .float32, as shape: Shape? = nil)
    -> (FacadeArgument, Numbers)
  {
    input(.random(dtype, extents, using: &generator), shape)
  }

  /// Adds an input of integers.
  func integers(
    _ values: [Int],
    _ extents: [Int]? = nil,
    _ dtype: DType = .int64,
    as shape: Shape? = nil
  ) -> FacadeArgument {
    let data = TensorData(dtype, extents ?? [values.count], integers: values.map(Int64.init))
    return input(data, shape).0
  }

  /// Returns the results of a call.
  func run(_ name: String, _ arguments: [String: FacadeArgument]) throws -> [TensorData] {
    let results = try FacadeCatalog.apply(name, arguments)
    let outputs = results.enumerated().map { $1.named("y\($0)") }
    let graph = try Graph(name: "entry", outputs: outputs)
    // A call need not read every input.
    let read = Set(graph.inputs.map { graph[$0].name })
    let evaluation = try Evaluator.run(graph, inputs.filter { read.contains($0.key) })
    return try outputs.indices.map { try #require(evaluation.outputs["y\($0)"]) }
  }

  /// Checks the one result of a call, to the last places of float32.
  func check(
    _ name: String,
    _ arguments: [String: FacadeArgument],
    _ expected: Numbers,
    _ dtype: DType = .float32,
    tolerance: Double = 1e-5,
    location: SourceLocation = #_sourceLocation
  ) throws {
    let results = try run(name, arguments)
    #expect(results.count == 1, sourceLocation: location)
    Self.compare(results[0], expected, dtype, tolerance: tolerance, location: location)
  }

  static func compare(
    _ result: TensorData,
    _ expected: Numbers,
    _ dtype: DType = .float32,
    tolerance: Double = 1e-5,
    location: SourceLocation = #_sourceLocation
  ) {
    #expect(result.shape == expected.shape, sourceLocation: location)
    #expect(result.dtype == dtype, sourceLocation: location)
    guard result.shape == expected.shape else { return }
    for (index, (found, wanted)) in zip(result.doubles, expected.elements).enumerated() {
      let isNear =
        found == wanted || (found.isNaN && wanted.isNaN)
        || (found - wanted).magnitude <= tolerance * Swift.max(1, wanted.magnitude)
      #expect(
        isNear,
        "element \(index) of \(result.shape) is \(found), expected \(wanted)",
        sourceLocation: location
      )
      if !isNear { return }
    }
  }
}

/// Checks that a call is refused.
func expectDiagnostic(
  _ identity: Diagnostic.Identity,
  _ name: String,
  _ arguments: [String: FacadeArgument],
  location: SourceLocation = #_sourceLocation
) {
  do throws(Diagnostic) {
    _ = try FacadeCatalog.apply(name, arguments)
    Issue.record("\(name) was accepted", sourceLocation: location)
  } catch {
    #expect(error.identity == identity, "\(error)", sourceLocation: location)
  }
}

/// An input of a type, for calls that are refused or whose type alone is looked at.
func typed(_ name: String, _ shape: Shape, _ dtype: DType = .float32) -> FacadeArgument {
  .tensor(.input(name, shape, dtype))
}
