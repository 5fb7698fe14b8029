import AITFrontend
import AITGraph
import AITOperators
import Foundation
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite("Pseudo code and pictures")
struct GraphTextTests {
  /// The tutorial's model with the epilogues that passes make, and a prologue that is exposed.
  private let fused = """
    graph fused {
      symbol batch: 1...2048
      input X: float16[batch, 512]
      constant w1: float16[2048, 512] "dense1.weight"
      constant b1: float16[2048] "dense1.bias"
      constant w2: float16[512, 2048] "dense2.weight"
      constant scale: float16[512]
      dense1 = matmul(X, w1, b1) {transpose_b: true, epilogue: (x0: float16, x1: float16) { \
    t2 = add(x0, x1); t3 = fast_gelu(t2); return t3 }} : float16[batch, 2048]
      dense2 = matmul(dense1, w2, X) {transpose_b: true, epilogue: (x0: float16, x1: float16) { \
    t2 = add(x0, x1); t3 = sigmoid(t2); t4 = multiply(t2, t3); return t4 }} : float16[batch, 512]
      norm_0, norm_1 = rms_norm(dense2, X, scale) {epsilon: 1e-05, prologue: (x0: float16, \
    x1: float16) { t2 = subtract(x0, x1); return t2 }, exposes_prologue: true} : \
    float16[batch, 512], float16[batch, 512] @norm
      total = reduce(norm_0) {kind: "sum", axes: [0, 1]} : float16[] @overall
      output Y = norm_1
      output T = total
    }
    """

  @Test("write fused work as part of the formula")
  func pseudoCode() throws {
    #expect(
      try Graph.parse(fused).pseudoCode() == """
        def fused(X: float16[batch, 512]):  # batch: 1...2048
            dense1 = fast_gelu(matmul(X, w1.T) + b1)  # float16[batch, 2048]
            dense2 = t0 * sigmoid(t0)  where t0 = matmul(dense1, w2.T) + X  # float16[batch, 512]
            norm_0, norm_1 = rms_norm(t0, scale, epsilon=1e-05), t0  where t0 = dense2 - X  # float16[batch, 512], float16[batch, 512]
            overall = sum(norm_0, axes=[0, 1])  # float16[]
            return {"Y": norm_1, "T": overall}

        """
    )
  }

  @Test("put parentheses where Python needs them, and nowhere else")
  func parentheses() throws {
    let (a, b) = (Tensor.input("a", [2], .float32), Tensor.input("b", [2], .float32))
    func formula(_ build: (Tensor, Tensor) -> Tensor) throws -> String {
      let graph = try Graph(name: "g", inputs: [a, b], outputs: [build(a, b)])
      return graph.pseudoCode(withShapes: false)
    }
    // Unfused, each function is a line; the formula of a body shows the precedence.
    let body = ScalarExpression(inputs: [.float32, .float32]) { e, x in
      let sum = e.call(.add, x[0], x[1])
      let difference = e.call(.subtract, x[0], sum)
      let negative = e.call(.negate, e.call(.power, difference, x[1]))
      let product = e.call(.multiply, e.constant(0.5, .float32), negative)
      return [e.call(.select, e.call(.less, product, x[0]), e.call(.square, x[1]), x[0])]
    }
    var graph = Graph(name: "g")
    let inputs = [
      try graph.addInput("a", TensorType(.float32, [2])),
      try graph.addInput("b", TensorType(.float32, [2])),
    ]
    try graph.addOutput("y", try graph.addNode(Pointwise(body), inputs, name: "y")[0])
    #expect(
      graph.pseudoCode(withShapes: false) == """
        def g(a, b):
            y = where(0.5 * -(a - (a + b)) ** b < a, b ** 2, a)
            return {"y": y}

        """
    )
    #expect(try formula { ~($0 .> $1) }.contains("= ~greater\n"))
  }

  @Test("write text for Graphviz")
  func dot() throws {
    let x = Tensor.input("X", [.symbol("batch", 1...8), 4], .float16)
    let graph = try Graph(name: "small", outputs: [(Linear(4, 2, bias: false)(x) * 2).named("Y")])
    #expect(
      graph.dot(profile: ["matmul": 0.003, "linear": 0.003, "multiply": 0.001])
        .replacing(/\\nAITFrontendTests[^"]*/, with: "") == """
          digraph small {
            rankdir=TB
            node [fontname="Helvetica", fontsize=11, shape=box, style=filled]
            edge [fontname="Courier", fontsize=9, color="#6b7280"]
            n0 [label="X", style="filled,rounded", fillcolor="#d9f0d3", tooltip="input X: float16[batch, 4]"]
            n1 [label="matmul\\nlinear\\nweight float16[2, 4]\\n0.003 ms · 75 %", style=filled, fillcolor="#fa8c5f", tooltip="linear = matmul(X, weight.T)  # float16[batch, 2]"]
            n2 [label="multiply\\nmultiply\\n0.001 ms · 25 %", style=filled, fillcolor="#fee0b6", tooltip="multiply = linear * 2.0  # float16[batch, 2]"]
            n3 [label="Y", style="filled,rounded", fillcolor="#d6e4f7", tooltip="output Y: float16[batch, 2]"]
            n0 -> n1 [label="float16[batch, 4]"]
            n1 -> n2 [label="float16[batch, 2]"]
            n2 -> n3 [label="float16[batch, 2]"]
          }

          """
    )
  }

  @Test("draw well-formed SVG, every box within the picture and none upon another")
  func svg() throws {
    let model = TransformerEncoder(
      (0..<2).map { _ in TransformerEncoderLayer(8, headCount: 2, hiddenWidth: 16) }
    )
    let x = Tensor.input("X", [.symbol("batch", 1...8), .symbol("seq", 1...8), 8], .float16)
    let mask = Tensor.input("mask", [.symbol("batch", 1...8), 1, 1, .symbol("seq", 1...8)], .bool)
    let graphs = [
      try Graph(name: "encoder", outputs: [model(x, mask: mask).named("Y")]),
      try Graph.parse(fused),
    ]
    for graph in graphs {
      let boxes = SVGBoxes()
      let text = graph.svg(profile: ["dense1": 0.5, "layers_0_norm1": 0.25])
      let parser = XMLParser(data: Data(text.utf8))
      parser.delegate = boxes
      #expect(parser.parse(), "\(String(describing: parser.parserError))")
      #expect(boxes.rectangles.count == graph.nodeCount + graph.inputs.count + graph.outputs.count)
      for (index, box) in boxes.rectangles.enumerated() {
        #expect(box.minX >= 0 && box.maxX <= boxes.size.width && box.maxY <= boxes.size.height)
        for other in boxes.rectangles[..<index] { #expect(!box.intersects(other)) }
      }
    }
  }

  @Test("escape what XML and Graphviz reserve")
  func escaping() throws {
    let x = Tensor.input("X", [2], .float32)
    let graph = try Graph(name: "g", outputs: [x .< 3])
    #expect(graph.svg().contains("less = X &lt; 3"))
    #expect(!graph.svg().contains("X < 3"))
  }
}

/// Collects the boxes of a picture: the rectangles in groups that have a title.
private final class SVGBoxes: NSObject, XMLParserDelegate {
  var rectangles: [CGRect] = []
  var size = CGSize.zero
  private var groups: [CGPoint] = []
  private var hasTitle = false

  func parser(
    _ parser: XMLParser,
    didStartElement name: String,
    namespaceURI: String?,
    qualifiedName: String?,
    attributes: [String: String]
  ) {
    func number(_ key: String) -> Double { attributes[key].flatMap(Double.init) ?? 0 }
    switch name {
    case "svg": size = CGSize(width: number("width"), height: number("height"))
    case "g":
      let parts = attributes["transform"]?.split { "() ".contains($0) }.compactMap { Double($0) }
      let last = groups.last ?? .zero
      groups.append(
        parts.map { CGPoint(x: last.x + $0[0], y: last.y + $0[1]) } ?? last
      )
    case "title": hasTitle = groups.count == 2
    case "rect" where hasTitle:
      let origin = groups.last ?? .zero
      rectangles.append(
        CGRect(
          x: origin.x + number("x"),
          y: origin.y + number("y"),
          width: number("width"),
          height: number("height")
        )
      )
    default: break
    }
  }

  func parser(
    _ parser: XMLParser,
    didEndElement name: String,
    namespaceURI: String?,
    qualifiedName: String?
  ) {
    if name == "g" {
      groups.removeLast()
      hasTitle = false
    }
  }
}
