import AITFrontend
import AITGraph
import AITWeights

/// A program that `torch.export.save` wrote, read into a graph.
///
/// Inputs keep their names, outputs those of the nodes that make them, weights their dotted names; each
/// tensor knows the line of Python it comes from.
public struct ExportedProgram: Sendable {
  private let file: ProgramFile

  /// The greatest extent of a symbol for which the program has none.
  public static let defaultBound = 4096

  /// Reads a file.
  ///
  /// - Parameter path: an archive of torch 2.5 or later (`.pt2`).
  /// - Throws: `unreadable-file`, `corrupt-file`, `unsupported-format`.
  public init(contentsOf path: String) throws(Diagnostic) {
    file = try ProgramFile(contentsOf: path)
  }

  /// Reads the bytes of a file.
  package init(_ bytes: [UInt8], path: String) throws(Diagnostic) {
    file = try ProgramFile(MappedFile(path, copying: bytes))
  }

  /// The operators of the program and what is known of them.
  public var coverage: ImportCoverage { ImportCoverage(file.program.module.graph) }

  /// Returns the program as a graph.
  ///
  /// - Parameters:
  ///   - name: the graph's name.
  ///   - bounds: values that symbols may take, by their names, for those that the program leaves open.
  /// - Returns: the graph, its weights bound to the mapped file.
  /// - Throws: `unsupported-operator` with all operators that are not known, each with its line of
  ///   Python and the number of its uses; `invalid-option` for bounds of a symbol that the program does
  ///   not have; what the operators find.
  public func graph(named name: String, bounds: [String: ClosedRange<Int>] = [:])
    throws(Diagnostic) -> Graph
  {
    let coverage = coverage
    guard coverage.unsupported.isEmpty else { throw coverage.diagnostic(at: file.path) }
    let symbols = file.program.ranges.keys.sorted()
    if let unknown = bounds.keys.sorted().first(where: { !symbols.contains($0) }) {
      throw Diagnostic(
        .invalidOption,
        "bounds of '\(unknown)': the program has no such symbol",
        at: file.path,
        hint: symbols.isEmpty
          ? "all its sizes are known" : "its symbols are \(symbols.joined(separator: ", "))"
      )
    }
    // What `Dim.AUTO` and `Dim.DYNAMIC` leave open is saved as two or more, and PyTorch runs the program
    // at one as well.
    if file.program.ranges.values.contains(where: { $0.least == 2 }) {
      var tolerant = ProgramImporter(file, bounds: bounds, allowsOne: true)
      if let graph = try? tolerant.graph(named: name) { return graph }
    }
    var importer = ProgramImporter(file, bounds: bounds, allowsOne: false)
    return try importer.graph(named: name)
  }
}

/// How an exported program's operators are covered.
public struct ImportCoverage: Sendable, CustomStringConvertible {
  /// An operator of the program.
  public struct Use: Sendable {
    /// Such as `aten.add.Tensor`.
    public let name: String
    /// How many nodes have it.
    public let count: Int
    /// The line of Python of its first use, if the program says.
    public let source: String?
    /// Whether it can be compiled.
    public let isSupported: Bool
    /// Why it cannot, where that is more than that nobody wrote it yet.
    public let reason: String?
  }

  /// The operators in order of their names.
  public let uses: [Use]

  /// Those that cannot be compiled.
  public var unsupported: [Use] { uses.filter { !$0.isSupported } }

  init(_ graph: GraphSchema) {
    var counts: [String: Int] = [:]
    var sources: [String: String] = [:]
    for node in graph.nodes {
      counts[node.target, default: 0] += 1
      if sources[node.target] == nil { sources[node.target] = node.source }
    }
    uses = counts.keys.sorted().map { target in
      Use(
        name: target.hasPrefix("torch.ops.") ? String(target.dropFirst(10)) : target,
        count: counts[target] ?? 0,
        source: sources[target],
        isSupported: AtenOperator.named(target) != nil,
        reason: AtenOperator.named(target) == nil ? AtenOperator.reason(against: target) : nil
      )
    }
  }

  /// A table, a line for each operator.
  public var description: String {
    uses.map { use in
      let mark = use.isSupported ? "  " : "- "
      let source = use.isSupported ? "" : use.source.map { "  \($0)" } ?? ""
      let reason = use.reason.map { "  (\($0))" } ?? ""
      return "\(mark)\(use.name)  ×\(use.count)\(source)\(reason)\n"
    }.joined()
  }

  func diagnostic(at path: String) -> Diagnostic {
    let lines = unsupported.map { use in
      "\n  \(use.name), \(use.count == 1 ? "once" : "\(use.count) times")"
        + (use.source.map { ", first at \($0)" } ?? "") + (use.reason.map { ": \($0)" } ?? "")
    }
    // No other spelling of these is any better.
    let isHopeless = unsupported.allSatisfy { $0.reason != nil }
    return Diagnostic(
      .unsupportedOperator,
      "\(unsupported.count == 1 ? "an operator" : "\(unsupported.count) operators") of the program "
        + "cannot be compiled:\(lines.joined())",
      at: path,
      hint: isHopeless
        ? "write the part with other operators"
        : "export after run_decompositions(), or write the part with other operators"
    )
  }
}

extension NodeSchema {
  /// The line of Python that made the node: the innermost of its stack trace outside of PyTorch.
  var source: String? {
    guard let trace = metadata?["stack_trace"] else { return nil }
    // `File "model.py", line 12, in forward`, one for each call, the innermost last.
    let frames = trace.split(separator: "\n").compactMap { line -> String? in
      let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
      guard parts.count >= 3, parts[0].hasSuffix("File "), parts[2].hasPrefix(", line ") else {
        return nil
      }
      return "\(parts[1]):\(parts[2].dropFirst(7).prefix { $0.isNumber })"
    }
    // PyTorch's own layers say less than the line that calls them.
    return frames.last { !$0.hasPrefix("torch/") && !$0.contains("/torch/") } ?? frames.last
  }
}
