import AITGraph
import AITKernels
import AITPlan

/// Writes the translation unit of one kernel.
package enum KernelUnit {
  /// The text of a kernel's file.
  ///
  /// `users` are lines that say which nodes it serves.
  package static func text(_ kernel: KernelSource, users: [String], gpus: [Target.CUDA] = [])
    -> String
  {
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
    let numbers = "\(kernel.functionName)_kernels"
    if !kernel.entries.isEmpty {
      writer.line("// The numbers that the model gives to the kernels of the device.")
      writer.line("extern \"C\" const int32_t \(numbers)[];")
      writer.line()
      for (index, entry) in kernel.entries.enumerated() {
        let name = kernel.entryName(index)
        writer.block("extern \"C\" const ait::DeviceKernel \(name) = {", "};") { writer in
          writer.line("/* symbol = */ \(Cxx.string(name)),")
          writer.line("/* architecture = */ \(place(entry, in: gpus)),")
          writer.line("/* blockSize = */ \(entry.threads),")
          writer.line("/* sharedSizeInBytes = */ \(entry.sharedSizeInBytes),")
          writer.line("/* clusterSize = */ \(entry.clusterSize),")
        }
        writer.line()
      }
    }
    writer.line("extern \"C\" void \(kernel.functionName)(const ait::KernelContext& context) {")
    if !kernel.entries.isEmpty { writer.line("  const int32_t* const kernels = \(numbers);") }
    writer.line("  \(kernel.statement)")
    writer.line("}")
    return writer.output
  }

  /// The place of the only architecture that has an entry; -1 if all have it.
  private static func place(_ entry: DeviceEntry, in gpus: [Target.CUDA]) -> Int {
    let having = gpus.indices.filter { entry.architectures.contains(gpus[$0]) }
    return having.count == gpus.count ? -1 : having.first ?? -1
  }

  /// The text of the file of a kernel's entry on the device.
  package static func deviceText(_ kernel: KernelSource, entry index: Int, users: [String])
    -> String
  {
    let entry = kernel.entries[index]
    var writer = CodeWriter()
    for user in users { writer.line("// \(user)") }
    for header in entry.headers { writer.line("#include \"\(header)\"") }
    writer.line()
    writer.line("namespace {")
    writer.line()
    writer.text(entry.definitions.trimmedNewlines)
    writer.line()
    writer.line("}  // namespace")
    writer.line()
    writer.line("\(entry.signature)")
    writer.line("\(kernel.entryName(index))(AIT_ARGUMENTS(\(entry.arguments)) arguments) {")
    writer.line("  \(entry.statement)")
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
