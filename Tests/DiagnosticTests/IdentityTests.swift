import AITGraph
import Testing

/// The table of diagnostics is complete.
@Suite struct IdentityTests {
  @Test func everyIdentityIsProvoked() {
    let all =
      GraphDiagnosticTests.provocations + FileDiagnosticTests.provocations
      + BuildDiagnosticTests.provocations + RunDiagnosticTests.provocations
    let missing = Set(Diagnostic.Identity.allCases).subtracting(all.map(\.identity))
    #expect(missing.isEmpty, "no test provokes \(missing.map(\.rawValue).sorted())")
  }

  @Test func theTextSaysWhereWhatAndWhatToDo() {
    let full = Diagnostic(.syntax, "an odd sign", at: "line 3", hint: "leave it out")
    #expect(
      full.description == "line 3: error: an odd sign [syntax-error]\n  hint: leave it out"
    )
    #expect(Diagnostic(.syntax, "an odd sign").description == "error: an odd sign [syntax-error]")
  }
}
