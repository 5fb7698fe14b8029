/// What a node's operator itself reads and makes: its types without the fused work around it.
package struct OperatorSignature {
  /// The types of the operator's operands; a prologue makes the first.
  package let operands: [TensorType]
  /// The types of the operator's results, before an epilogue.
  package let results: [TensorType]
  /// The type of the prologue's value, if the node exposes it.
  let exposed: TensorType?
  /// The types of the inputs of the epilogue beside the result.
  let extras: [TensorType]

  /// Infers the types; throws if the inputs do not fit the operator or its fused work.
  package init(_ op: any Operator, _ inputs: [TensorType], _ fusion: Fusion) throws(Diagnostic) {
    let joined = fusion.joinedResults
    guard
      fusion.epilogue.map({ joined > 0 && $0.inputTypes.count >= joined && !$0.results.isEmpty })
        ?? true
    else {
      throw Diagnostic(
        .malformedGraph,
        "an epilogue has an input for the operator's result, and a result"
      )
    }
    guard fusion.prologue != nil || !fusion.exposesPrologue else {
      throw Diagnostic(.malformedGraph, "a prologue is exposed, but there is none")
    }
    guard inputs.count >= fusion.epilogueInputCount + (fusion.prologueInputCount ?? 0) else {
      throw Diagnostic(.wrongInputCount, "\(inputs.count) inputs are too few for the fused work")
    }
    var operands = inputs
    var exposed: TensorType?
    extras = Array(operands.suffix(fusion.epilogueInputCount))
    operands.removeLast(extras.count)
    if let prologue = fusion.prologue {
      let sources = Array(operands.prefix(prologue.inputTypes.count))
      try prologue.checkInputs(sources, "prologue")
      guard prologue.results.count == 1 else {
        throw Diagnostic(
          .malformedGraph,
          "a prologue has one result, found \(prologue.results.count)"
        )
      }
      let shape = try Shape.broadcasting(sources.map(\.shape))
      let made = TensorType(prologue.resultTypes[0], shape)
      operands.replaceSubrange(0..<sources.count, with: [made])
      exposed = fusion.exposesPrologue ? made : nil
    }
    self.operands = operands
    self.exposed = exposed
    results = try op.inferTypes(operands)
    for constraint in op.sizeConstraints(operands, results: results) { try constraint.verify() }
  }
}

extension Graph {
  /// The types of a node's outputs, fused work included.
  package static func inferTypes(
    _ op: any Operator,
    _ inputs: [TensorType],
    _ fusion: Fusion
  ) throws(Diagnostic) -> [TensorType] {
    let signature = try OperatorSignature(op, inputs, fusion)
    var results = signature.results
    if let epilogue = fusion.epilogue {
      let shape = results[0].shape
      guard results.count == fusion.joinedResults, results.allSatisfy({ $0.shape == shape }) else {
        throw Diagnostic(
          .malformedGraph,
          "an epilogue starts from \(fusion.joinedResults) results of one shape, found \(results)"
        )
      }
      try epilogue.checkInputs(results + signature.extras, "epilogue")
      for extra in signature.extras where try Shape.broadcasting([shape, extra.shape]) != shape {
        throw Diagnostic(
          .shapeMismatch,
          "the epilogue's input \(extra) does not broadcast to \(shape)"
        )
      }
      results = epilogue.resultTypes.map { TensorType($0, shape) }
    }
    return results + (signature.exposed.map { [$0] } ?? [])
  }
}

extension ScalarExpression {
  fileprivate func checkInputs(_ found: [TensorType], _ part: String) throws(Diagnostic) {
    guard found.map(\.dtype) == inputTypes else {
      throw Diagnostic(
        .dtypeMismatch,
        "the \(part) takes \(inputTypes.map(\.rawValue)), found \(found.map(\.dtype.rawValue))"
      )
    }
  }
}
