import AITGraph

/// The passes in order, each with the reason for its place.
package struct Pipeline: Sendable {
  /// What runs, in order, as long as something changes.
  package var passes: [any GraphPass]
  /// What runs once on the graph that they leave.
  package var finalPasses: [any GraphPass]

  package init(_ passes: [any GraphPass], finally finalPasses: [any GraphPass] = []) {
    self.passes = passes
    self.finalPasses = finalPasses
  }

  /// The passes of an ordinary compilation.
  package static let standard = Pipeline(
    repeated,
    finally: [
      // What the parts of a batch go through is copied as it is, all alike.
      BatchTiling()
    ]
  )

  private static let repeated: [any GraphPass] = [
    // Where a target lacks the operator, its parts are a program like any other.
    AttentionDecomposition(),
    // While convolutions stand alone.
    PatchRecognition(),
    // First of all: expressions take in scalars, so that the rules on `x · 1` can see the 1.
    ScalarInlining(),
    // Before anything that matches patterns: what does nothing hides what does something.
    IdentityRemoval(),
    // Before merging duplicates: fewer nodes to compare, and literals fold to equal ones.
    ConstantFolding(),
    // What nothing reads keeps others from being fused; the next round removes what fusion left.
    DeadCodeElimination(),
    // Before the recognition of patterns, which ask whether two terms are the same value.
    CommonSubexpressionElimination(),
    // After duplicates are merged: two views of one value that differ are two reads.
    ViewSimplification(),
    ConcatSimplification(),
    // Before pointwise fusion: norms and softmax are cut out of the pointwise work around them.
    NormalizationRecognition(),
    SoftmaxRecognition(),
    // After views are composed: one permute is left before a product.
    TransposeAbsorption(),
    // After permutes are flags: a factor looks for its product through views. Before products are
    // merged, which asks that all of them end alike.
    ScaleMotion(),
    // After scales stand behind products, and while scores and weights are values of their own.
    AttentionRecognition(),
    // After masks are folded, and attention has been found.
    AttentionMaskFolding(),
    // After attention, whose pattern has permutes of heads: products read rows as they lie.
    RowMotion(),
    // Before pointwise work is fused: what has a permute in between is not put together.
    PermuteMotion(),
    PointwiseFusion(),
    // After transposes are flags, which must agree, and after what products end in is one node;
    // before their weights are joined.
    MatMulPairing(),
    // After the same; before epilogues take the node that products end in.
    MatMulMerging(),
    // After fusion: `x · sigmoid(x)` is in one expression only now.
    ActivationRecognition(),
    // Before prologues: a sum is cheapest where its product is in registers.
    EpilogueFusion(),
    // After epilogues, where what follows a product stands in one place. What it leaves for
    // constants is fused in the next round.
    AffineFolding(),
    PrologueFusion(),
    // After epilogues and prologues, which take one pointwise node each, not two merged ones.
    SiblingFusion(),
  ]

  /// The names, in order, as `--emit=graph-after=` takes them.
  package var names: [String] { (passes + finalPasses).map { type(of: $0).name } }

  /// Returns the pipeline without the passes of the given names.
  package func without(_ names: Set<String>) -> Pipeline {
    func kept(_ passes: [any GraphPass]) -> [any GraphPass] {
      passes.filter { !names.contains(type(of: $0).name) }
    }
    return Pipeline(kept(passes), finally: kept(finalPasses))
  }

  /// Runs the passes in order, and all of them again while they still change something: a fused
  /// node may be equal to another, a removed reader may free a value to be fused.
  ///
  /// With `last`, stops after that pass has run once; it must be one of the names.
  @discardableResult
  package func run(
    on graph: inout Graph,
    in context: PassContext = PassContext(),
    stoppingAfter last: String? = nil
  ) throws(Diagnostic) -> [PassRecord] {
    if let last, !names.contains(last) {
      let near = Identifier.nearest(to: last, among: names)
      throw Diagnostic(
        .invalidOption,
        "'\(last)' is not a pass",
        hint: "one of \((near.isEmpty ? names : near).joined(separator: ", "))"
      )
    }
    var records: [PassRecord] = []
    var round = 0
    /// Whether to go on behind the passes.
    func runOnce(_ passes: [any GraphPass]) throws(Diagnostic) -> Bool {
      for pass in passes {
        records.append(try context.instruments.run(pass, on: &graph, in: context, round: round))
        if type(of: pass).name == last { return false }
      }
      return true
    }
    var before: Int
    repeat {
      round += 1
      before = graph.editCount
      guard try runOnce(passes) else { return records }
    } while graph.editCount != before && round < context.limits.rounds
    _ = try runOnce(finalPasses)
    return records
  }
}
