import AITFrontend
import AITGraph
import Testing

private class Base: Module {
  let first: Linear
  override init() {
    first = Linear(2, 2, bias: false)
    super.init()
  }
}

private final class Everything: Base {
  let scale: Parameter
  @ParameterInfo(key: "shift_value") var shift: Parameter
  @ModuleInfo(key: "self_attn") var attention: Linear
  @ModuleInfo var plain: Linear
  let list: [Linear]
  let named: [String: Linear]
  let pair: (Linear, right: Linear)
  let maybe: Linear?
  let absent: Linear?
  let table: [Float]
  let mixed: [any UnaryLayer]

  override init() {
    func linear() -> Linear { Linear(2, 2, bias: false) }
    scale = Parameter([2])
    _shift.wrappedValue = Parameter([3], dtype: .float64)
    _attention.wrappedValue = linear()
    plain = linear()
    list = [linear(), linear()]
    named = ["b": linear(), "a": linear()]
    pair = (linear(), right: linear())
    maybe = linear()
    absent = nil
    table = Array(repeating: 0, count: 1_000_000)
    mixed = [ReLU(), linear()]
    super.init()
  }
}

private final class Tied: Module {
  let encoder: Linear
  let decoder: Linear
  let norm: LayerNorm
  init(_ width: Int) {
    encoder = Linear(width, width)
    decoder = encoder
    norm = LayerNorm(width)
  }
  func callAsFunction(_ x: Tensor) -> Tensor { norm(decoder(encoder(x))) }
}

private final class Changing: Module, UnaryLayer {
  var layer = Linear(3, 3)
  func forward(_ x: Tensor) -> Tensor { layer(x) }
}

private final class Chained: Module {
  let first = Linear(3, 3)
  let second = Linear(3, 3)
  func callAsFunction(_ x: Tensor) -> Tensor { Sequential(second, first)(x) }
}

private final class Late: Module {
  var layers: [Linear] = []
  override init() {
    super.init()
    layers = [Linear(2, 2), Linear(2, 2)]
    registerChildren()
  }
  func callAsFunction(_ x: Tensor) -> Tensor { layers.reduce(x) { $1($0) } }
}

@Suite("Modules")
struct ModuleTests {
  @Test("find children and parameters in properties of every kind")
  func paths() {
    let module = Everything()
    #expect(
      module.namedParameters.map(\.name) == [
        "scale", "shift_value", "first.weight", "self_attn.weight", "plain.weight", "list.0.weight",
        "list.1.weight", "named.a.weight", "named.b.weight", "pair.0.weight", "pair.right.weight",
        "maybe.weight", "mixed.1.weight",
      ]
    )
    #expect(
      module.namedModules.map(\.name) == [
        "", "first", "self_attn", "plain", "list.0", "list.1", "named.a", "named.b", "pair.0",
        "pair.right", "maybe", "mixed.0", "mixed.1",
      ]
    )
    #expect(module.children.count == 12)
    #expect(module.parameters.count == 13)
  }

  @Test("list what is shared once")
  func sharing() throws {
    let model = Tied(4)
    #expect(
      model.namedParameters.map(\.name) == [
        "encoder.weight", "encoder.bias", "norm.weight", "norm.bias",
      ]
    )
    #expect(model.namedModules.map(\.name) == ["", "encoder", "norm"])
    let graph = try Graph(
      name: "tied",
      outputs: [model(Tensor.input("X", [2, 4], .float32))]
    )
    #expect(graph.constants.count == 4)
    #expect(
      graph.pseudoCode(withShapes: false) == """
        def tied(X):
            encoder = matmul(X, encoder_weight.T)
            encoder_add = encoder + encoder_bias
            encoder_1 = matmul(encoder_add, encoder_weight.T)
            encoder_add_1 = encoder_1 + encoder_bias
            norm = layer_norm(encoder_add_1, norm_weight, norm_bias, epsilon=1e-05)
            return {"output_0": norm}

        """
    )
  }

  @Test("keep their names in containers made for a call")
  func containers() throws {
    let model = Chained()
    let graph = try Graph(name: "g", outputs: [model(Tensor.input("X", [2, 3], .float32))])
    #expect(
      graph.constants.compactMap { graph.constant($0)?.originalName } == [
        "second.weight", "second.bias", "first.weight", "first.bias",
      ]
    )
    #expect(graph.nodeIDs.map { graph[$0].name }.contains("second_add"))
  }

  @Test("know children that came late once they are registered")
  func late() throws {
    let model = Late()
    let graph = try Graph(
      name: "late",
      outputs: [model(Tensor.input("X", [2, 2], .float32))]
    )
    #expect(graph.nodeIDs.map { graph[$0].name }.contains("layers_1"))
  }

  @Test("know children that came late when their own call is scoped")
  func lateInScope() throws {
    let model = Changing()
    model.layer = Linear(3, 4)
    let graph = try Graph(name: "g", outputs: [model(Tensor.input("X", [2, 3], .float32))])
    #expect(graph.constants.map { graph[$0].name } == ["layer_weight", "layer_bias"])
  }

  @Test("keep their paths when only a tensor is left of the model")
  func released() throws {
    let y = Tied(4)(Tensor.input("X", [2, 4], .float32))
    let graph = try Graph(name: "released", outputs: [y])
    #expect(graph.constants.map { graph[$0].name }.contains("norm_weight"))
  }

  @Test("print as a tree")
  func description() {
    let model = Sequential(SimpleModelBlock(), GELU(approximate: .tanh))
    #expect(
      model.description == """
        Sequential(
          (0): SimpleModelBlock(
            (dense): Linear(8, 4, bias: true, specialization: relu)
            (norm): RMSNorm([4], epsilon: nil, affine: true)
          )
          (1): GELU(approximate: tanh)
        )
        """
    )
  }

  // MARK: - Parameters

  @Test("take the type of the first input unless one is given")
  func dtypes() throws {
    let (open, given) = (Linear(4, 4), Linear(4, 4, dtype: .float32))
    #expect(open.expectedParameters.map(\.type.dtype) == [.float32, .float32])
    let x = Tensor.input("X", [2, 4], .float16)
    #expect(open(x).diagnostic == nil)
    #expect(open.expectedParameters.map(\.type.dtype) == [.float16, .float16])
    #expect(given(x).diagnostic?.identity == .dtypeMismatch)
    #expect(open(Tensor.input("X", [2, 4], .float32)).diagnostic?.identity == .dtypeMismatch)
    _ = try open.converted(to: .bfloat16)
    #expect(open.weight.dtype == .bfloat16)
    #expect(throws: Diagnostic.self) { try open.converted(to: .int32) }
  }

  @Test("do not take a type from a tensor that carries a problem")
  func dtypeOfFailure() {
    let layer = Linear(4, 4)
    let broken = Tensor.input("X", [2, 4], .float16).reshape(3)
    #expect(layer(broken).diagnostic?.identity == .shapeMismatch)
    #expect(layer.weight.dtype == nil)
  }

  @Test("are bound by path, converted to their type")
  func binding() throws {
    let layer = Linear(2, 1, dtype: .float16)
    let weights = [
      "weight": TensorData([0.5, 2], shape: [1, 2]), "bias": TensorData([1], shape: [1]),
    ]
    try layer.bind(weights)
    let graph = try Graph(
      name: "bound",
      outputs: [layer(Tensor.input("X", [3, 2], .float16))]
    )
    let constants = graph.constants.compactMap { graph.constant($0)?.data }
    #expect(constants.map(\.dtype) == [.float16, .float16])
    #expect(constants.map(\.doubles) == [[0.5, 2], [1]])
  }

  @Test("refuse weights that are missing, unknown or of another shape")
  func bindingErrors() {
    let layer = Linear(2, 1)
    func failure(_ weights: [String: TensorData], strict: Bool = true) -> String? {
      do throws(Diagnostic) {
        try layer.bind(weights, strict: strict)
        return nil
      } catch { return error.description }
    }
    let weight = TensorData(zeros: .float32, [1, 2])
    #expect(
      failure(["weight": weight])
        == "error: no weight for the parameter 'bias' [weight-mismatch]\n"
        + "  hint: strict: false leaves them to be set in the compiled library"
    )
    #expect(
      failure(["weigth": weight, "bias": weight])?.contains("did you mean 'weight'?") == true
    )
    #expect(failure(["weight": weight], strict: false) == nil)
    #expect(
      failure(["weight": TensorData(zeros: .float32, [2, 1])], strict: false)?
        .contains("parameter 'weight': error: the parameter has the shape [1, 2]") == true
    )
  }

  @Test("of one's own are tensors in a call")
  func ownParameters() throws {
    let data = Scaling()
    let graph = try Graph(name: "own", outputs: [data(Tensor.input("X", [2, 3], .float16))])
    #expect(
      graph.pseudoCode() == """
        def own(X: float16[2, 3]):
            multiply = X * scale  # float16[2, 3]
            return {"output_0": multiply}

        """
    )
  }
}

private final class Scaling: Module, UnaryLayer {
  let scale = Parameter([3])
  func forward(_ x: Tensor) -> Tensor { x * scale.tensor(matching: x) }
}

private final class SimpleModelBlock: Module, UnaryLayer {
  let dense = Linear(8, 4, specialization: .relu)
  let norm = RMSNorm(4)
  func forward(_ x: Tensor) -> Tensor { norm(dense(x)) }
}
