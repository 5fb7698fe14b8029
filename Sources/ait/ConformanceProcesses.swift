import AITBuild
import AITGraph

/// The conformance of each operator in a process of its own, several at a time.
///
/// A kernel that fails on a GPU takes the device from its process: the next operators need another.
struct ConformanceProcesses {
  /// This program.
  let program: String
  /// Its arguments, without names of operators.
  let arguments: [String]
  /// Compiling included; a kernel that never ends is ended with its process.
  var limit = Duration.seconds(300)
  /// Compilers, not the GPU, take the time.
  var width = 4

  /// What came of one operator.
  struct Outcome: Sendable {
    var passed = 0
    var failed = 0
    var gaps = 0
    /// What it printed.
    var text = ""

    /// Reads `12 passed, 1 failed, 3 without a kernel` of what a process printed; a process without
    /// such a line failed.
    init(_ name: String, printed text: String) {
      var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      guard let last = lines.lastIndex(where: { $0.contains(" passed, ") }) else {
        failed = 1
        self.text = "FAIL \(name): \(text)"
        return
      }
      let numbers = lines[last].split(separator: ",").map { part in
        Int(part.drop { $0 == " " }.prefix { $0.isNumber }) ?? 0
      }
      (passed, failed) = (numbers[0], numbers.count > 1 ? numbers[1] : 0)
      gaps = numbers.count > 2 ? numbers[2] : 0
      lines.remove(at: last)
      // The diagnostic at the end is that of the whole command.
      if let end = lines[last...].firstIndex(where: { $0.contains("[verification-failed]") }) {
        lines.removeSubrange(end...)
      }
      self.text = lines.filter { !$0.isEmpty }.joined(separator: "\n")
    }
  }

  /// Runs operators; their texts are handed over as they come.
  func run(_ names: [String], _ report: (Outcome) -> Void) async -> [Outcome] {
    await withTaskGroup(of: Outcome.self) { group in
      var outcomes: [Outcome] = []
      var pending = names.makeIterator()
      func startNext(_ group: inout TaskGroup<Outcome>) {
        guard let name = pending.next() else { return }
        group.addTask { await self.run(name) }
      }
      for _ in 0..<width { startNext(&group) }
      while let outcome = await group.next() {
        report(outcome)
        outcomes.append(outcome)
        startNext(&group)
      }
      return outcomes
    }
  }

  private func run(_ name: String) async -> Outcome {
    await withTaskGroup(of: String?.self) { group in
      group.addTask {
        do throws(Diagnostic) {
          return try await Command(program, arguments + [name]).run().text
        } catch { return error.identity == .cancelled ? nil : "\(error)" }
      }
      group.addTask {
        try? await Task.sleep(for: limit)
        return nil
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      return Outcome(name, printed: first ?? "no end within \(limit), or stopped")
    }
  }
}
