import AITFrontend
import AITGraph

/// One of AITemplate's operators: its name and signature there, and what it means in operators of
/// ours.
///
/// A fused combination is data in our graphs, not an operator of its own: `gemm_rcr_bias_add_relu`
/// is a product, two sums and a function, which passes join again. Layouts are AITemplate's: images
/// are `[N, H, W, C]`, weights of convolutions `[CO, KH, KW, CI]`.
package struct FacadeOperator: Sendable {
  /// What a call returns in Python.
  package enum Results: String, Sendable {
    case tensor, tuple, list
  }

  /// AITemplate's name.
  package let name: String
  /// The documentation: the formula, then what differs from what one might think.
  package let summary: String
  /// The parameters of the constructor, in order.
  package let attributes: [FacadeParameter]
  /// The parameters of the call, in order.
  package let operands: [FacadeParameter]
  package let results: Results
  /// The parameter that, if given, makes a call return its one result and no list.
  package let joiningParameter: String?
  /// Returns the results for arguments.
  package let build: @Sendable (FacadeCall) throws(Diagnostic) -> [Tensor]

  package init(
    _ name: String,
    _ summary: String,
    attributes: [FacadeParameter] = [],
    _ operands: [FacadeParameter],
    results: Results = .tensor,
    joiningParameter: String? = nil,
    build: @escaping @Sendable (FacadeCall) throws(Diagnostic) -> [Tensor]
  ) {
    self.name = name
    self.summary = summary
    self.attributes = attributes
    self.operands = operands
    self.results = results
    self.joiningParameter = joiningParameter
    self.build = build
  }
}

/// All of AITemplate's operators.
package enum FacadeCatalog {
  /// Those of every family, by name.
  package static let operators: [String: FacadeOperator] = Dictionary(
    uniqueKeysWithValues: families.flatMap { $0 }.map { ($0.name, $0) }
  )

  /// The families, each in a file of its own.
  private static let families: [[FacadeOperator]] = [
    FacadeOperator.products,
    FacadeOperator.permutedProducts,
    FacadeOperator.groupedProducts,
    FacadeOperator.batchedProducts,
    FacadeOperator.transposedProducts,
    FacadeOperator.pointwise,
    FacadeOperator.selections,
    FacadeOperator.normalizations,
    FacadeOperator.reductions,
    FacadeOperator.shapes,
    FacadeOperator.parts,
    FacadeOperator.indexing,
    FacadeOperator.paddings,
    FacadeOperator.attention,
    FacadeOperator.backToBack,
    FacadeOperator.jagged,
    FacadeOperator.convolutions,
    FacadeOperator.images,
    FacadeOperator.boxes,
  ]

  /// Returns the results of an operator.
  ///
  /// - Throws: `unknown-operator`, with names that are near; what the arguments have wrong; the first
  ///   fault of the tensors.
  package static func apply(_ name: String, _ arguments: [String: FacadeArgument])
    throws(Diagnostic) -> [Tensor]
  {
    guard let op = operators[name] else {
      let near = Identifier.nearest(to: name, among: operators.keys.sorted())
      throw Diagnostic(
        .unknownOperator,
        "'\(name)' is none of AITemplate's operators",
        hint: near.isEmpty ? nil : "did you mean \(near.joined(separator: ", "))?"
      )
    }
    let results = try op.build(try FacadeCall(op, arguments))
    if let diagnostic = results.lazy.compactMap(\.diagnostic).first { throw diagnostic }
    return results
  }
}
