import AITGraph
import AITOperators

/// A rewriting of a graph that keeps its meaning.
///
/// A pass is one file of `Passes/` and one line of `Pipeline.swift`. It changes the graph only
/// through `Graph+Editing`, leaves a graph that verifies, and finds nothing to do when it is run
/// again on its own result. What it keeps: the inputs, the outputs by name and type, the named
/// constants, and every value up to the rounding of intermediates, which fused work no longer
/// rounds.
package protocol GraphPass: Sendable {
  /// The name in dumps, timings and `--emit=graph-after=`: the type's name in kebab case.
  static var name: String { get }

  /// Rewrites the graph.
  func run(on graph: inout Graph, in context: PassContext) throws(Diagnostic)
}

extension Graph {
  /// Takes a step again and again, until it changes nothing.
  mutating func untilSettled(_ step: (inout Graph) throws(Diagnostic) -> Void) throws(Diagnostic) {
    var before: Int
    repeat {
      before = editCount
      try step(&self)
    } while editCount != before
  }
}

/// What passes may know beside the graph.
package struct PassContext: Sendable {
  /// Computes the results of a node at compile time, from operands of known extents.
  package typealias Evaluation =
    @Sendable (Graph.Node, [TensorData], [TensorType]) throws(Diagnostic) -> [TensorData]

  /// Whether the target has a kernel for attention with operands of given types; others are spelt out.
  package typealias AttentionSupport = @Sendable (Attention, [TensorType]) -> Bool

  /// How constants are folded; the reference meaning of the operators unless injected.
  package var evaluate: Evaluation
  /// How far passes go.
  package var limits: PassLimits
  /// What is watched while passes run.
  package var instruments: PassInstruments
  /// Which attention stays, and is made of what spells it out: all by default.
  package var computesAttention: AttentionSupport = { _, _ in true }

  package init(
    limits: PassLimits = PassLimits(),
    instruments: PassInstruments = PassInstruments(),
    evaluate: @escaping Evaluation = PassContext.reference
  ) {
    self.evaluate = evaluate
    self.limits = limits
    self.instruments = instruments
  }

  /// The operator's own meaning; nodes with fused work are left to the compiled library.
  package static let reference: Evaluation = { node, operands, results throws(Diagnostic) in
    try node.op.evaluate(operands, results: results, symbols: [:])
  }
}

/// How far passes go.
package struct PassLimits: Sendable {
  /// The inputs of a fused node: kernels pass a pointer and strides for each, and their arguments
  /// have to fit into the 4 KiB that CUDA grants.
  package var inputs = 24
  /// The results of a fused node.
  package var results = 8
  /// The instructions of a fused expression: longer ones spill registers on every target.
  package var instructions = 192
  /// What a value may cost an element, in operations, to be computed anew for each reader.
  package var recomputedOperations = 4
  /// What folding one node may cost, in element operations of the reference evaluator (about a
  /// tenth of a microsecond each).
  package var foldedOperations = 1 << 18
  /// What folding may cost in one run of the pass.
  package var foldedOperationsInAll = 1 << 22
  /// The bytes of a folded generator; larger ones are cheaper to make than to store.
  package var generatedBytes = 1 << 16
  /// The element types of which the target multiplies two matrices at once; none by default.
  package var pairedTypes: Set<DType> = []
  /// From how many rows on two products of one operand that meet in a pointwise node stay apart.
  package var rowsOfMeetingProducts = 512
  /// The bytes that a layer may read and write for its images to be in the caches when the next one
  /// reads them, where batches are computed in parts; 0 where they are not.
  package var tileBytes = 0
  /// The parts of a batch.
  package var tiles = 16
  /// How often the pipeline starts over while something changes.
  package var rounds = 6

  package init() {}
}
