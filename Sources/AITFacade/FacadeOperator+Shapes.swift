import AITFrontend
import AITGraph
import AITOperators

extension FacadeOperator {
  /// Other shapes and orders of axes for the same elements, and tensors of one value.
  static let shapes: [FacadeOperator] = [
    FacadeOperator(
      "reshape",
      "x under other extents of the same product, one of which may be -1",
      [.tensor("x"), FacadeParameter("shape", .dimensions)]
    ) { (call) throws(Diagnostic) in
      [try reshaped(try call.tensor("x"), try call.dimensions("shape"))]
    },
    FacadeOperator(
      "flatten",
      "The axes from start_dim to end_dim, both included, joined into one",
      attributes: [
        FacadeParameter("start_dim", .integer, default: .integer(0)),
        FacadeParameter("end_dim", .integer, default: .integer(-1)),
      ],
      [.tensor("x")]
    ) { (call) throws(Diagnostic) in
      [
        try call.tensor("x").flatten(
          start: try call.integer("start_dim"),
          end: try call.integer("end_dim")
        )
      ]
    },
    FacadeOperator(
      "squeeze",
      "x without an axis if that has extent 1, or without all such if dim is None",
      attributes: [.integer("dim")],
      [.tensor("x")]
    ) { (call) throws(Diagnostic) in
      let axis = try call.optionalInteger("dim")
      return [try call.tensor("x").squeeze(axes: axis.map { [$0] })]
    },
    FacadeOperator(
      "unsqueeze",
      "x with an axis of extent 1 at a position of the result",
      attributes: [.integer("dim")],
      [.tensor("x")]
    ) { (call) throws(Diagnostic) in
      [try call.tensor("x").unsqueeze(axis: try call.integer("dim"))]
    },
    FacadeOperator(
      "expand",
      "tensor with axes of extent 1 repeated; -1 keeps an extent, new axes come first",
      [
        .tensor("tensor"), FacadeParameter("shape", .dimensions),
        FacadeParameter("index_type", .string, default: .string("int64")),
        .bool("optimize_fixed_dims", true),
      ]
    ) { (call) throws(Diagnostic) in
      let indexType = try call.string("index_type")
      guard indexType == "int64" || indexType == "int32" else {
        throw call.failure(
          .invalidArgument,
          "the index_type '\(indexType)'",
          hint: "'int64' or 'int32'; the kernels decide for themselves"
        )
      }
      return [try call.tensor("tensor").expand(try call.dimensions("shape"))]
    },
    FacadeOperator(
      "full",
      "A tensor of one value",
      [
        FacadeParameter("shape", .dimensions), .number("fill_value"),
        FacadeParameter("dtype", .dtype, default: .string("float16")),
      ]
    ) { (call) throws(Diagnostic) in
      [
        Tensor.full(
          Shape(try call.dimensions("shape")),
          try call.number("fill_value"),
          try call.dtype("dtype")
        )
      ]
    },
    FacadeOperator("identity", "x itself", [.tensor("x")]) { (call) throws(Diagnostic) in
      [
        try built([try call.tensor("x")]) { (graph, x) throws(Diagnostic) in
          try graph.identity(x[0])
        }
      ]
    },
    FacadeOperator(
      "permute",
      "The axes of x in another order: axis i of the result is axis dims[i] of x",
      [.tensor("x"), FacadeParameter("dims", .integers)]
    ) { (call) throws(Diagnostic) in
      [try call.tensor("x").permute(try call.integers("dims"))]
    },
    FacadeOperator(
      "permute021",
      "The last two axes of x exchanged",
      [.tensor("x")]
    ) { (call) throws(Diagnostic) in
      [try call.tensor("x", rank: 3...Int.max).transpose(-2, -1)]
    },
    permutation("permute0213", [0, 2, 1, 3]),
    permutation("permute102", [1, 0, 2]),
    permutation("permute210", [2, 1, 0]),
    FacadeOperator(
      "transpose",
      "Two axes of x exchanged",
      [.tensor("x"), .integer("dim0"), .integer("dim1")]
    ) { (call) throws(Diagnostic) in
      [try call.tensor("x").transpose(try call.integer("dim0"), try call.integer("dim1"))]
    },
  ]

  private static func permutation(_ name: String, _ axes: [Int]) -> FacadeOperator {
    FacadeOperator(name, "The axes of x in the order \(axes)", [.tensor("x")]) {
      (call) throws(Diagnostic) in
      [try call.tensor("x", rank: axes.count...axes.count).permute(axes)]
    }
  }

  /// As AITemplate does, takes what is left for the one extent that is symbolic if the product is
  /// not the same.
  private static func reshaped(_ x: Tensor, _ extents: [Dimension]) throws(Diagnostic) -> Tensor {
    let product = Shape(extents).elementCount
    let symbolic = extents.indices.filter { !extents[$0].isConstant }
    guard !extents.contains(-1), symbolic.count == 1, product != x.shape.elementCount else {
      return x.reshape(extents)
    }
    var open = extents
    open[symbolic[0]] = -1
    return x.reshape(open)
  }
}
