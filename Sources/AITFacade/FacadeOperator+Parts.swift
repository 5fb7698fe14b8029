import AITFrontend
import AITGraph
import AITOperators

extension FacadeOperator {
  /// Joining tensors and cutting them.
  static let parts: [FacadeOperator] = [
    FacadeOperator(
      "concatenate",
      "inputs joined along an axis; those of the shape [0] do not count",
      attributes: [.bool("fast_cat", true)],
      [.tensors("inputs"), FacadeParameter("dim", .integer, default: .integer(0))]
    ) { (call) throws(Diagnostic) in [try joined(call)] },
    FacadeOperator(
      "concatenate_tanh",
      "tanh of inputs joined along an axis",
      [.tensors("inputs"), FacadeParameter("dim", .integer, default: .integer(0))]
    ) { (call) throws(Diagnostic) in [tanh(try joined(call))] },
    FacadeOperator(
      "split",
      "x cut along an axis: into parts of a size, the last of which may be smaller, or of given sizes",
      [
        .tensor("x"), FacadeParameter("split_size_or_sections", .any),
        FacadeParameter("dim", .integer, default: .integer(0)),
      ],
      results: .tuple
    ) { (call) throws(Diagnostic) in
      let (x, axis) = (try call.tensor("x"), try call.integer("dim"))
      guard case .list = call["split_size_or_sections"] else {
        return x.split(size: try call.integer("split_size_or_sections"), axis: axis)
      }
      return x.split(sizes: try call.dimensions("split_size_or_sections"), axis: axis)
    },
    FacadeOperator(
      "chunk",
      "input cut along an axis into a number of parts, the last of which may be smaller",
      [
        .tensor("input"), .integer("chunks"),
        FacadeParameter("dim", .integer, default: .integer(0)),
      ],
      results: .tuple
    ) { (call) throws(Diagnostic) in
      try call.tensor("input").chunk(try call.integer("chunks"), axis: try call.integer("dim"))
    },
    FacadeOperator(
      "dynamic_slice",
      "x from start_indices to end_indices, ends excluded, as Python's slices; None is an end of x",
      [
        .tensor("x"), FacadeParameter("start_indices", .dimensions),
        FacadeParameter("end_indices", .dimensions),
      ]
    ) { (call) throws(Diagnostic) in [try sliced(call)] },
    internalOperator("slice_scatter", attributes: [.integer("scatter_dim")], "concatenate"),
    internalOperator(
      "slice_reshape_scatter",
      attributes: [
        .integer("scatter_dim"),
        FacadeParameter("element_func", .string, default: FacadeParameter.Default.none),
      ],
      "concatenate and reshape"
    ),
    FacadeOperator(
      "fused_elementwise",
      "Functions of single elements joined; AITemplate's passes make it, users cannot",
      attributes: ["elementwise_ops", "inputs", "outputs"].map { FacadeParameter($0, .any) },
      []
    ) { (call) throws(Diagnostic) in
      throw call.failure(
        .unsupportedOperator,
        "an operator that passes make",
        hint: "write elementwise; chains of it are fused"
      )
    },
  ]

  private static func internalOperator(
    _ name: String,
    attributes: [FacadeParameter],
    _ next: String
  ) -> FacadeOperator {
    FacadeOperator(
      name,
      "Slices joined in place; AITemplate's passes make it, users cannot",
      attributes: attributes,
      []
    ) { (call) throws(Diagnostic) in
      throw call.failure(
        .unsupportedOperator,
        "an operator that passes make",
        hint: "write dynamic_slice, then \(next); parts are written in place"
      )
    }
  }

  private static func joined(_ call: FacadeCall) throws(Diagnostic) -> Tensor {
    let inputs = try call.tensors("inputs")
    guard let first = inputs.first else {
      throw call.failure(.wrongInputCount, "no inputs", hint: "give at least one tensor")
    }
    try call.checkOneType(inputs)
    let counting = inputs.filter { $0.shape != [0] }
    guard let reference = counting.first else { return first }
    let axis = try reference.shape.normalizedAxis(try call.integer("dim"))
    var parts: [Tensor] = []
    for part in counting {
      // Other axes may go by other symbols, of which a run checks that they are the same numbers.
      var shape = reference.shape
      if part.rank == shape.rank { shape[axis] = part.extent(axis) }
      parts.append(try matching(part, shape) ?? part)
    }
    return AITFrontend.concatenate(parts, axis: axis)
  }

  private static func sliced(_ call: FacadeCall) throws(Diagnostic) -> Tensor {
    let x = try call.tensor("x")
    let starts = try call.optionalDimensions("start_indices")
    let ends = try call.optionalDimensions("end_indices")
    guard starts.count == x.rank, ends.count == x.rank else {
      throw call.failure(
        .rankMismatch,
        "\(starts.count) starts and \(ends.count) ends for \(x.type)",
        hint: "give one of each for each axis, or None"
      )
    }
    // AITemplate's largest index stands for the end of the axis.
    let ranges = zip(starts, ends).map { start, end in
      SliceRange(start, end == Dimension(Int(Int32.max)) ? nil : end)
    }
    return try built([x]) { (graph, x) throws(Diagnostic) in try graph.slice(x[0], ranges) }
  }
}
