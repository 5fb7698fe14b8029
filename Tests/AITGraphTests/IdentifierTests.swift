import AITGraph
import Testing

@Suite struct IdentifierTests {
  @Test(arguments: [
    ("dense1.weight", "dense1_weight"), ("1x", "_1x"), ("", "_"), ("int", "int_"),
    ("größe", "gr__e"), ("a b", "a_b"), ("X", "X"), ("main", "main_"), ("..", "__"),
  ])
  func makesIdentifiers(_ name: String, _ expected: String) {
    #expect(Identifier.make(name) == expected)
    #expect(Identifier.isValid(expected))
  }

  @Test func uniqueNamesTakeTheFirstFreeSuffix() {
    #expect(Identifier.unique("x", among: []) == "x")
    #expect(Identifier.unique("x", among: ["x"]) == "x_1")
    #expect(Identifier.unique("x", among: ["x", "x_1", "x_2"]) == "x_3")
  }

  @Test func nearestNamesAreOffered() {
    #expect(Identifier.nearest(to: "sofmax", among: ["softmax", "matmul"]) == ["softmax"])
    #expect(Identifier.nearest(to: "zzz", among: ["softmax", "matmul"]) == [])
    #expect(Identifier.nearest(to: "", among: [""]) == [""])
  }
}
