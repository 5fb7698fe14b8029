import AITGraph
import AITKernels
import AITPlan

/// What a library holds, as JSON for tools; kept inside it.
package enum Manifest {
  /// The JSON text, keys in a fixed order.
  package static func json(_ plan: Plan) -> String {
    let graph = plan.graph
    let inputs = graph.inputs.map { tensor(graph[$0].name, graph[$0].type) }
    let outputs = graph.outputs.map { tensor($0.name, graph[$0.value].type) }
    let constants = plan.constants.filter(\.constant.isNamed).map { constant in
      tensor(
        constant.name,
        constant.type,
        [
          ("original_name", string(constant.constant.originalName)),
          ("bound", constant.constant.data == nil ? "false" : "true"),
        ]
      )
    }
    let symbols = graph.symbols.map {
      "{\"name\": \(string($0.name)), \"minimum\": \($0.bounds.lowerBound), "
        + "\"maximum\": \($0.bounds.upperBound)}"
    }
    let steps = plan.steps.map { step in
      "{\"name\": \(string(step.name)), \"operation\": \(string(step.operation)), "
        + "\"kernel\": \(string(step.kernel.functionName)), "
        + "\"configuration\": \(string(step.kernel.configuration))\(choices(step))}"
    }
    let buffers = plan.buffers.map { buffer in
      "{\"name\": \(string(buffer.name)), \"size\": \(string(buffer.sizeInBytes.description)), "
        + "\"offset\": \(string(buffer.offset.description)), "
        + "\"first_step\": \(buffer.lifetime.lowerBound), "
        + "\"last_step\": \(buffer.lifetime.upperBound)}"
    }
    let sections: [(String, [String])] = [
      ("symbols", symbols), ("inputs", inputs), ("outputs", outputs), ("constants", constants),
      ("steps", steps), ("buffers", buffers),
    ]
    var lines = [
      "{", "  \"name\": \(string(graph.name)),",
      "  \"target\": \(string(plan.target.description)),",
      "  \"allows_tf32\": \(plan.numerics.allowsTF32),",
      "  \"arena\": \(string(plan.arenaSize.description)),",
      "  \"arena_bound\": \(plan.arenaBoundInBytes),",
    ]
    for (index, section) in sections.enumerated() {
      let comma = index + 1 < sections.count ? "," : ""
      if section.1.isEmpty {
        lines.append("  \"\(section.0)\": []\(comma)")
      } else {
        lines.append("  \"\(section.0)\": [")
        lines.append(section.1.map { "    \($0)" }.joined(separator: ",\n"))
        lines.append("  ]\(comma)")
      }
    }
    lines.append("}")
    return lines.joined(separator: "\n")
  }

  /// What was chosen among, with the measurements that the choice rests on; nothing where there was
  /// no choice.
  private static func choices(_ step: Plan.Step) -> String {
    guard !step.choices.isEmpty else { return "" }
    let texts = step.choices.map { choice in
      "{\"domain\": \(string(choice.domain)), "
        + "\"chosen\": \(string(choice.chosen.configuration)), "
        + "\"microseconds\": \(KernelChoice.microseconds(choice.chosen.seconds)), "
        + "\"measured_on\": \(choice.measuredOn.map(string) ?? "null")}"
    }
    return ", \"choices\": [\(texts.joined(separator: ", "))]"
  }

  private static func tensor(
    _ name: String,
    _ type: TensorType,
    _ more: [(String, String)] = []
  ) -> String {
    let extents = type.shape.dimensions.map { string($0.description) }.joined(separator: ", ")
    let fields = [
      ("name", string(name)), ("dtype", string(type.dtype.rawValue)), ("shape", "[\(extents)]"),
    ]
    return "{\((fields + more).map { "\"\($0.0)\": \($0.1)" }.joined(separator: ", "))}"
  }

  /// A JSON string literal.
  private static func string(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case _ where scalar.value < 32:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
