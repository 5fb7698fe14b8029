import AITGraph
import AITOperators

/// Where the elements of a value lie.
struct Placement {
  /// A piece of memory, before it is known what kind of storage holds it.
  enum Root: Hashable {
    case input(Int)
    case constant(Int)
    case output(Int)
    /// Made for a value of the graph; folded if that value depends on constants alone.
    case made(ValueID)
  }

  var root: Root
  var layout: Layout
}

/// Decides for every value where it lies: which are views of others, which parts are written in
/// place into a concatenation, which results go straight to the user's output.
///
/// Invariant: two values share memory only if one is a view of the other or both are parts of one
/// concatenation, which do not overlap.
struct Placements {
  private let graph: Graph
  private(set) var byValue: [ValueID: Placement] = [:]
  /// Values made by nodes from constants alone.
  private(set) var isFolded: Set<ValueID> = []
  /// View nodes that need a copy, because no layout describes their result.
  private(set) var copyingViews: Set<NodeID> = []
  /// Inputs of concatenations that are written in place, by node and position.
  private(set) var inPlaceParts: Set<Part> = []
  /// Outputs that another value's kernel does not write: they need a copy.
  private(set) var copiedOutputs: Set<Int> = []

  struct Part: Hashable {
    let node: NodeID
    let position: Int
  }

  private var targets: [ValueID: Placement] = [:]

  init(_ graph: Graph) {
    self.graph = graph
    let order = graph.sortedNodes()
    findFolded(order)
    assignOutputs()
    assignConcatenations(order)
    assignReshapes(order)
    assignPixels(order)
    place(order)
  }

  // MARK: - Constants

  private mutating func findFolded(_ order: [NodeID]) {
    for id in order {
      let node = graph[id]
      let isConstant = node.inputs.allSatisfy { input in
        graph.constant(input) != nil || isFolded.contains(input)
      }
      let isStatic = node.outputs.allSatisfy { graph[$0].type.shape.constants != nil }
      if isConstant && isStatic { isFolded.formUnion(node.outputs) }
    }
  }

  // MARK: - Targets

  /// The value is made by a kernel, not a view, and nothing has claimed its place.
  private func isPlaceable(_ value: ValueID) -> Bool {
    guard let producer = graph.producer(of: value), !isFolded.contains(value) else { return false }
    return !(graph[producer].op is any ViewOperator) && targets[value] == nil
  }

  /// Whether the kernel of a value can write it with these strides.
  private func canWrite(_ value: ValueID, _ layout: Layout) -> Bool {
    guard let producer = graph.producer(of: value) else { return false }
    return !graph[producer].op.traits.contains(.needsDenseResult)
      || layout.isRowMajor(graph[value].type.shape)
  }

  /// Follows views back to the value made by a kernel, if each view can be turned round.
  private func source(of value: ValueID, _ layout: Layout) -> (ValueID, Layout)? {
    guard let producer = graph.producer(of: value), !isFolded.contains(value) else { return nil }
    let node = graph[producer]
    guard node.op is any ViewOperator else { return (value, layout) }
    // The operand must be read by this view alone, or its place could disturb other views.
    let operand = node.inputs[0]
    guard graph.useCount(of: operand) == 1 else { return nil }
    let operandType = graph[operand].type
    switch node.op {
    case is Identity: return source(of: operand, layout)
    case is Reshape:
      let type = graph[value].type
      guard
        let inverse = Reshape(operandType.shape).view(
          of: layout,
          operand: type,
          result: operandType
        )
      else { return nil }
      return source(of: operand, inverse)
    case let permute as Permute:
      return source(of: operand, Self.turned(layout, permute))
    default: return nil
    }
  }

  private mutating func assignOutputs() {
    for (index, output) in graph.outputs.enumerated() {
      let layout = Layout(rowMajor: graph[output.value].type.shape)
      let isFirst = !graph.outputs[..<index].contains { $0.value == output.value }
      if isFirst, let (value, target) = outputSource(of: output.value, layout), isPlaceable(value),
        canWrite(value, target)
      {
        targets[value] = Placement(root: .output(index), layout: target)
      } else {
        copiedOutputs.insert(index)
      }
    }
  }

  /// As `source`, but other readers do no harm where the layout stays row-major.
  private func outputSource(of value: ValueID, _ layout: Layout) -> (ValueID, Layout)? {
    guard let producer = graph.producer(of: value), !isFolded.contains(value) else { return nil }
    let node = graph[producer]
    if node.op is Reshape || node.op is Identity {
      return outputSource(of: node.inputs[0], Layout(rowMajor: graph[node.inputs[0]].type.shape))
    }
    return source(of: value, layout)
  }

  /// From the last to the first, so that a concatenation within another finds its place first.
  private mutating func assignConcatenations(_ order: [NodeID]) {
    for id in order.reversed() {
      let node = graph[id]
      guard let concat = node.op as? Concat, node.fusion.isEmpty,
        !isFolded.contains(node.outputs[0])
      else { continue }
      let result = node.outputs[0]
      let whole =
        targets[result]
        ?? Placement(
          root: .made(result),
          layout: Layout(rowMajor: graph[result].type.shape)
        )
      targets[result] = whole
      var start: Dimension = 0
      for (position, input) in node.inputs.enumerated() {
        var part = whole.layout
        part.offset = part.offset + start * part.strides[concat.axis]
        start = start + graph[input].type.shape[concat.axis]
        guard let (value, layout) = source(of: input, part), isPlaceable(value),
          canWrite(value, layout),
          readersAcceptStrides(value, except: id)
        else { continue }
        targets[value] = Placement(root: whole.root, layout: layout)
        inPlaceParts.insert(Part(node: id, position: position))
      }
    }
  }

  /// Lets a kernel write what a permute and a reshape would otherwise have to copy, in the reshape's order: the
  /// heads of attention, joined again.
  private mutating func assignReshapes(_ order: [NodeID]) {
    for id in order.reversed() where graph[id].op is Reshape {
      let result = graph[id].outputs[0]
      let dense = Layout(rowMajor: graph[result].type.shape)
      guard let (value, layout) = source(of: result, dense), isPlaceable(value),
        canWrite(value, layout), !layout.isRowMajor(graph[value].type.shape),
        naturalLayout(of: result) == nil
      else { continue }
      targets[value] = Placement(root: .made(value), layout: layout)
    }
  }

  /// The layout of a view of a value that lies row by row; nil where a copy is needed.
  private func naturalLayout(of value: ValueID) -> Layout? {
    let type = graph[value].type
    guard let producer = graph.producer(of: value),
      let view = graph[producer].op as? any ViewOperator
    else { return Layout(rowMajor: type.shape) }
    let operand = graph[producer].inputs[0]
    return naturalLayout(of: operand).flatMap {
      view.view(of: $0, operand: graph[operand].type, result: type)
    }
  }

  /// Lets a kernel write an image as a convolution behind a permute wants it: channels side by side.
  ///
  /// It reads each element many times.
  private mutating func assignPixels(_ order: [NodeID]) {
    for id in order.reversed() {
      guard let permute = graph[id].op as? Permute else { continue }
      let result = graph[id].outputs[0]
      guard isImage(result) else { continue }
      let dense = Layout(rowMajor: graph[result].type.shape)
      guard let (value, layout) = source(of: result, dense) ?? sharedSource(of: permute, id, dense),
        isPlaceable(value), canWrite(value, layout), !layout.isRowMajor(graph[value].type.shape)
      else { continue }
      targets[value] = Placement(root: .made(value), layout: layout)
    }
  }

  /// What a permute reads, if others that read it too can read it in any layout.
  private func sharedSource(of permute: Permute, _ id: NodeID, _ layout: Layout)
    -> (ValueID, Layout)?
  {
    let value = graph[id].inputs[0]
    let turned = Self.turned(layout, permute)
    return isReadable(value, turned) ? (value, turned) : nil
  }

  /// The layout of a permute's operand that gives its result one.
  private static func turned(_ layout: Layout, _ permute: Permute) -> Layout {
    var result = layout
    for (axis, from) in permute.permutation.enumerated() {
      result.strides[from] = layout.strides[axis]
    }
    return result
  }

  /// Whether all views of a value, and views of those, are still views in a layout.
  private func isReadable(_ value: ValueID, _ layout: Layout) -> Bool {
    guard !graph.outputs.contains(where: { $0.value == value }) else { return false }
    return graph.consumers(of: value).allSatisfy { reader in
      guard let view = graph[reader].op as? any ViewOperator else { return true }
      let result = graph[reader].outputs[0]
      let types = (graph[value].type, graph[result].type)
      guard let seen = view.view(of: layout, operand: types.0, result: types.1) else {
        return false
      }
      return isReadable(result, seen)
    }
  }

  /// Whether an operator reads the value as images with channels last.
  private func isImage(_ value: ValueID) -> Bool {
    graph.consumers(of: value).contains { reader in
      let node = graph[reader]
      return node.inputs[0] == value
        && (node.op is Convolution || node.op is Pool || node.op is Resize)
    }
  }

  /// The layout of a result that is to lie as the operand does, since a permute behind it makes rows of
  /// that; nil if rows are as good.
  ///
  /// For operators to which one axis is as good as another: to products it is not.
  private func layoutOfOperand(_ value: ValueID, _ id: NodeID) -> Layout? {
    let node = graph[id]
    let shape = graph[value].type.shape
    guard node.op is GroupNorm || node.op is Softmax || node.op is Pointwise || node.op is Scan,
      let operand = byValue[node.inputs[0]], graph[node.inputs[0]].type.shape == shape,
      !operand.layout.isRowMajor(shape), !isFolded.contains(value)
    else { return nil }
    for reader in graph.consumers(of: value) {
      guard let permute = graph[reader].op as? Permute else { continue }
      let layout = Self.turned(
        Layout(rowMajor: graph[graph[reader].outputs[0]].type.shape),
        permute
      )
      if !layout.isRowMajor(shape), Self.order(layout, shape) == Self.order(operand.layout, shape),
        canWrite(value, layout), isReadable(value, layout)
      {
        return layout
      }
    }
    return nil
  }

  /// The axes of more than one element, from the largest stride to the least.
  private static func order(_ layout: Layout, _ shape: Shape) -> [Int] {
    let strides = layout.strides.map { abs($0.upperBound) }
    return shape.dimensions.indices.filter { shape[$0] != 1 }.sorted { strides[$0] > strides[$1] }
  }

  /// Whether nobody but kernels reads the value: a view of a strided value might need a copy.
  private func readersAcceptStrides(_ value: ValueID, except concat: NodeID) -> Bool {
    let readers = graph.consumers(of: value)
    let viewReaders = readers.filter { graph[$0].op is any ViewOperator }
    return viewReaders.isEmpty || readers.count == 1
  }

  // MARK: - Placing

  private mutating func place(_ order: [NodeID]) {
    for (index, input) in graph.inputs.enumerated() {
      byValue[input] = Placement(
        root: .input(index),
        layout: Layout(rowMajor: graph[input].type.shape)
      )
    }
    for (index, constant) in graph.constants.enumerated() {
      byValue[constant] = Placement(
        root: .constant(index),
        layout: Layout(rowMajor: graph[constant].type.shape)
      )
    }
    for id in order {
      let node = graph[id]
      if let view = node.op as? any ViewOperator, node.fusion.isEmpty,
        let operand = byValue[node.inputs[0]]
      {
        let (from, to) = (graph[node.inputs[0]].type, graph[node.outputs[0]].type)
        if let layout = view.view(of: operand.layout, operand: from, result: to) {
          byValue[node.outputs[0]] = Placement(root: operand.root, layout: layout)
          continue
        }
        copyingViews.insert(id)
      }
      for output in node.outputs {
        byValue[output] =
          targets[output]
          ?? Placement(
            root: .made(output),
            layout: layoutOfOperand(output, id) ?? Layout(rowMajor: graph[output].type.shape)
          )
      }
    }
  }
}
