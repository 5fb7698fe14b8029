import AITConformance
import AITGraph
import AITKernels
import AITOperators
import AITemplate
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The examples of every operator, compiled and run on this machine: the same table that
/// `ait conformance` runs.
@Suite struct ConformanceTests {
  @Test(
    "Every example of an operator gives the reference's results",
    arguments: Conformance.operatorNames
  )
  func examples(_ name: String) async throws {
    let conformance = Conformance(
      target: .detected(),
      workDirectory: TestFolder.path("conformance"),
      threads: 2
    )
    for outcome in try await conformance.run(operatorNamed: name) {
      #expect(outcome.isPassed, "\(outcome)")
    }
  }
}

/// A folder for the files of tests, apart for each process.
enum TestFolder {
  static func path(_ name: String) -> String {
    let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    return "\(base)/ait-tests-\(getpid())/\(name)"
  }
}
