import AITGraph
import AITOperators
import Testing

/// A program that goes wrong, and what the message about it must say.
struct Provocation: Sendable, CustomTestStringConvertible {
  let identity: Diagnostic.Identity
  let title: String
  /// What was found, where, and what to do: parts of the text, in this order.
  let says: [String]
  let provoke: @Sendable () async throws -> Void

  init(
    _ identity: Diagnostic.Identity,
    _ title: String,
    says: [String],
    _ provoke: @escaping @Sendable () async throws -> Void
  ) {
    self.identity = identity
    self.title = title
    self.says = says
    self.provoke = provoke
  }

  var testDescription: String { "\(identity.rawValue): \(title)" }

  /// Goes wrong, and judges the message.
  func check() async {
    let diagnostic: Diagnostic
    do {
      try await provoke()
      Issue.record("\(testDescription): nothing was thrown")
      return
    } catch let error as Diagnostic { diagnostic = error } catch {
      Issue.record("\(testDescription): another error was thrown: \(error)")
      return
    }
    let text = diagnostic.description
    #expect(diagnostic.identity == identity, "\(text)")
    // What is wrong with an argument says so by quoting it.
    let isArgument = identity == .unknownTarget || identity == .invalidOption
    #expect(diagnostic.location != nil || isArgument, "it does not say where: \(text)")
    #expect(text.contains("error: ") && text.contains("[\(identity.rawValue)]"))
    var rest = text[...]
    for part in says {
      guard let found = rest.firstRange(of: part) else {
        Issue.record("'\(part)' is not said, or not in order: \(text)")
        return
      }
      rest = rest[found.upperBound...]
    }
  }
}

/// Graph text, parsed and verified.
func parse(_ text: String) throws {
  try Graph.parse(text).verify()
}
