import AITemplate

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Musl)
  @preconcurrency import Musl
#elseif canImport(Darwin)
  @preconcurrency import Darwin
#endif

/// Where messages to a person go: the error stream, so that results can be piped.
enum Terminal {
  /// Prints a line to the error stream.
  static func printError(_ text: String) { write("\(text)\n") }

  /// Writes text to the error stream at once.
  static func write(_ text: String) {
    _ = text.withCString { fputs($0, stderr) }
    fflush(stderr)
  }

  /// Whether the error stream is a terminal, where a line can be written over.
  static var isInteractive: Bool { isatty(STDERR_FILENO) == 1 }
}

/// One line that follows the stages of a compilation, with the time spent in each.
final class ProgressLine: @unchecked Sendable {
  private let isQuiet: Bool
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var finished: [String] = []
  private var current: (name: String, start: ContinuousClock.Instant)?

  init(isQuiet: Bool) {
    self.isQuiet = isQuiet
    start = clock.now
  }

  /// Called by the compiler, one stage after the other.
  func begin(_ stage: CompilationStage) {
    endStage()
    current = (stage.rawValue, clock.now)
    guard !isQuiet, Terminal.isInteractive else { return }
    Terminal.write("\r\u{1B}[K\((finished + ["\(stage.rawValue) …"]).joined(separator: "  "))")
  }

  private func endStage() {
    guard let current else { return }
    finished.append("\(current.name) \(Format.seconds(current.start.duration(to: clock.now)))")
    self.current = nil
  }

  /// Closes the line.
  func end() {
    endStage()
    guard !isQuiet else { return }
    let total = Format.seconds(start.duration(to: clock.now))
    let prefix = Terminal.isInteractive ? "\r\u{1B}[K" : ""
    Terminal.printError("\(prefix)\(finished.joined(separator: "  "))  total \(total)")
  }
}

/// Numbers for people.
enum Format {
  /// A duration: `412 ms`, `3.21 s`.
  static func seconds(_ duration: Duration) -> String {
    let (whole, fraction) = duration.components
    let seconds = Double(whole) + Double(fraction) * 1e-18
    return seconds < 1 ? "\(Int((seconds * 1e3).rounded())) ms" : "\(fixed(seconds, 2)) s"
  }

  /// A number with so many decimals.
  static func fixed(_ value: Double, _ decimals: Int) -> String {
    guard value.isFinite, value.magnitude < 1e15 else { return "\(value)" }
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let rounded = Int((value.magnitude * scale).rounded())
    let whole = rounded / Int(scale)
    let sign = value < 0 && rounded > 0 ? "-" : ""
    guard decimals > 0 else { return "\(sign)\(whole)" }
    let digits = String(rounded % Int(scale))
    return "\(sign)\(whole)." + String(repeating: "0", count: decimals - digits.count) + digits
  }

  /// A size: `4.2 MB`.
  static func bytes(_ count: Int) -> String {
    let value = Double(count)
    if value < 1e3 { return "\(count) B" }
    if value < 1e6 { return "\(fixed(value / 1e3, 1)) kB" }
    if value < 1e9 { return "\(fixed(value / 1e6, 1)) MB" }
    return "\(fixed(value / 1e9, 2)) GB"
  }

  /// Rows as columns that line up; the first row is the heading.
  ///
  /// Numbers stand to the right.
  static func table(_ rows: [[String]]) -> String {
    guard let columns = rows.first?.count else { return "" }
    let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
    return
      rows.map { row in
        row.enumerated().map { column, cell in
          let padding = String(repeating: " ", count: widths[column] - cell.count)
          let isNumber = cell.first.map { $0.isNumber || $0 == "-" } ?? false
          return isNumber || (column > 0 && row == rows[0]) ? padding + cell : cell + padding
        }
        .joined(separator: "  ").trimmingTrailingBlanks
      }
      .joined(separator: "\n")
  }
}

extension String {
  /// The text without blanks at its end.
  fileprivate var trimmingTrailingBlanks: String {
    var text = Substring(self)
    while text.hasSuffix(" ") { text.removeLast() }
    return String(text)
  }
}
