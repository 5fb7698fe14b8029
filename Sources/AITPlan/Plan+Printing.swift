import AITGraph
import AITKernels

extension Plan: CustomStringConvertible {
  /// The steps, then a table of the arena with a picture of the lifetimes.
  package var description: String {
    var lines = ["plan of \(graph.name) for \(target)"]
    if !foldSteps.isEmpty {
      lines.append("fold steps, run once:")
      lines += foldSteps.enumerated().map { "  \($0.offset): \(text($0.element))" }
    }
    if !sizeConstraints.isEmpty {
      lines.append("checked before a run:")
      lines += sizeConstraints.map { "  \($0.margin) >= 0  # \($0.node): \($0.subject)" }
    }
    lines.append("steps:")
    lines += steps.enumerated().map { "  \($0.offset): \(text($0.element))" }
    lines.append("arena: \(arenaSize) bytes, at most \(arenaBoundInBytes)")
    let width = buffers.map(\.name.count).max() ?? 0
    for buffer in buffers {
      let bar = steps.indices.map { buffer.lifetime.contains($0) ? "#" : "." }.joined()
      let name = buffer.name + String(repeating: " ", count: width - buffer.name.count)
      let picture = steps.count <= 64 ? "  \(bar)" : "  steps \(buffer.lifetime)"
      lines.append("  \(name)\(picture)  at \(buffer.offset), \(buffer.sizeInBytes) bytes")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The choice of kernels, one line a step, and below it what was chosen among where there were
  /// several.
  package var kernelTable: String {
    (foldSteps.map { ($0, "fold") } + steps.map { ($0, "run") })
      .map { step, phase in
        let cost = step.estimatedSeconds.map { " ~\(Int(($0 * 1e6).rounded())) us" } ?? ""
        let configuration =
          step.kernel.configuration.isEmpty ? "" : " (\(step.kernel.configuration))"
        let line = "\(phase) \(step.name): \(step.kernel.functionName)\(configuration)\(cost)"
        return ([line] + step.choices.map { "  \($0)" }).joined(separator: "\n")
      }
      .joined(separator: "\n") + "\n"
  }

  private func text(_ step: Step) -> String {
    let written = step.operands.dropFirst(step.readCount).map(text).joined(separator: ", ")
    let read = step.operands.prefix(step.readCount).map(text).joined(separator: ", ")
    return "\(written) = \(step.kernel.functionName)(\(read))  # \(step.name)"
  }

  private func text(_ operand: Operand) -> String {
    let place =
      switch operand.storage {
      case .input(let index): "input \(index)"
      case .output(let index): "output \(index)"
      case .constant(let index): "constant \(index)"
      case .folded(let index): "folded \(index)"
      case .buffer(let index): "arena \(buffers[index].name)"
      }
    let offset = operand.offsetInBytes == 0 ? "" : " + \(operand.offsetInBytes)"
    return "\(operand.name)[\(place)\(offset)]"
  }
}
