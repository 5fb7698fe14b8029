import AITFrontend
import AITGraph
import AITKernels
import AITLoader
import AITWeights

/// Compiles the graph that leads to an output and loads the library.
///
/// ```swift
/// let module = try await compile(y, for: .detected(), in: "tmp", named: "simple_model_demo",
///   constants: weights.mapped(to: model))
/// let result = try module.run(["X": input])
/// ```
///
/// - Parameters:
///   - output: What the model computes; `named("Y")` gives it its name.
///   - target: The instruction set; that of this machine by default.
///   - workDirectory: The folder for sources and library, which end in a folder of the model's name.
///   - name: The model's name.
///   - constants: Values of parameters, by dotted name. Those without a value, here or of their own,
///     are set at run time by `CompiledModule.setConstants`.
///   - options: How to compile.
/// - Returns: The model, loaded.
/// - Throws: The first fault found while the graph was built, with the line that made it; shapes,
///   weights or files that do not fit; a missing compiler.
public func compile(
  _ output: Tensor,
  for target: Target = .detected(),
  in workDirectory: String = "tmp",
  named name: String,
  constants: [String: TensorData] = [:],
  options: CompilerOptions = CompilerOptions()
) async throws(Diagnostic) -> CompiledModule {
  try await compile(
    [output],
    for: target,
    in: workDirectory,
    named: name,
    constants: constants,
    options: options
  )
}

/// Compiles the graph that leads to several outputs and loads the library.
///
/// - Parameters:
///   - outputs: What the model computes, in the order of the library's outputs.
///   - target: The instruction set; that of this machine by default.
///   - workDirectory: The folder for sources and library, which end in a folder of the model's name.
///   - name: The model's name.
///   - constants: Values of parameters, by dotted name.
///   - options: How to compile.
/// - Returns: The model, loaded.
/// - Throws: As for one output.
public func compile(
  _ outputs: [Tensor],
  for target: Target = .detected(),
  in workDirectory: String = "tmp",
  named name: String,
  constants: [String: TensorData] = [:],
  options: CompilerOptions = CompilerOptions()
) async throws(Diagnostic) -> CompiledModule {
  let graph = try graph(of: outputs, named: name, constants: constants)
  let result = try await Compiler(target: target, options: options).compile(
    graph,
    in: workDirectory
  )
  return try CompiledModule(contentsOf: result.library)
}

/// The target that this machine is.
public func detectTarget() -> Target { .detected() }

/// Python-like lines of the graph that leads to outputs, in order of execution, with shapes.
///
/// - Parameters:
///   - outputs: What the model computes.
///   - optimized: Whether the passes have run: what was fused stands on one line.
///   - target: What the graph is optimised for.
/// - Returns: One line for each node.
/// - Throws: The first fault found while the graph was built.
public func pseudoCode(
  of outputs: Tensor...,
  optimized: Bool = false,
  for target: Target = .detected()
) throws(Diagnostic) -> String {
  let graph = try graph(of: outputs, named: "graph", constants: [:])
  guard optimized else { return graph.pseudoCode() }
  return try Compiler(target: target).optimize(graph).pseudoCode()
}

private func graph(of outputs: [Tensor], named name: String, constants: [String: TensorData])
  throws(Diagnostic) -> Graph
{
  var graph = try Graph(name: Identifier.make(name), outputs: outputs)
  let known = graph.parameters.map(\.name)
  for name in constants.keys.sorted() where !known.contains(name) {
    let near = Identifier.nearest(to: name, among: known)
    throw Diagnostic(
      .weightMismatch,
      "the model has no parameter '\(name)'",
      at: "constants",
      hint: near.isEmpty
        ? "its parameters are \(known.prefix(8).joined(separator: ", "))"
        : "did you mean \(near.joined(separator: ", "))?"
    )
  }
  try graph.bindConstants(constants)
  return graph
}

extension PyTorchWeights {
  /// The weights by the names of a model's parameters, converted to their types.
  ///
  /// - Parameters:
  ///   - model: A model that has been called, so that its parameters have types.
  ///   - options: How names are matched and what is forgiven.
  /// - Returns: A tensor for each parameter, by its dotted name.
  /// - Throws: `weightMismatch` with everything that is missing, unexpected or mis-shaped.
  public func mapped(
    to model: Module,
    options: WeightMapping.Options = WeightMapping.Options()
  ) throws(Diagnostic) -> [String: TensorData] {
    try weights.mapped(to: model, options: options)
  }
}

extension Weights {
  /// The weights by the names of a model's parameters, converted to their types.
  ///
  /// - Parameters:
  ///   - model: A model that has been called, so that its parameters have types.
  ///   - options: How names are matched and what is forgiven.
  /// - Returns: A tensor for each parameter, by its dotted name.
  /// - Throws: `weightMismatch` with everything that is missing, unexpected or mis-shaped.
  public func mapped(
    to model: Module,
    options: WeightMapping.Options = WeightMapping.Options()
  ) throws(Diagnostic) -> [String: TensorData] {
    try WeightMapping(self, to: model.expectedParameters, options: options).tensors
  }
}
