import AITGraph
import AITKernels

/// Problems whose candidates are built and wait to be measured: what lies beside the libraries in a
/// folder, so that another machine can measure them.
package struct PreparedTuning: Hashable, Sendable {
  /// A problem, and the library in which a run takes the candidate whose number its selector is.
  package struct Problem: Hashable, Sendable {
    /// The library's file name.
    package let library: String
    package let architecture: Target.CUDA
    /// The text by which a record knows the problem.
    package let text: String
    /// Those numbered from 1, with the times that are expected of them.
    package let candidates: [KernelChoice.Candidate]

    package init(
      library: String,
      architecture: Target.CUDA,
      text: String,
      candidates: [KernelChoice.Candidate]
    ) {
      self.library = library
      self.architecture = architecture
      self.text = text
      self.candidates = candidates
    }
  }

  /// The version of the compiler of device code, and the hash of the kernel templates.
  package let toolchain: String
  package let templates: String
  package var problems: [Problem]

  package init(toolchain: String, templates: String, problems: [Problem] = []) {
    self.toolchain = toolchain
    self.templates = templates
    self.problems = problems
  }

  /// The name of the file with the text of this.
  package static let fileName = "candidates.txt"
}

// MARK: - Text

extension PreparedTuning: CustomStringConvertible {
  private static let head = "aitemplate tuning candidates 1"

  /// A line that says what it is, a line of versions, then one for each candidate, its fields parted
  /// by tabs.
  package var description: String {
    let lines = problems.flatMap { problem in
      problem.candidates.map { candidate in
        [
          problem.library, problem.architecture.rawValue, problem.text, candidate.configuration,
          candidate.label, "\(Int((candidate.seconds * 1e9).rounded()))",
        ].joined(separator: "\t")
      }
    }
    return ([Self.head, "\(toolchain)\t\(templates)"] + lines).joined(separator: "\n") + "\n"
  }

  /// Reads what `description` gives.
  ///
  /// - Throws: `unsupportedFormat` for another kind of file, `corruptFile` with the line that is none.
  package init(_ text: String, from path: String) throws(Diagnostic) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let versions = lines.dropFirst().first?.split(separator: "\t").map(String.init) ?? []
    guard lines.first.map(String.init) == Self.head, versions.count == 2 else {
      throw Diagnostic(
        .unsupportedFormat,
        "this is no list of candidates",
        at: path,
        hint: "`ait tune prepare FOLDER GRAPH` writes one"
      )
    }
    self.init(toolchain: versions[0], templates: versions[1])
    for (index, line) in lines.enumerated().dropFirst(2) where !line.isEmpty {
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      guard fields.count == 6, let architecture = Target.CUDA(rawValue: fields[1]),
        let time = Int(fields[5]), time > 0, !fields[0].isEmpty, !fields[0].contains("/")
      else {
        throw Diagnostic(
          .corruptFile,
          "line \(index + 1) is no candidate: '\(line.prefix(60))'",
          at: "\(path):\(index + 1)",
          hint: "prepare the folder again"
        )
      }
      let candidate = KernelChoice.Candidate(
        configuration: fields[3],
        label: fields[4],
        seconds: Double(time) * 1e-9
      )
      let earlier = problems.last?.library == fields[0] ? problems.popLast()?.candidates ?? [] : []
      problems.append(
        Problem(
          library: fields[0],
          architecture: architecture,
          text: fields[2],
          candidates: earlier + [candidate]
        )
      )
    }
  }
}
