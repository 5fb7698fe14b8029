import ArgumentParser

/// The values that numeric options may have.
///
/// Such options take whatever follows them (`parsing: .unconditional`), or a number below 0 would
/// be read as another option and the message would say that a value is missing.
enum OptionRange {
  /// The most threads that a library takes for one run, and units that may be compiled at once.
  static let threads = 0...1024

  /// Throws unless a number lies in a range.
  static func check<Value: Comparable>(
    _ option: String,
    _ value: Value,
    in range: ClosedRange<Value>
  ) throws(ValidationError) {
    guard range.contains(value) else {
      throw ValidationError(
        "\(option) \(value): expected a number from \(range.lowerBound) to \(range.upperBound)"
      )
    }
  }
}
