import AITGraph
import AITKernels
import AITPlan

/// Writes `model.cpp`: what a plan does as tables that the runtime reads.
package struct ModelSource {
  private let plan: Plan
  private let symbols: [Symbol]
  private var table = DimensionTable()
  private var writer = CodeWriter()

  /// The text of `model.cpp`.
  package static func text(_ plan: Plan, compiler: String, manifest: String) throws(Diagnostic)
    -> String
  {
    var source = ModelSource(plan)
    return try source.write(compiler: compiler, manifest: manifest)
  }

  /// Folded values that only fold steps read: they last as long as folding does.
  private let foldBuffers: [Int: (number: Int, offset: Dimension)]
  private let foldArenaSize: Int

  private init(_ plan: Plan) {
    self.plan = plan
    symbols = plan.graph.symbols
    let temporaries = plan.folded.indices.filter { !plan.folded[$0].isReadByRuns }
    var buffers = temporaries.map { index in
      let uses = plan.foldSteps.indices.filter { step in
        plan.foldSteps[step].operands.contains { $0.storage == .folded(index) }
      }
      return Plan.Buffer(
        name: plan.folded[index].name,
        sizeInBytes: Dimension(plan.folded[index].sizeInBytes),
        lifetime: (uses.first ?? 0)...(uses.last ?? 0),
        offset: 0
      )
    }
    foldArenaSize = MemoryPlanner.assignOffsets(&buffers).constant ?? 0
    var places: [Int: (number: Int, offset: Dimension)] = [:]
    for (number, index) in temporaries.enumerated() {
      places[index] = (number, buffers[number].offset)
    }
    foldBuffers = places
  }

  private var graph: Graph { plan.graph }

  private mutating func write(compiler: String, manifest: String) throws(Diagnostic) -> String {
    writer.line("// \(graph.name): what the runtime reads of the model. Generated.")
    writer.line("#include \"ait/model_description.h\"")
    writer.line()
    writer.line("#include \"constants.h\"")
    writer.line()
    for kernel in plan.kernels {
      writer.line("extern \"C\" void \(kernel.functionName)(const ait::KernelContext& context);")
    }
    if plan.target.isGPU {
      writer.line()
      writer.line("namespace ait::generated {")
      writer.line("extern const DeviceCode device;")
      writer.line("}  // namespace ait::generated")
    }
    writer.line()
    writer.line("namespace {")
    writer.line()
    writer.line("using ait::DType;")
    writer.line("using ait::Space;")
    writer.line()
    writeSymbols()
    try writeBindings()
    writeTensors("input", graph.inputs.map { ($0, graph[$0].name) })
    writeTensors("output", graph.outputs.map { ($0.value, $0.name) })
    writeSteps("fold", plan.foldSteps)
    writeSteps("run", plan.steps)
    let arenaSize = table.index(plan.arenaSize)
    writeConstraints()
    writeDimensions()
    writeInstructionCheck()
    writeDescription(arenaSize: arenaSize, compiler: compiler, manifest: manifest)
    writer.line()
    writer.line("}  // namespace")
    writer.line()
    writer.line(
      "extern \"C\" const ait::ModelDescription* aitModelDescription() { return &description; }"
    )
    return writer.output
  }

  // MARK: - Parts

  private mutating func array(_ type: String, _ name: String, _ entries: [String]) {
    guard !entries.isEmpty else { return }
    if entries.joined(separator: ", ").count + type.count + name.count < 80 {
      writer.line("const \(type) \(name)[] = {\(entries.joined(separator: ", "))};")
    } else {
      writer.block("const \(type) \(name)[] = {", "};") { writer in
        for entry in entries { writer.line("\(entry),") }
      }
    }
  }

  private func reference(_ name: String, _ isEmpty: Bool) -> String { isEmpty ? "nullptr" : name }

  private mutating func writeSymbols() {
    array(
      "ait::SymbolDescription",
      "symbols",
      symbols.map {
        "{\(Cxx.string($0.name)), \($0.bounds.lowerBound), \($0.bounds.upperBound)}"
      }
    )
  }

  /// For each symbol, the first input axis that is a multiple of it, a plain one if there is.
  private mutating func writeBindings() throws(Diagnostic) {
    var bindings: [String] = []
    for (index, symbol) in symbols.enumerated() {
      var best: (scale: Int, input: Int, axis: Int)?
      for (input, value) in graph.inputs.enumerated() {
        for (axis, extent) in graph[value].type.shape.dimensions.enumerated() {
          guard let scaled = extent.scaledSymbol, scaled.symbol.name == symbol.name,
            scaled.scale > 0
          else { continue }
          if scaled.scale < best?.scale ?? .max { best = (scaled.scale, input, axis) }
        }
      }
      guard let best else {
        throw Diagnostic(
          .conflictingSymbol,
          "symbol '\(symbol.name)' is no extent of an input",
          at: "graph '\(graph.name)'",
          hint: "its value could not be known when the model runs"
        )
      }
      bindings.append("{\(index), \(best.input), \(best.axis), \(best.scale)}")
    }
    array("ait::SymbolBinding", "bindings", bindings)
    bindingCount = bindings.count
  }

  private var bindingCount = 0

  private func dtype(_ dtype: DType) -> String {
    dtype == .bool ? "DType::boolean" : "DType::\(dtype.rawValue)"
  }

  private mutating func writeTensors(_ kind: String, _ tensors: [(ValueID, String)]) {
    var entries: [String] = []
    for (index, (value, name)) in tensors.enumerated() {
      let type = graph[value].type
      let stem = "\(kind)\(index)"
      array("int32_t", "\(stem)Extents", type.shape.dimensions.map { "\(table.index($0))" })
      array("int64_t", "\(stem)Minimum", type.shape.dimensions.map { "\($0.lowerBound)" })
      array("int64_t", "\(stem)Maximum", type.shape.dimensions.map { "\($0.upperBound)" })
      let isScalar = type.rank == 0
      let arrays = ["Extents", "Minimum", "Maximum"].map { reference(stem + $0, isScalar) }
      entries.append(
        "{\(Cxx.string(name)), \(dtype(type.dtype)), \(type.rank), "
          + "\(arrays.joined(separator: ", "))}"
      )
    }
    array("ait::TensorDescription", "\(kind)s", entries)
  }

  private mutating func writeSteps(_ phase: String, _ steps: [Plan.Step]) {
    var entries: [String] = []
    for (index, step) in steps.enumerated() {
      let stem = "\(phase)\(index)"
      let operands = step.operands.map { operand in
        let (space, number, base) = place(operand.storage)
        let offset = base + operand.offsetInBytes
        return "{Space::\(space), \(number), \(offset == 0 ? -1 : table.index(offset))}"
      }
      array("ait::OperandReference", "\(stem)Operands", operands)
      var shapes: [String] = []
      for (position, operand) in step.operands.enumerated() {
        let extents = operand.type.shape.dimensions.map { "\(table.index($0))" }
        array("int32_t", "\(stem)Shape\(position)", extents)
        shapes.append(
          "{\(dtype(operand.type.dtype)), \(extents.count), "
            + "\(reference("\(stem)Shape\(position)", extents.isEmpty))}"
        )
      }
      array("ait::OperandShape", "\(stem)Shapes", shapes)
      array("int32_t", "\(stem)Sizes", step.sizes.map { "\(table.index($0))" })
      let workspace = step.workspace.map { table.index(plan.buffers[$0].offset) } ?? -1
      let fields = [
        Cxx.string(step.name), Cxx.string(step.operation), Cxx.string(step.kernel.functionName),
        step.kernel.functionName, "\(operands.count)", "\(stem)Operands", "\(stem)Shapes",
        "\(step.readCount)", "\(step.sizes.count)",
        reference("\(stem)Sizes", step.sizes.isEmpty), "\(workspace)",
        "\(table.index(step.flops))", "\(table.index(step.bytes))",
      ]
      entries.append("{\(fields.joined(separator: ", "))}")
    }
    array("ait::StepDescription", "\(phase)Steps", entries)
  }

  /// The runtime's space, the number within it, and where a buffer begins.
  private func place(_ storage: Plan.Storage) -> (String, Int, Dimension) {
    switch storage {
    case .input(let index): ("input", index, 0)
    case .output(let index): ("output", index, 0)
    case .constant(let index): ("constant", index, 0)
    case .folded(let index):
      foldBuffers[index].map { ("arena", $0.number, $0.offset) } ?? ("folded", index, 0)
    case .buffer(let index): ("arena", index, plan.buffers[index].offset)
    }
  }

  private mutating func writeConstraints() {
    let entries = plan.sizeConstraints.map { constraint in
      let texts = [
        constraint.node, constraint.subject, constraint.foundText, constraint.boundText,
      ]
      let numbers = [constraint.margin, constraint.found, constraint.bound]
      return "{"
        + (texts.map(Cxx.string) + numbers.map { "\(table.index($0))" }).joined(separator: ", ")
        + "}"
    }
    array("ait::ConstraintDescription", "constraints", entries)
  }

  private mutating func writeDimensions() {
    writer.line()
    writer.text(
      """
      [[maybe_unused]] int64_t floorDivide(int64_t a, int64_t b) {
        const int64_t quotient = a / b;
        return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
      }

      [[maybe_unused]] int64_t modulo(int64_t a, int64_t b) { return a - floorDivide(a, b) * b; }
      [[maybe_unused]] int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
      [[maybe_unused]] int64_t larger(int64_t a, int64_t b) { return a < b ? b : a; }

      """
    )
    let opening =
      "void evaluateDimensions([[maybe_unused]] const int64_t* symbols, int64_t* dimensions) {"
    writer.block(opening) { writer in
      for (index, dimension) in table.dimensions.enumerated() {
        let text = DimensionTable.expression(dimension, symbols: symbols)
        writer.line("dimensions[\(index)] = \(text);")
      }
    }
    writer.line()
  }

  /// The runtime asks before the first kernel runs, which would otherwise end the process.
  private mutating func writeInstructionCheck() {
    let extensions = plan.target.instructionExtensions
    writer.block("const char* missingInstructions() {") { writer in
      for name in extensions {
        writer.line("if (!__builtin_cpu_supports(\"\(name)\")) return \"\(name)\";")
      }
      writer.line("return nullptr;")
    }
    writer.line()
  }

  private mutating func writeDescription(arenaSize: Int, compiler: String, manifest: String) {
    let indent = "      "
    writer.line("const char manifest[] =")
    writer.line("    \(Cxx.longString(manifest, indent: indent));")
    writer.line("const char source[] =")
    writer.line("    \(Cxx.longString(graph.description, indent: indent));")
    writer.line()
    let fields: [(String, String)] = [
      ("name", Cxx.string(graph.name)), ("target", Cxx.string(plan.target.description)),
      ("compiler", Cxx.string(compiler)), ("manifest", "manifest"), ("source", "source"),
      ("symbolCount", "\(symbols.count)"), ("symbols", reference("symbols", symbols.isEmpty)),
      ("bindingCount", "\(bindingCount)"), ("bindings", reference("bindings", bindingCount == 0)),
      ("dimensionCount", "\(table.dimensions.count)"),
      ("evaluateDimensions", "evaluateDimensions"),
      ("constraintCount", "\(plan.sizeConstraints.count)"),
      ("constraints", reference("constraints", plan.sizeConstraints.isEmpty)),
      ("inputCount", "\(graph.inputs.count)"),
      ("inputs", reference("inputs", graph.inputs.isEmpty)),
      ("outputCount", "\(graph.outputs.count)"), ("outputs", "outputs"),
      ("constantCount", "\(plan.constants.count)"),
      ("constants", reference("ait::generated::constants", plan.constants.isEmpty)),
      ("foldedCount", "\(plan.folded.count)"),
      ("folded", reference("ait::generated::folded", plan.folded.isEmpty)),
      ("arenaSize", "\(arenaSize)"), ("arenaBoundInBytes", "\(plan.arenaBoundInBytes)"),
      ("foldArenaSizeInBytes", "\(foldArenaSize)"), ("foldStepCount", "\(plan.foldSteps.count)"),
      ("foldSteps", reference("foldSteps", plan.foldSteps.isEmpty)),
      ("stepCount", "\(plan.steps.count)"), ("steps", reference("runSteps", plan.steps.isEmpty)),
      ("selfTest", "ait::generated::selfTest"),
      ("missingInstructions", "missingInstructions"),
      ("device", plan.target.isGPU ? "&ait::generated::device" : "nullptr"),
    ]
    writer.block("const ait::ModelDescription description = {", "};") { writer in
      for (name, value) in fields { writer.line("/* \(name) = */ \(value),") }
    }
  }
}
