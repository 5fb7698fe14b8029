import AITGraph

/// What one run of a pass did.
package struct PassRecord: Sendable {
  /// The pass.
  package let name: String
  /// Which turn of the pipeline, from 1.
  package let round: Int
  package let duration: Duration
  /// The number of edits of the graph; 0 if the pass found nothing to do.
  package let changes: Int
  /// The number of nodes it left.
  package let nodeCount: Int
}

/// What is watched while passes run: off in ordinary compilations, on in tests.
package struct PassInstruments: Sendable {
  /// Whether the graph is verified after each pass that changed it.
  package var verifies = false
  /// Is called after each pass that changed the graph, for dumps.
  package var dump: (@Sendable (_ record: PassRecord, _ graph: Graph) -> Void)?
  /// Is called after each pass that changed the graph, and throws if the graph computes anything
  /// else than it should.
  package var check: (@Sendable (_ pass: String, _ graph: Graph) throws(Diagnostic) -> Void)?

  package init() {}

  /// Runs a pass under the instruments.
  func run(
    _ pass: any GraphPass,
    on graph: inout Graph,
    in context: PassContext,
    round: Int
  ) throws(Diagnostic) -> PassRecord {
    let name = type(of: pass).name
    let edits = graph.editCount
    let clock = ContinuousClock()
    let start = clock.now
    do throws(Diagnostic) {
      try pass.run(on: &graph, in: context)
    } catch { throw error.located(at: "pass \(name)") }
    let record = PassRecord(
      name: name,
      round: round,
      duration: clock.now - start,
      changes: graph.editCount - edits,
      nodeCount: graph.nodeCount
    )
    guard record.changes > 0 else { return record }
    dump?(record, graph)
    if verifies {
      do throws(Diagnostic) {
        try graph.verify()
      } catch {
        throw Diagnostic(
          .internalInconsistency,
          "pass \(name) left an illegal graph: \(error.message)",
          at: error.location
        )
      }
    }
    try check?(name, graph)
    return record
  }
}
