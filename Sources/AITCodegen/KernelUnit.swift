import AITGraph
import AITKernels
import AITPlan

/// Writes the translation unit of one kernel.
package enum KernelUnit {
  /// The text of a kernel's file.
  ///
  /// `users` are lines that say which nodes it serves.
  package static func text(_ kernel: KernelSource, users: [String]) -> String {
    var writer = CodeWriter()
    if !kernel.configuration.isEmpty { writer.line("// \(kernel.configuration)") }
    for user in users { writer.line("// \(user)") }
    for header in kernel.headers { writer.line("#include \"\(header)\"") }
    writer.line()
    let definitions = kernel.definitions.trimmedNewlines
    if !definitions.isEmpty {
      writer.line("namespace {")
      writer.line()
      writer.text(definitions)
      writer.line()
      writer.line("}  // namespace")
      writer.line()
    }
    writer.line("extern \"C\" void \(kernel.functionName)(const ait::KernelContext& context) {")
    writer.line("  \(kernel.statement)")
    writer.line("}")
    return writer.output
  }

  /// What a step computes, as a line for the head of its kernel's file.
  package static func describe(_ step: Plan.Step) -> String {
    let read = step.operands.prefix(step.readCount).map { "\($0.type)" }.joined(separator: ", ")
    let written = step.operands.dropFirst(step.readCount).map { "\($0.type)" }
      .joined(separator: ", ")
    return "\(step.name): \(step.operation)(\(read)) -> \(written)"
  }
}

extension String {
  /// The text without newlines at its ends.
  fileprivate var trimmedNewlines: String {
    var text = Substring(self)
    while text.hasSuffix("\n") { text.removeLast() }
    while text.hasPrefix("\n") { text.removeFirst() }
    return String(text)
  }
}
