/// A problem that a user can act on: what was found, what was expected, where, and what to do.
///
/// Every stage of the compiler throws this type and no other.
public struct Diagnostic: Error, Hashable, Sendable, CustomStringConvertible {
  /// What kind of problem it is; tests and tools tell diagnostics apart by it, not by the text.
  public enum Identity: String, CaseIterable, Sendable {
    // The graph and its text.
    case syntax = "syntax-error"
    case unknownOperator = "unknown-operator"
    case unknownName = "unknown-name"
    case duplicateName = "duplicate-name"
    case invalidAttribute = "invalid-attribute"
    case wrongInputCount = "wrong-input-count"
    case shapeMismatch = "shape-mismatch"
    case dtypeMismatch = "dtype-mismatch"
    case rankMismatch = "rank-mismatch"
    case axisOutOfRange = "axis-out-of-range"
    case conflictingSymbol = "conflicting-symbol"
    case sizeLimit = "size-limit"
    case malformedGraph = "malformed-graph"
    case missingOutput = "missing-output"
    // Files.
    case unreadableFile = "unreadable-file"
    case unwritableFile = "unwritable-file"
    case corruptFile = "corrupt-file"
    case unsupportedFormat = "unsupported-format"
    case refusedPickle = "refused-pickle"
    case weightMismatch = "weight-mismatch"
    // Targets, lowering and building.
    case unknownTarget = "unknown-target"
    case unsupportedOperator = "unsupported-operator"
    case missingCompiler = "missing-compiler"
    case compilerFailed = "compiler-failed"
    case busyDirectory = "busy-directory"
    case cancelled = "cancelled"
    case invalidOption = "invalid-option"
    // Running.
    case loadFailed = "load-failed"
    case runFailed = "run-failed"
    case invalidArgument = "invalid-argument"
    case verificationFailed = "verification-failed"
    case internalInconsistency = "internal-inconsistency"
  }

  /// The kind of problem.
  public var identity: Identity
  /// What was found and what was expected.
  public var message: String
  /// Where: the node, file, line or argument concerned.
  public var location: String?
  /// What to do about it.
  public var hint: String?

  /// Creates a diagnostic.
  public init(
    _ identity: Identity,
    _ message: String,
    at location: String? = nil,
    hint: String? = nil
  ) {
    self.identity = identity
    self.message = message
    self.location = location
    self.hint = hint
  }

  /// The text shown to a person: `where: error: what [identity]`, then the hint on its own line.
  public var description: String {
    var text = location.map { "\($0): " } ?? ""
    text += "error: \(message) [\(identity.rawValue)]"
    if let hint { text += "\n  hint: \(hint)" }
    return text
  }

  /// Returns the diagnostic with a location, unless it names one already.
  package func located(at location: @autoclosure () -> String) -> Diagnostic {
    guard self.location == nil else { return self }
    var copy = self
    copy.location = location()
    return copy
  }
}
