/// Parts of a generated kernel.
package enum KernelText {
  /// `ait::Inputs<…>` or `ait::Outputs<…>`.
  package static func pack(_ name: String, _ operands: [String]) -> String {
    "ait::\(name)<\(operands.joined(separator: ", "))>"
  }

  /// A call of a template on `context`, one argument a line where it is long.
  package static func call(_ function: String, _ arguments: [String]) -> String {
    let short = "ait::\(function)<\(arguments.joined(separator: ", "))>(context);"
    if short.count <= 96 { return short }
    return "ait::\(function)<\(arguments.joined(separator: ",\n      "))>(context);"
  }
}
