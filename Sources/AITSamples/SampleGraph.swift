import AITGraph
import AITOperators

/// A small program that tests run through every stage.
package struct SampleGraph: Sendable, CustomStringConvertible {
  /// A name in snake case.
  package let name: String
  private let build: @Sendable (inout Graph) throws(Diagnostic) -> Void

  init(_ name: String, _ build: @escaping @Sendable (inout Graph) throws(Diagnostic) -> Void) {
    self.name = name
    self.build = build
  }

  package var description: String { name }

  /// The graph, verified.
  package func graph() throws(Diagnostic) -> Graph {
    var graph = Graph(name: name)
    try build(&graph)
    try graph.verify()
    return graph
  }

  /// All samples.
  package static let all: [SampleGraph] =
    networks + attention + normalizations + movements + details

  /// The sample of a name.
  package static func named(_ name: String) -> SampleGraph? { all.first { $0.name == name } }
}

extension Graph {
  /// A linear layer whose weight and bias are named constants without data.
  mutating func layer(
    _ x: ValueID,
    _ outputs: Int,
    _ name: String,
    hasBias: Bool = true
  ) throws(Diagnostic) -> ValueID {
    let type = self[x].type
    let inputs = type.shape[type.rank - 1]
    let weight = try addConstant(
      "\(name)_weight",
      TensorType(type.dtype, [Dimension(outputs), inputs]),
      originalName: "\(name).weight"
    )
    let bias =
      hasBias
      ? try addConstant(
        "\(name)_bias",
        TensorType(type.dtype, [Dimension(outputs)]),
        originalName: "\(name).bias"
      )
      : nil
    return try linear(x, weight, bias: bias, name: name)
  }

  /// A layer normalisation whose weight and bias are named constants without data.
  mutating func normalized(_ x: ValueID, _ name: String) throws(Diagnostic) -> ValueID {
    let type = self[x].type
    let parameter = TensorType(type.dtype, [type.shape[type.rank - 1]])
    let weight = try addConstant("\(name)_weight", parameter, originalName: "\(name).weight")
    let bias = try addConstant("\(name)_bias", parameter, originalName: "\(name).bias")
    return try layerNorm(x, weight: weight, bias: bias, name: name)
  }

  /// Splits `[B, S, D]` into heads: `[B, heads, S, D / heads]`.
  mutating func heads(_ x: ValueID, _ count: Int, _ name: String) throws(Diagnostic) -> ValueID {
    let split = try unflatten(x, axis: 2, [Dimension(count), -1], name: "\(name)_split")
    return try permute(split, [0, 2, 1, 3], name: "\(name)_heads")
  }
}
