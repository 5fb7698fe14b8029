import AITGraph
import AITKernels
import AITOperators

/// Makes a plan of a graph: places values, asks the backend for kernels, assigns memory.
package struct Planner {
  private let graph: Graph
  private let backend: any Backend
  private let sizeConstraints: [SizeConstraint]
  private let placements: Placements
  private var foldedIndex: [FoldedKey: Int] = [:]
  private var folded: [Plan.Folded] = []
  private var foldSteps: [Plan.Step] = []
  private var steps: [Plan.Step] = []
  private var bufferIndex: [ValueID: Int] = [:]
  private var buffers: [Plan.Buffer] = []
  private var mayAlias: [(step: Int, read: Int, written: Int)] = []

  private enum FoldedKey: Hashable {
    case value(ValueID)
    case packed(Plan.Operand, KernelCall.Packing)
  }

  /// Plans a graph for a backend's target.
  ///
  /// A run checks what the graph asks of sizes, after what the program before the passes asked: what
  /// they removed or composed must not be accepted where the program is not.
  ///
  /// Throws `unsupportedOperator` if the target has no kernel for a node.
  package static func plan(
    _ graph: Graph,
    for backend: any Backend,
    asked constraints: [SizeConstraint] = []
  ) throws(Diagnostic) -> Plan {
    let margins = Set(constraints.map(\.margin))
    let own = try graph.sizeConstraints().filter { !margins.contains($0.margin) }
    var planner = Planner(graph, backend, constraints + own)
    return try planner.run()
  }

  private init(_ graph: Graph, _ backend: any Backend, _ sizeConstraints: [SizeConstraint]) {
    self.graph = graph
    self.backend = backend
    self.sizeConstraints = sizeConstraints
    placements = Placements(graph)
  }

  private mutating func run() throws(Diagnostic) -> Plan {
    for id in graph.sortedNodes() { try lower(id) }
    for index in placements.copiedOutputs.sorted() { try copyOutput(index) }
    assignLifetimes()
    mergeInPlace()
    let arenaSize = MemoryPlanner.assignOffsets(&buffers)
    let plan = Plan(
      graph: graph,
      target: backend.target,
      numerics: backend.numerics,
      constants: describeConstants(),
      folded: folded,
      foldSteps: foldSteps,
      steps: steps,
      buffers: buffers,
      arenaSize: arenaSize,
      sizeConstraints: sizeConstraints
    )
    let symbols = graph.symbols
    let sizes = [symbols.values(\.bounds.upperBound), symbols.values(\.bounds.lowerBound)]
    // No run has sizes that a constraint refuses.
    for each in sizes
    where sizeConstraints.allSatisfy({ $0.margin.evaluate(each).map { $0 >= 0 } ?? true }) {
      try plan.verify(symbols: each)
    }
    return plan
  }

  // MARK: - Lowering

  private mutating func lower(_ id: NodeID) throws(Diagnostic) {
    let node = graph[id]
    let isCopy = placements.copyingViews.contains(id)
    if node.op is any ViewOperator && !isCopy { return }
    if isCopy {
      // The elements in the operand's order are the result's in its own: copy under its extents.
      let source = context(node.inputs[0])
      let target = NodeContext.Operand(
        type: source.type,
        layout: Layout(rowMajor: source.type.shape)
      )
      try emit(
        copy(node.name, from: source, to: target),
        [node.inputs[0]],
        [node.outputs[0]],
        operation: type(of: node.op).name,
        isFolded: placements.isFolded.contains(node.outputs[0])
      )
      return
    }
    if let concat = node.op as? Concat, node.fusion.isEmpty {
      try lower(concat, node, id)
      return
    }
    let nodeContext = NodeContext(
      name: node.name,
      op: node.op,
      fusion: node.fusion,
      inputs: node.inputs.map { context($0) },
      outputs: node.outputs.map { context($0) }
    )
    try emit(
      nodeContext,
      node.inputs,
      node.outputs,
      operation: type(of: node.op).name,
      isFolded: node.outputs.contains { placements.isFolded.contains($0) }
    )
  }

  /// Copies the parts that are not written in place.
  private mutating func lower(_ concat: Concat, _ node: Graph.Node, _ id: NodeID)
    throws(Diagnostic)
  {
    let whole = context(node.outputs[0])
    var start: Dimension = 0
    for (position, input) in node.inputs.enumerated() {
      let source = context(input)
      var layout = whole.layout
      layout.offset = layout.offset + start * layout.strides[concat.axis]
      start = start + source.type.shape[concat.axis]
      if placements.inPlaceParts.contains(.init(node: id, position: position)) { continue }
      let part = NodeContext.Operand(type: source.type, layout: layout)
      try emit(
        copy("\(node.name)_part\(position)", from: source, to: part),
        [input],
        [node.outputs[0]],
        operation: Concat.name,
        isFolded: placements.isFolded.contains(node.outputs[0])
      )
    }
  }

  private mutating func copyOutput(_ index: Int) throws(Diagnostic) {
    let output = graph.outputs[index]
    let source = context(output.value)
    let target = NodeContext.Operand(
      type: source.type,
      layout: Layout(rowMajor: source.type.shape)
    )
    let calls = try backend.lower(copy("\(output.name)_copy", from: source, to: target))
    for call in calls {
      var step = makeStep(call, "\(output.name)_copy", Identity.name)
      step.operands = try call.operands.map { (operand) throws(Diagnostic) -> Plan.Operand in
        switch operand {
        case .input(_, let offset): try self.operand(output.value, source, offset, isFolded: false)
        case .output(_, let offset):
          Plan.Operand(
            storage: .output(index),
            offsetInBytes: offset * Dimension(source.type.dtype.sizeInBytes),
            type: source.type,
            name: output.name
          )
        case .packed: throw inconsistent("a copy packs its operand")
        }
      }
      step.bytes = traffic(step.operands)
      steps.append(step)
    }
  }

  private func copy(
    _ name: String,
    from source: NodeContext.Operand,
    to target: NodeContext.Operand
  )
    -> NodeContext
  {
    NodeContext(
      name: name,
      op: Pointwise(.identity([source.type.dtype])),
      inputs: [source],
      outputs: [target]
    )
  }

  private mutating func emit(
    _ context: NodeContext,
    _ inputs: [ValueID],
    _ outputs: [ValueID],
    operation: String,
    isFolded: Bool
  ) throws(Diagnostic) {
    let calls = try backend.lower(context)
    for (index, call) in calls.enumerated() {
      let name = calls.count == 1 ? context.name : "\(context.name)_\(index)"
      var step = makeStep(call, name, operation)
      step.operands = try call.operands.map { (operand) throws(Diagnostic) -> Plan.Operand in
        switch operand {
        case .input(let position, let offset):
          try self.operand(inputs[position], context.inputs[position], offset, isFolded: isFolded)
        case .output(let position, let offset):
          try self.operand(outputs[position], context.outputs[position], offset, isFolded: isFolded)
        case .packed(let position, let packing):
          try packed(inputs[position], context.inputs[position], packing)
        }
      }
      step.bytes = traffic(step.operands)
      if isFolded {
        guard call.workspaceInBytes == 0 else {
          throw inconsistent("fold step '\(name)' asks for a workspace")
        }
        foldSteps.append(step)
        continue
      }
      if call.workspaceInBytes != 0 {
        step.workspace = buffers.count
        buffers.append(
          Plan.Buffer(
            name: "\(name)_workspace",
            sizeInBytes: call.workspaceInBytes,
            lifetime: steps.count...steps.count,
            offset: 0
          )
        )
      }
      for pair in call.inPlacePairs {
        mayAlias.append((steps.count, pair.read, pair.written))
      }
      steps.append(step)
    }
  }

  private func makeStep(_ call: KernelCall, _ name: String, _ operation: String) -> Plan.Step {
    var step = Plan.Step(
      name: name,
      operation: operation,
      kernel: call.kernel,
      operands: [],
      readCount: call.readCount,
      sizes: call.sizes,
      workspace: nil,
      flops: call.flops,
      bytes: 0,
      estimatedSeconds: call.estimatedSeconds
    )
    step.choices = call.choices
    step.problems = call.problems
    return step
  }

  /// Each element that an operand names, once: a broadcast operand is read from memory once.
  private func traffic(_ operands: [Plan.Operand]) -> Dimension {
    operands.reduce(0) { $0 + $1.type.sizeInBytes }
  }

  private func inconsistent(_ message: String) -> Diagnostic {
    Diagnostic(.internalInconsistency, message, at: "plan of '\(graph.name)'")
  }

  // MARK: - Operands

  private func context(_ value: ValueID) -> NodeContext.Operand {
    let type = graph[value].type
    let placement = placements.byValue[value]
    let isConstant = graph.constant(value) != nil || placements.isFolded.contains(value)
    return NodeContext.Operand(
      type: type,
      layout: placement?.layout ?? Layout(rowMajor: type.shape),
      isConstant: isConstant
    )
  }

  private mutating func operand(
    _ value: ValueID,
    _ context: NodeContext.Operand,
    _ offset: Dimension,
    isFolded: Bool
  ) throws(Diagnostic) -> Plan.Operand {
    guard let placement = placements.byValue[value] else {
      throw inconsistent("'\(graph[value].name)' has no place")
    }
    let storage: Plan.Storage =
      switch placement.root {
      case .input(let index): .input(index)
      case .constant(let index): .constant(index)
      case .output(let index): .output(index)
      case .made(let made):
        placements.isFolded.contains(made)
          ? .folded(foldedSlot(.value(made), graph[made].name, graph[made].type))
          : .buffer(bufferSlot(made))
      }
    return Plan.Operand(
      storage: storage,
      offsetInBytes: (context.layout.offset + offset)
        * Dimension(context.type.dtype.sizeInBytes),
      type: context.type,
      name: graph[value].name
    )
  }

  private mutating func foldedSlot(_ key: FoldedKey, _ name: String, _ type: TensorType) -> Int {
    if let slot = foldedIndex[key] { return slot }
    let size =
      if case .packed(_, let packing) = key { packing.sizeInBytes } else {
        type.sizeInBytes.constant ?? 0
      }
    foldedIndex[key] = folded.count
    folded.append(
      Plan.Folded(name: name, sizeInBytes: size, isReadByRuns: false, sources: [])
    )
    return folded.count - 1
  }

  private mutating func bufferSlot(_ value: ValueID) -> Int {
    if let slot = bufferIndex[value] { return slot }
    bufferIndex[value] = buffers.count
    buffers.append(
      Plan.Buffer(
        name: graph[value].name,
        sizeInBytes: graph[value].type.sizeInBytes,
        lifetime: steps.count...steps.count,
        offset: 0
      )
    )
    return buffers.count - 1
  }

  private mutating func packed(
    _ value: ValueID,
    _ context: NodeContext.Operand,
    _ packing: KernelCall.Packing
  ) throws(Diagnostic) -> Plan.Operand {
    guard context.isConstant else {
      throw inconsistent("'\(graph[value].name)' is packed but changes from run to run")
    }
    let source = try operand(value, context, 0, isFolded: true)
    let key = FoldedKey.packed(source, packing)
    let isNew = foldedIndex[key] == nil
    let type = TensorType(
      packing.dtype,
      [Dimension(packing.sizeInBytes / packing.dtype.sizeInBytes)]
    )
    let slot = foldedSlot(key, "\(source.name)_packed", type)
    let target = Plan.Operand(
      storage: .folded(slot),
      offsetInBytes: 0,
      type: type,
      name: folded[slot].name
    )
    if isNew {
      foldSteps.append(
        Plan.Step(
          name: folded[slot].name,
          operation: "pack",
          kernel: packing.kernel,
          operands: [source, target],
          readCount: 1,
          sizes: packing.sizes,
          workspace: nil,
          flops: 0,
          bytes: traffic([source, target]),
          estimatedSeconds: nil
        )
      )
    }
    return target
  }

  // MARK: - Memory

  private mutating func assignLifetimes() {
    var lifetimes: [Int: ClosedRange<Int>] = [:]
    func use(_ buffer: Int, at step: Int) {
      lifetimes[buffer] = (lifetimes[buffer]?.lowerBound ?? step)...step
    }
    for (index, step) in steps.enumerated() {
      if let workspace = step.workspace { use(workspace, at: index) }
      for operand in step.operands {
        if case .buffer(let buffer) = operand.storage { use(buffer, at: index) }
      }
    }
    for (buffer, lifetime) in lifetimes { buffers[buffer].lifetime = lifetime }
  }

  /// Lets a result take the memory of an operand that dies where the result is made.
  private mutating func mergeInPlace() {
    for alias in mayAlias {
      let read = steps[alias.step].operands[alias.read]
      let written = steps[alias.step].operands[alias.written]
      guard case .buffer(let source) = read.storage, case .buffer(let target) = written.storage,
        source != target, read.offsetInBytes == 0, written.offsetInBytes == 0,
        buffers[source].sizeInBytes == buffers[target].sizeInBytes,
        read.type.sizeInBytes == buffers[source].sizeInBytes,
        buffers[source].lifetime.upperBound == alias.step,
        buffers[target].lifetime.lowerBound == alias.step,
        !steps[alias.step].operands.enumerated().contains(where: { index, other in
          index != alias.read && other.storage == read.storage
        })
      else { continue }
      replaceBuffer(target, with: source)
    }
    removeUnusedBuffers()
  }

  private mutating func replaceBuffer(_ old: Int, with new: Int) {
    let (first, last) = (buffers[new].lifetime, buffers[old].lifetime)
    buffers[new].lifetime = first.lowerBound...Swift.max(first.upperBound, last.upperBound)
    for step in last {
      for index in steps[step].operands.indices
      where steps[step].operands[index].storage == .buffer(old) {
        steps[step].operands[index].storage = .buffer(new)
      }
    }
  }

  private mutating func removeUnusedBuffers() {
    var used: Set<Int> = []
    for step in steps {
      if let workspace = step.workspace { used.insert(workspace) }
      for operand in step.operands {
        if case .buffer(let index) = operand.storage { used.insert(index) }
      }
    }
    let kept = used.sorted()
    let mapping = Dictionary(
      uniqueKeysWithValues: kept.enumerated().map { ($0.element, $0.offset) }
    )
    buffers = kept.map { buffers[$0] }
    for step in steps.indices {
      steps[step].workspace = steps[step].workspace.flatMap { mapping[$0] }
      for index in steps[step].operands.indices {
        if case .buffer(let old) = steps[step].operands[index].storage, let new = mapping[old] {
          steps[step].operands[index].storage = .buffer(new)
        }
      }
    }
  }

  // MARK: - Constants

  private mutating func describeConstants() -> [Plan.Constant] {
    var sources: [Int: Set<Int>] = [:]
    for step in foldSteps {
      var from: Set<Int> = []
      for operand in step.operands.prefix(step.readCount) {
        switch operand.storage {
        case .constant(let index): from.insert(index)
        case .folded(let index): from.formUnion(sources[index] ?? [])
        default: break
        }
      }
      for operand in step.operands.dropFirst(step.readCount) {
        if case .folded(let index) = operand.storage { sources[index, default: []].formUnion(from) }
      }
    }
    func read(by steps: [Plan.Step]) -> Set<Plan.Storage> {
      Set(steps.flatMap { $0.operands.prefix($0.readCount).map(\.storage) })
    }
    let (readByRuns, readByFolding) = (read(by: steps), read(by: foldSteps))
    for index in folded.indices {
      folded[index].isReadByRuns = readByRuns.contains(.folded(index))
      folded[index].sources = sources[index] ?? []
    }
    return graph.constants.enumerated().compactMap { index, value in
      guard let constant = graph.constant(value) else { return nil }
      return Plan.Constant(
        value: value,
        name: graph[value].name,
        constant: constant,
        type: graph[value].type,
        isReadByRuns: readByRuns.contains(.constant(index)),
        isFoldingInput: readByFolding.contains(.constant(index))
      )
    }
  }
}

extension [Symbol] {
  /// One value for each symbol, by name.
  fileprivate func values(_ choose: (Symbol) -> Int) -> [String: Int] {
    Dictionary(map { ($0.name, choose($0)) }) { first, _ in first }
  }
}
