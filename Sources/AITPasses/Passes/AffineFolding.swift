import AITGraph
import AITOperators

/// Joins what constants do to each channel of a product or a convolution into one factor, which
/// becomes part of the weight, and one term.
///
/// ```
/// y = convolution(x, w, mean, scale, bias) {stride: [1], epilogue: (x0: float32, x1: float32, x2:
///     float32, x3: float32) { t4 = subtract(x0, x1); t5 = multiply(t4, x2); t6 = add(t5, x3); t7 =
///     relu(t6); return t7 }}
/// ```
/// becomes
/// ```
/// f = reshape(scale)
/// v = pointwise(w, f) {body: (x0: float32, x1: float32) { t2 = multiply(x0, x1); return t2 }}
/// t = pointwise(mean, scale, bias) {body: (x0: float32, x1: float32, x2: float32)
///     { t3 = negate(x0); t4 = multiply(t3, x1); t5 = add(t4, x2); return t5 }}
/// y = convolution(x, v, t) {stride: [1], epilogue: (x0: float32, x1: float32) { t2 = add(x0, x1); t3 =
///     relu(t2); return t3 }}
/// ```
///
/// So batch normalisation behind a convolution costs an addition. The epilogue must use the result
/// through one chain of sums, differences, products and quotients with values that are the same in
/// every run and have one element for each channel, or one in all. The factor goes into the
/// weight where that is constant, read by nothing else, and float32 or float64: a weight of
/// half precision would be rounded once more, so there the factor stays in the epilogue, in float32.
/// Factors and terms that are literals alone stay where they are.
///
/// A factor that an epilogue has for a further input, which is the result of another product that
/// nothing else reads, becomes that product's epilogue with its term, and so part of its weight in the
/// next round, or in half precision two values: the batch normalisation of a branch that ends in a sum.
///
/// Runs after `EpilogueFusion`, which puts the chain in one place. Visits each node once.
package struct AffineFolding: GraphPass {
  package static let name = "affine-folding"

  package init() {}

  package func run(on graph: inout Graph, in context: PassContext) throws(Diagnostic) {
    let invariant = graph.invariantValues()
    for id in graph.sortedNodes() where graph.contains(id) {
      guard graph[id].op is MatMul || graph[id].op is Convolution, graph[id].fusion.prologue == nil
      else { continue }
      if try handBack(id, in: &graph, invariant) { continue }
      guard let form = AffineForm(of: id, in: graph, invariant) else { continue }
      try fold(form, id, in: &graph, invariant)
    }
  }

  /// Gives what an epilogue does to the result of another product back to that product, if its weight
  /// can take the factor or is of half precision, whose sums are wider than what is stored; returns
  /// whether there was such a result.
  private func handBack(_ id: NodeID, in graph: inout Graph, _ invariant: [Bool])
    throws(Diagnostic) -> Bool
  {
    let node = graph[id]
    let extras = node.inputs.suffix(node.fusion.epilogueInputCount)
    for (position, value) in extras.enumerated() {
      guard let producer = graph.producer(of: value), graph.hasOneUse(value),
        graph[producer].fusion.isEmpty, graph[producer].outputs.count == 1,
        graph[value].type.shape == graph[node.outputs[0]].type.shape,
        graph[producer].op is MatMul || graph[producer].op is Convolution
      else { continue }
      let weight = graph[producer].inputs[graph[producer].inputs.count - 1]
      guard weight.index < invariant.count, invariant[weight.index],
        let form = AffineForm(of: id, input: position + 1, in: graph, invariant),
        form.scale != nil
      else { continue }
      let isHalf = graph[weight].type.dtype.computeType != graph[weight].type.dtype
      guard
        isHalf
          || form.type == graph[weight].type.dtype && graph.hasOneUse(weight)
            && filterAxis(of: graph[producer].op, graph[weight].type) != nil
      else { continue }
      let moved = form.alone.trimmed(in: graph)
      let left = form.rest.trimmed(in: graph)
      // The producer first: what it needs would go with its last reader.
      let other = graph[producer]
      var fusion = other.fusion
      fusion.epilogue = moved.expression
      let result = try graph.replace(
        producer,
        with: other.op,
        other.inputs + moved.values,
        fusion: fusion
      )[0]
      fusion = node.fusion
      fusion.epilogue = left.expression
      let values = node.inputs.dropLast(extras.count) + left.values
      _ = try graph.replace(
        id,
        with: node.op,
        values.map { $0 == value ? result : $0 },
        fusion: fusion
      )
      return true
    }
    return false
  }

  private func fold(_ form: AffineForm, _ id: NodeID, in graph: inout Graph, _ invariant: [Bool])
    throws(Diagnostic)
  {
    let node = graph[id]
    let weight = node.inputs[1]
    let axis = form.scale.flatMap { _ in
      weight.index < invariant.count && invariant[weight.index] && graph.hasOneUse(weight)
        && form.type == graph[weight].type.dtype ? filterAxis(of: node.op, graph[weight].type) : nil
    }
    // Nothing is gained where both are values as they stand.
    guard axis != nil || !form.isSettled else { return }
    var scale = try form.scale.map { index throws(Diagnostic) in
      try form.add(index, to: &graph, name: "\(node.name)_scale")
    }
    let shift = try form.shift.map { index throws(Diagnostic) in
      try form.add(index, to: &graph, name: "\(node.name)_shift")
    }
    var operands = Array(node.inputs.prefix(2))
    if let axis, let factor = scale {
      var extents = Array<Dimension>(repeating: 1, count: graph[weight].type.rank)
      if graph[factor].type.shape.elementCount != 1 {
        extents[axis] = graph[weight].type.shape[axis]
      }
      let column = try graph.reshape(factor, extents)
      operands[1] = try graph.multiply(
        .value(weight),
        .value(column),
        name: "\(graph[weight].name)_scaled"
      )
      scale = nil
    }
    let body = form.body(scale, shift, graph).trimmed(in: graph)
    var fusion = node.fusion
    fusion.epilogue = body.expression
    _ = try graph.replace(id, with: node.op, operands + body.values, fusion: fusion)
  }

  /// The axis of a weight along which the channels of the result lie; nil if there is none.
  private func filterAxis(of op: any Operator, _ weight: TensorType) -> Int? {
    switch op {
    case is Convolution: 0
    case let product as MatMul where weight.rank == 2: product.transposeB ? 0 : 1
    default: nil
    }
  }
}

/// An epilogue that uses one of its inputs r, its node's result as a rule, only as
/// `r · scale + shift`.
private struct AffineForm {
  /// The type that the epilogue is computed in.
  let type: DType
  /// The factor and the term as instructions of `coefficients`; nil for 1 and for 0.
  let scale: Int?
  let shift: Int?
  /// Over the epilogue's further inputs, in `type`.
  private let coefficients: ScalarExpression
  private let epilogue: ScalarExpression
  private let extras: [ValueID]
  /// The input r.
  private let subject: Int
  /// The instruction of the epilogue that is the form.
  private let end: Int

  /// Whether scale and shift are values of the graph as they are.
  let isSettled: Bool

  init?(of id: NodeID, input subject: Int = 0, in graph: Graph, _ invariant: [Bool]) {
    let node = graph[id]
    guard let epilogue = node.fusion.epilogue, node.fusion.joinedResults == 1,
      epilogue.inputTypes.indices.contains(subject)
    else { return nil }
    let result = epilogue.inputTypes[subject]
    guard result.isFloatingPoint else { return nil }
    self.subject = subject
    let extras = Array(node.inputs.suffix(node.fusion.epilogueInputCount))
    type = result.computeType
    self.epilogue = epilogue
    self.extras = extras
    var builder = CoefficientBuilder(subject, type, epilogue) { input in
      let value = extras[input - 1]
      let shape = graph[value].type.shape
      return value.index < invariant.count && invariant[value.index]
        && shape.dimensions.dropLast().allSatisfy { $0 == 1 }
    }
    guard let end = builder.run(), let (scale, shift) = builder.affine[end],
      scale != nil || shift != nil
    else { return nil }
    coefficients = builder.coefficients
    self.end = end
    self.scale = scale
    self.shift = shift
    func isInput(_ index: Int?) -> Bool {
      guard let index else { return true }
      switch builder.coefficients.instructions[index] {
      case .input: return true
      case .cast(let operand):
        return builder.coefficients.instructions[operand] == .input(operand)
      default: return false
      }
    }
    isSettled = isInput(scale) && isInput(shift)
    // Of literals alone, there is nothing to compute beforehand.
    for index in [scale, shift] {
      guard let index else { continue }
      var part = builder.coefficients
      part.setResults([index])
      guard !part.usedInputs.isEmpty else { return nil }
    }
  }

  /// What makes the form of r, as an epilogue of the node that computes it.
  var alone: FusedBody {
    var out = ScalarExpression(inputs: [epilogue.inputTypes[subject]] + coefficients.inputTypes)
    var parts = coefficients
    parts.setResults([scale, shift].compactMap(\.self))
    let made = out.inline(parts, Array(1...parts.inputTypes.count))
    var form = out.cast(0, to: type)
    if scale != nil { form = out.call(.multiply, form, made[0]) }
    if shift != nil { form = out.call(.add, form, made[made.count - 1]) }
    out.setResults([out.cast(form, to: epilogue.inputTypes[subject])])
    return FusedBody(out.simplified(), [.result] + extras.map { .value($0) })
  }

  /// The epilogue where r is the form.
  var rest: FusedBody {
    var out = ScalarExpression(inputs: epilogue.inputTypes)
    var mapping: [Int] = []
    for (index, instruction) in epilogue.instructions.enumerated() {
      switch instruction {
      case _ where index == end: mapping.append(out.cast(subject, to: epilogue.types[end]))
      case .input(let input): mapping.append(input)
      case .constant(let constant):
        mapping.append(out.constant(constant.value, epilogue.types[index]))
      case .call(let function, let operands):
        mapping.append(out.call(function, operands.map { mapping[$0] }))
      case .cast(let operand):
        mapping.append(out.cast(mapping[operand], to: epilogue.types[index]))
      }
    }
    out.setResults(epilogue.results.map { mapping[$0] })
    return FusedBody(out.simplified(), [.result] + extras.map { .value($0) })
  }

  /// Adds a coefficient to the graph as a value of the type that the epilogue is computed in.
  func add(_ index: Int, to graph: inout Graph, name: String) throws(Diagnostic) -> ValueID {
    var part = coefficients
    part.setResults([index])
    let body = FusedBody(part.simplified(), extras.map { .value($0) }).trimmed(in: graph)
    if body.expression.isIdentity { return body.values[0] }
    return try graph.addNode(Pointwise(body.expression), body.values, name: name, source: nil)[0]
  }

  /// The epilogue with the form computed of two values, all in the type of `coefficients`.
  func body(_ scale: ValueID?, _ shift: ValueID?, _ graph: Graph) -> FusedBody {
    let more = [scale, shift].compactMap(\.self)
    var out = ScalarExpression(
      inputs: epilogue.inputTypes + more.map { graph[$0].type.dtype }
    )
    var next = epilogue.inputTypes.count
    var form = out.cast(0, to: type)
    if scale != nil {
      form = out.call(.multiply, form, next)
      next += 1
    }
    if shift != nil { form = out.call(.add, form, next) }
    var mapping: [Int] = []
    func wide(_ dtype: DType) -> DType { dtype.isFloatingPoint ? dtype.computeType : dtype }
    for (index, instruction) in epilogue.instructions.enumerated() {
      let own = epilogue.types[index]
      switch instruction {
      case _ where index == end: mapping.append(form)
      case .input(let input): mapping.append(out.cast(input, to: wide(own)))
      case .constant(let constant): mapping.append(out.constant(constant.value, wide(own)))
      case .call(let function, let operands):
        mapping.append(out.call(function, operands.map { mapping[$0] }))
      case .cast(let operand):
        mapping.append(out.cast(out.cast(mapping[operand], to: own), to: wide(own)))
      }
    }
    out.setResults(
      zip(epilogue.results, epilogue.resultTypes).map { out.cast(mapping[$0], to: $1) }
    )
    return FusedBody(out.simplified(), [.result] + (extras + more).map { .value($0) })
  }
}

/// Finds the instructions of an epilogue that are `result · scale + shift`.
private struct CoefficientBuilder {
  /// Over the inputs behind the result.
  private(set) var coefficients: ScalarExpression
  /// For each instruction that has the form: its factor and its term.
  private(set) var affine: [Int: (scale: Int?, shift: Int?)] = [:]
  /// For each instruction that is the same in every run: where it stands in `coefficients`.
  private var fixed: [Int: Int] = [:]
  private let source: ScalarExpression
  private let type: DType
  private let subject: Int
  private let own: DType
  private let isWidened: Bool
  private let isFixed: (Int) -> Bool

  init(
    _ subject: Int,
    _ type: DType,
    _ source: ScalarExpression,
    _ isFixed: @escaping (Int) -> Bool
  ) {
    coefficients = ScalarExpression(inputs: Array(source.inputTypes.dropFirst()))
    self.source = source
    self.type = type
    self.subject = subject
    let uses = source.instructions.indices.filter { index in
      switch source.instructions[index] {
      case .call(_, let operands): operands.contains(subject)
      case .cast(let operand): operand == subject
      default: false
      }
    }
    // A result that all uses widen is as good as one of the wider type.
    isWidened =
      !source.results.contains(subject) && !uses.isEmpty
      && uses.allSatisfy { source.instructions[$0] == .cast(subject) && source.types[$0] == type }
    own = isWidened ? type : source.inputTypes[subject]
    self.isFixed = isFixed
  }

  /// Returns the one instruction of the form through which the rest uses the result, if there is
  /// one.
  mutating func run() -> Int? {
    for (index, instruction) in source.instructions.enumerated() {
      switch instruction {
      case .input(subject): if !isWidened { affine[index] = (nil, nil) }
      case .cast(subject) where isWidened: affine[index] = (nil, nil)
      case .input(let input):
        if input > 0, source.types[index].isFloatingPoint, isFixed(input) {
          fixed[index] = coefficients.cast(input - 1, to: type)
        }
      case .constant(let constant):
        if source.types[index] == own { fixed[index] = coefficients.constant(constant.value, type) }
      case .call(let function, let operands):
        if source.types[index] == own { visit(index, function, operands) }
      case .cast(let operand):
        // A conversion that does not round.
        if source.types[index] == own, own == type { fixed[index] = fixed[operand] }
      }
    }
    var ends: Set<Int> = Set(source.results.filter { affine[$0] != nil })
    for (index, instruction) in source.instructions.enumerated() where affine[index] == nil {
      switch instruction {
      case .call(_, let operands): ends.formUnion(operands.filter { affine[$0] != nil })
      case .cast(let operand): if affine[operand] != nil { ends.insert(operand) }
      default: break
      }
    }
    return ends.count == 1 ? ends.first : nil
  }

  private mutating func visit(_ index: Int, _ function: ScalarFunction, _ operands: [Int]) {
    let constants = operands.compactMap { fixed[$0] }
    if constants.count == operands.count {
      fixed[index] = coefficients.call(function, constants)
      return
    }
    switch (function, operands.count) {
    case (.negate, 1):
      guard let (scale, shift) = affine[operands[0]] else { return }
      affine[index] = (
        scale.map { coefficients.call(.negate, $0) } ?? coefficients.constant(-1, type),
        shift.map { coefficients.call(.negate, $0) }
      )
    case (_, 2):
      if let form = affine[operands[0]], let other = fixed[operands[1]] {
        affine[index] = combine(function, form, other)
      } else if let form = affine[operands[1]], let other = fixed[operands[0]] {
        switch function {
        case .add, .multiply: affine[index] = combine(function, form, other)
        default: break
        }
      }
    default: break
    }
  }

  private mutating func combine(
    _ function: ScalarFunction,
    _ form: (scale: Int?, shift: Int?),
    _ other: Int
  ) -> (scale: Int?, shift: Int?)? {
    switch function {
    case .add: (form.scale, form.shift.map { coefficients.call(.add, $0, other) } ?? other)
    case .subtract:
      (
        form.scale,
        form.shift.map { coefficients.call(.subtract, $0, other) }
          ?? coefficients.call(.negate, other)
      )
    case .multiply:
      (
        form.scale.map { coefficients.call(.multiply, $0, other) } ?? other,
        form.shift.map { coefficients.call(.multiply, $0, other) }
      )
    case .divide:
      (
        form.scale.map { coefficients.call(.divide, $0, other) }
          ?? coefficients.call(.reciprocal, other),
        form.shift.map { coefficients.call(.divide, $0, other) }
      )
    default: nil
    }
  }
}
