import AITGraph
import AITOperators
import AITReference

/// Programs made at random, the same one for the same seed.
///
/// They hold all operators, several element types, symbolic extents, values with several readers,
/// dead code and several outputs, and the patterns that passes look for. Magnitudes stay small, and
/// functions that jump (comparisons, casts to integers, positions of extremes) read only values
/// that no pass can round differently, so that two correct compilations agree up to rounding.
package struct RandomGraph {
  /// A value that steps may read.
  struct Entry {
    var value: ValueID
    /// Whether every correct compilation gives the same bits.
    var isExact: Bool
    /// What elements hardly exceed.
    var magnitude: Double
  }

  var graph: Graph
  var random: RandomGenerator
  var pool: [Entry] = []
  /// The floating-point type of most values.
  let float: DType
  let batch = Dimension.symbol("batch", 1...4)
  let length = Dimension.symbol("length", 1...5)

  /// Makes a graph of some number of random steps, each of one to a dozen nodes.
  package static func make(
    seed: UInt64,
    steps: Int = 14,
    float: DType? = nil
  ) throws(Diagnostic) -> Graph {
    var random = RandomGenerator(seed: seed)
    let types: [DType] = [.float64, .float32, .float64, .float16, .float32, .bfloat16]
    let float = float ?? types[random.integer(below: types.count)]
    var maker = RandomGraph(graph: Graph(name: "random_\(seed)"), random: random, float: float)
    try maker.addInputs()
    for _ in 0..<steps { try maker.addStep() }
    try maker.addOutputs()
    try maker.graph.verify()
    return maker.graph
  }

  private mutating func addInputs() throws(Diagnostic) {
    let shapes: [Shape] = [
      [batch, length, 6], [batch, length, 6], [length, 6], [6], [batch, 1, 6], [4, 6], [],
    ]
    for (index, shape) in shapes.enumerated() {
      let input = try graph.addInput("x\(index)", TensorType(float, shape))
      pool.append(Entry(value: input, isExact: true, magnitude: 4))
    }
    let whole = try graph.addInput("n", TensorType(.int32, [length, 6]))
    pool.append(Entry(value: whole, isExact: true, magnitude: 100))
    let truth = try graph.addInput("t", TensorType(.bool, [batch, 1, 6]))
    pool.append(Entry(value: truth, isExact: true, magnitude: 1))
  }

  /// Makes most of what nothing reads outputs, and leaves some of it dead.
  private mutating func addOutputs() throws(Diagnostic) {
    let made = pool.filter { graph.producer(of: $0.value) != nil }
    let unread = made.filter { graph.useCount(of: $0.value) == 0 }
    for (index, entry) in unread.suffix(6).enumerated() {
      try graph.addOutput("y\(index)", entry.value)
    }
    for index in 0..<2 {
      let entry = made.isEmpty ? pool[0] : made[random.integer(below: made.count)]
      try graph.addOutput("z\(index)", entry.value)
    }
  }

  /// What a step adds.
  private enum Step: CaseIterable {
    case unary, scalar, binary, choice, conversion, reduction, softmax, normalization
    case position, linear, parallelLinear, batchedProduct, convolution, reshape, permute, slice
    case expand, concat, splitAndJoin, pad, pick, generate, literal, spelledOut
    case activation, again

    /// How often the step is taken among others.
    var weight: Int {
      switch self {
      case .binary: 3
      case .unary, .scalar, .reduction, .normalization, .linear, .reshape, .permute, .spelledOut: 2
      default: 1
      }
    }
  }

  private mutating func addStep() throws(Diagnostic) {
    let steps = Step.allCases.flatMap { Array(repeating: $0, count: $0.weight) }
    for _ in 0..<8 {
      if try add(any(steps)) { return }
    }
  }

  private mutating func add(_ step: Step) throws(Diagnostic) -> Bool {
    switch step {
    case .unary: try unary()
    case .scalar: try scalar()
    case .binary: try binary()
    case .choice: try choice()
    case .conversion: try conversion()
    case .reduction: try reduction()
    case .softmax: try softmax()
    case .normalization: try normalization()
    case .position: try position()
    case .linear: try linear()
    case .parallelLinear: try parallelLinear()
    case .batchedProduct: try batchedProduct()
    case .convolution: try convolution()
    case .reshape: try reshape()
    case .permute: try permute()
    case .slice: try slice()
    case .expand: try expand()
    case .concat: try concat()
    case .splitAndJoin: try splitAndJoin()
    case .pad: try pad()
    case .pick: try pick()
    case .generate: try generate()
    case .literal: try literal()
    case .spelledOut: try spelledOut()
    case .activation: try activation()
    case .again: try again()
    }
  }

  // MARK: - Choosing

  mutating func chance(_ share: Double) -> Bool { random.uniform() < share }

  mutating func any<Element>(_ elements: [Element]) -> Element {
    elements[random.integer(below: elements.count)]
  }

  /// A value that meets a condition, recent ones more often.
  mutating func pick(where isFit: (Entry, TensorType) -> Bool) -> Entry? {
    let fits = pool.filter { isFit($0, graph[$0.value].type) }
    guard !fits.isEmpty else { return nil }
    let recent = chance(0.6) ? Array(fits.suffix(4)) : fits
    return any(recent)
  }

  /// A value of the graph's floating-point type, of at least some rank.
  mutating func pickFloat(rank: Int = 0) -> Entry? {
    let float = float
    return pick { $1.dtype == float && $1.rank >= rank }
  }

  /// Another value that broadcasts with one, of its type.
  mutating func pickPartner(of entry: Entry) -> Entry? {
    let type = graph[entry.value].type
    return pick { _, other in
      guard other.dtype == type.dtype,
        let shape = try? Shape.broadcasting([type.shape, other.shape])
      else { return false }
      return shape.elementCount.upperBound <= 4000 && shape.rank <= 6
    }
  }

  /// The value, or its hyperbolic tangent if it may be too large.
  mutating func bounded(_ entry: Entry, by limit: Double) throws(Diagnostic) -> Entry {
    guard entry.magnitude > limit else { return entry }
    let value = try graph.pointwise(.tanh, entry.value)
    return Entry(value: value, isExact: false, magnitude: 1)
  }

  @discardableResult
  mutating func add(_ value: ValueID, exact: Bool = false, _ magnitude: Double) -> Bool {
    if graph.producer(of: value) == nil { return false }
    pool.append(Entry(value: value, isExact: exact, magnitude: magnitude))
    return true
  }

  /// An axis of known extent of at least some size.
  mutating func knownAxis(of type: TensorType, atLeast least: Int = 1) -> (axis: Int, extent: Int)?
  {
    let axes = type.shape.dimensions.enumerated().compactMap { axis, extent in
      extent.constant.flatMap { $0 >= least ? (axis: axis, extent: $0) : nil }
    }
    return axes.isEmpty ? nil : any(axes)
  }

  /// A constant: named with or without data, or a literal.
  mutating func parameter(_ shape: [Int], _ name: String) throws(Diagnostic) -> ValueID {
    // Original names are unique too: constants are set by them.
    let name = "\(name)_\(graph.constants.count)"
    let terms = shape.count > 1 ? shape.min() ?? 1 : 1
    let data = TensorData.random(
      float,
      shape,
      using: &random,
      scale: 1 / Double(max(terms, 1)).squareRoot()
    )
    if chance(0.3) { return try graph.addLiteral(data, name) }
    return try graph.addConstant(
      name,
      TensorType(float, Shape(shape)),
      data: chance(0.5) ? data : nil
    )
  }
}
