import AITConformance
import ArgumentParser

/// `ait operators`: what can be computed, and where.
struct Operators: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the operators with what each target supports."
  )

  @Flag(help: "Print the table of docs/operators.md.")
  var markdown = false

  func run() async throws {
    if markdown {
      print(OperatorTable.markdown, terminator: "")
    } else {
      print(Format.table([["operator", "cpu", "cuda", "summary"]] + OperatorTable.rows))
    }
  }
}
