import AITGraph
import AITLoader
import AITOperators
import AITReference

/// Several graphs side by side in one, so that they are one library: a compilation takes a second or
/// so before the first kernel.
struct JoinedGraph {
  /// A graph and what is expected of it.
  struct Member {
    let name: String
    /// The graph whose meaning is the truth.
    let reference: Graph
    /// The graph that is compiled.
    let compiled: Graph
    fileprivate let prefix: String
  }

  private(set) var graph: Graph
  private(set) var members: [Member] = []

  init(name: String) { graph = Graph(name: name) }

  /// Adds a graph; all its names get a prefix of their own.
  mutating func add(_ compiled: Graph, meaning reference: Graph, as name: String) throws {
    let prefix = "g\(members.count)_"
    func rename(_ dimension: Dimension) -> Dimension {
      dimension.substituting { Dimension(Symbol(prefix + $0.name, $0.bounds)) }
    }
    func rename(_ type: TensorType) -> TensorType {
      TensorType(type.dtype, Shape(type.shape.dimensions.map(rename)))
    }
    var values: [ValueID: ValueID] = [:]
    for id in compiled.inputs {
      let value = compiled[id]
      values[id] = try graph.addInput(prefix + value.name, rename(value.type))
    }
    for id in compiled.constants {
      guard let constant = compiled.constant(id) else { continue }
      values[id] = try graph.addConstant(
        prefix + compiled[id].name,
        compiled[id].type,
        data: constant.data,
        originalName: prefix + constant.originalName,
        isNamed: constant.isNamed
      )
    }
    for id in compiled.sortedNodes() {
      let node = compiled[id]
      let attributes = node.op.attributes.map { attribute in
        guard case .dimensions(let dimensions) = attribute.value else { return attribute }
        return Attribute(attribute.name, .dimensions(dimensions.map(rename)))
      }
      let type = type(of: node.op)
      var reader = try AttributeReader(attributes, operatorName: type.name)
      let results = try graph.addNode(
        try type.init(&reader),
        node.inputs.compactMap { values[$0] },
        name: prefix + node.name,
        fusion: node.fusion
      )
      for (old, new) in zip(node.outputs, results) { values[old] = new }
    }
    for output in compiled.outputs {
      if let value = values[output.value] { try graph.addOutput(prefix + output.name, value) }
    }
    members.append(Member(name: name, reference: reference, compiled: compiled, prefix: prefix))
  }

  /// The inputs of the members as those of the whole, in the order of the module.
  func inputs(_ given: [RandomInputs], for module: CompiledModule) -> [TensorData] {
    var named: [String: TensorData] = [:]
    for (member, inputs) in zip(members, given) {
      for (name, data) in inputs.inputs { named[member.prefix + name] = data }
    }
    return module.inputs.compactMap { named[$0.name] }
  }

  /// The constants of the members as those of the whole, as far as the module knows them.
  func constants(_ given: [RandomInputs], for module: CompiledModule) throws
    -> [String: TensorData]
  {
    let known = Set(try module.constantNames())
    var named: [String: TensorData] = [:]
    for (member, inputs) in zip(members, given) {
      for (name, data) in inputs.constants where known.contains(member.prefix + name) {
        named[member.prefix + name] = data
      }
    }
    return named
  }

  /// The outputs of one member by its own names.
  func outputs(of member: Member, in results: [String: TensorData]) -> [String: TensorData] {
    var own: [String: TensorData] = [:]
    for output in member.reference.outputs {
      own[output.name] = results[member.prefix + output.name]
    }
    return own
  }
}
