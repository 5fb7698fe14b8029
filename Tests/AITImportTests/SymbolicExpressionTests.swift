import AITGraph
import Testing

@testable import AITImport

/// Extents as text: the two forms in which PyTorch has written them.
@Suite struct SymbolicExpressionTests {
  private static func read(_ text: String) throws -> Dimension {
    try SymbolicExpression.read(text) { _ in 1...64 }
  }

  @Test func bothFormsAreTheSame() throws {
    let s = Dimension.symbol("s0", 1...64)
    let t = Dimension.symbol("s1", 1...64)
    let pairs: [(String, String, Dimension)] = [
      ("Symbol('s0', positive=True, integer=True)", "s0", s),
      ("Integer(7)", "7", 7),
      ("Add(Mul(Integer(2), Symbol('s0')), Integer(1))", "2*s0 + 1", 2 * s + 1),
      ("Add(Symbol('s0'), Integer(-3))", "s0 - 3", s - 3),
      ("Add(Mul(Integer(-1), Symbol('s0')), Integer(64))", "-s0 + 64", 64 - s),
      ("Add(Integer(64), Mul(Integer(-1), Symbol('s0')))", "64-s0", 64 - s),
      ("FloorDiv(Add(Symbol('s0'), Integer(1)), Integer(2))", "((s0 + 1)//2)", (s + 1) / 2),
      ("Mul(Integer(3), FloorDiv(Symbol('s0'), Integer(4)))", "3*(s0//4)", 3 * (s / 4)),
      ("Mod(Symbol('s0'), Integer(4))", "Mod(s0, 4)", s - 4 * (s / 4)),
      ("PythonMod(Symbol('s0'), Integer(4))", "PythonMod(s0, 4)", s - 4 * (s / 4)),
      ("Pow(Symbol('s0'), Integer(2))", "s0**2", s * s),
      ("Mul(Integer(2), Pow(Symbol('s0'), Integer(2)), Symbol('s1'))", "2*s0**2*s1", 2 * s * s * t),
      ("Max(Integer(1), Symbol('s0'))", "Max(1, s0)", .maximum([1, s])),
      ("Min(Symbol('s1'), Symbol('s0'))", "Min(s0, s1)", .minimum([t, s])),
      ("Add(Symbol('s0'), Mul(Integer(-1), Symbol('s1')), Integer(2))", "s0 - s1 + 2", s - t + 2),
    ]
    for (representation, printed, expected) in pairs {
      #expect(try Self.read(representation) == expected, "\(representation)")
      #expect(try Self.read(printed) == expected, "\(printed)")
    }
  }

  @Test(arguments: [
    "", "-", "2*", "s0 +", "(s0", "s0)", "s0 s1", "s0/2", "s0 // 0", "Integer(s0)", "Symbol(s0)",
    "2**-1", "s0**99", "s0**s1", "log(s0)", "Mod(s0)", "99999999999999999999", "--", "*s0", "٣",
    "Mod(s0, 0)", "Add()", "s0 + * 2", "'s0'", "1.5", "s0\u{0}",
  ])
  func brokenTextIsRefused(_ text: String) {
    let diagnostic = #expect(throws: Diagnostic.self, "\(text)") { try Self.read(text) }
    #expect(diagnostic?.message.isEmpty == false)
  }

  /// Text that would take the stack, the memory or the time of a careless reader.
  @Test func depthAndSizeAreBounded() {
    let many = 10_000
    let texts = [
      String(repeating: "(", count: many), String(repeating: "-", count: many) + "1",
      String(repeating: "Add(", count: many), String(repeating: "2**", count: many) + "2",
      (0..<many).map { "s\($0)" }.joined(separator: " + "),
      (0..<many).map { "s\($0)" }.joined(separator: "*"),
      "Max(" + (0..<200).map { "s\($0)" }.joined(separator: ", ") + ")*"
        + (0..<100).map { "(s\($0) + 1)" }.joined(separator: "*"),
    ]
    for text in texts { #expect(throws: Diagnostic.self) { try Self.read(text) } }
  }
}
