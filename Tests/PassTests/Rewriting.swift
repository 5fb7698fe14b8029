import AITGraph
import AITOperators
import AITPasses
import AITReference
import Testing

/// Runs passes on a graph under all instruments and compares the result with the expected text.
///
/// Both texts are the lines between the braces of a graph; types may be left out.
func expect(
  _ passes: any GraphPass...,
  on before: String,
  becomes after: String,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  try expect(Pipeline(passes), on: before, becomes: after, sourceLocation: sourceLocation)
}

/// Runs a pipeline once under all instruments and compares the result with the expected text.
func expect(
  _ pipeline: Pipeline,
  on before: String,
  becomes after: String,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let found = try run(pipeline, on: before)
  let lines = found.description.split(separator: "\n").dropFirst().dropLast()
  let text = lines.map { $0.dropFirst(2) }.joined(separator: "\n")
  guard let expected = try? Graph.parse("graph test {\n\(after)\n}") else {
    Issue.record("the expected text is no graph; found\n\(text)", sourceLocation: sourceLocation)
    return
  }
  #expect(
    found.description == expected.description,
    "found\n\(text)",
    sourceLocation: sourceLocation
  )
}

/// The graph that a pipeline makes of a program, checked by evaluation after each pass.
func run(_ pipeline: Pipeline, on text: String) throws -> Graph {
  var graph = try Graph.parse("graph test {\n\(text)\n}")
  let instruments = try PassInstruments.evaluating(graph, seed: 3) { dtype in
    dtype == .float64 ? 1e-10 : dtype == .float32 ? 1e-4 : 5e-2
  }
  try pipeline.run(on: &graph, in: PassContext(instruments: instruments))
  return graph
}

/// The graph that the standard pipeline makes of a graph, checked by evaluation after each pass.
func optimized(_ graph: Graph) throws -> Graph {
  var graph = graph
  let instruments = try PassInstruments.evaluating(graph, seed: 5) { dtype in
    dtype == .float64 ? 1e-10 : dtype == .float32 ? 1e-4 : 5e-2
  }
  try Pipeline.standard.run(on: &graph, in: PassContext(instruments: instruments))
  return graph
}

extension Graph {
  /// The operators in order of execution, views left out: what becomes a kernel.
  var kernels: [String] {
    let analysis = foldedNodes
    return sortedNodes().compactMap { id in
      let op = self[id].op
      return op is any ViewOperator || analysis.contains(id) ? nil : Swift.type(of: op).name
    }
  }

  /// The nodes that depend on constants alone.
  var foldedNodes: Set<NodeID> {
    var folded: Set<NodeID> = []
    for id in sortedNodes() {
      let isFolded = self[id].inputs.allSatisfy { input in
        producer(of: input).map { folded.contains($0) } ?? (constant(input) != nil)
      }
      if isFolded { folded.insert(id) }
    }
    return folded
  }

  /// The node that computes an output.
  func node(ofOutput name: String) -> Graph.Node? {
    outputs.first { $0.name == name }.flatMap { producer(of: $0.value) }.map { self[$0] }
  }
}
