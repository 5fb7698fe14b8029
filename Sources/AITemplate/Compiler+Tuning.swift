import AITBuild
import AITGPU
import AITGraph
import AITKernels
import AITPlan
import AITProfile

/// Measuring kernels, and compiling with what was measured.
extension Compiler {
  /// The compiler that chooses kernels by a record.
  func choosing(by record: TuningRecord) -> Compiler {
    Compiler(target: target, options: options, choosing: .recorded(record))
  }

  /// The compiler that chooses by the record that the options name, and, before a library is built,
  /// by measuring.
  ///
  /// - Throws: what is wrong with the file; `invalidOption` where it holds nothing for the target.
  package func reading() throws(Diagnostic) -> Compiler {
    guard let path = options.tuningRecord else { return self }
    guard target.isGPU else {
      throw Diagnostic(
        .invalidOption,
        "a tuning record is for a GPU, and the target is \(target)",
        at: path,
        hint: "name the GPU's architecture, such as --target cuda:sm_90a"
      )
    }
    let text = String(decoding: try FileSystem.readBytes(path), as: UTF8.self)
    let record = try TuningRecord(text, from: path)
    let usable = record.filter {
      $0.origin.templates == templateVersion && target.gpus.contains($0.architecture)
    }
    guard !usable.isEmpty else {
      let isOld = record.keys.contains { target.gpus.contains($0.architecture) }
      throw Diagnostic(
        .invalidOption,
        isOld
          ? "the tuning record was made with other kernel templates than this compiler's"
          : "the tuning record holds nothing for \(target)",
        at: path,
        hint: "measure again, with this compiler: `ait tune prepare` and `ait tune measure`"
      )
    }
    return choosing(by: usable)
  }

  /// The problems of a graph whose kernels can be measured, each once.
  package func kernelProblems(_ graph: Graph) throws(Diagnostic) -> [KernelProblem] {
    var known: Set<String> = []
    return try plan(try optimize(graph)).steps.flatMap(\.problems).filter {
      known.insert("\($0.architecture.rawValue) \($0.text)").inserted
    }
  }

  /// Builds a library for each problem in a folder, with a list of them beside.
  ///
  /// - Parameters:
  ///   - problems: what is to be measured.
  ///   - count: the most candidates of each.
  ///   - folder: where the libraries go.
  ///   - copies: how often each library poses its problem; nil for as often as exceeds any cache.
  /// - Returns: what the list says.
  /// - Throws: what compiling throws.
  package func prepareTuning(
    _ problems: [KernelProblem],
    candidates count: Int,
    in folder: String,
    copies: Int? = nil
  ) async throws(Diagnostic) -> PreparedTuning {
    var quiet = options
    quiet.optimizes = false
    quiet.includesSelfTest = false
    quiet.progress = nil
    quiet.tuningRecord = nil
    quiet.tuningSeconds = nil
    let compilers = (target: target, options: quiet)
    try FileSystem.createFolder(folder)
    // The number of compilers at work is bounded elsewhere.
    let results = await withTaskGroup(
      of: (Int, Result<PreparedTuning.Problem, Diagnostic>).self
    ) { group in
      for (index, problem) in problems.enumerated() {
        let limited = problem.limited(to: count)
        group.addTask {
          do throws(Diagnostic) {
            let made = try await Self.build(limited, compilers, in: folder, copies: copies)
            return (index, .success(made))
          } catch { return (index, .failure(error)) }
        }
      }
      var results: [Int: Result<PreparedTuning.Problem, Diagnostic>] = [:]
      for await (index, result) in group { results[index] = result }
      return problems.indices.compactMap { results[$0] }
    }
    let toolchain =
      target.isEmulated
      ? "emulated" : try await DeviceToolchain.find(at: options.deviceCompiler).release
    var prepared = PreparedTuning(toolchain: toolchain, templates: templateVersion)
    for result in results { prepared.problems.append(try result.get()) }
    try FileSystem.write(prepared.description, to: "\(folder)/\(PreparedTuning.fileName)")
    return prepared
  }

  private static func build(
    _ problem: KernelProblem,
    _ compilers: (target: Target, options: CompilerOptions),
    in folder: String,
    copies: Int?
  ) async throws(Diagnostic) -> PreparedTuning.Problem {
    let name = "tune_\(StableHash.hexadecimal("\(problem.architecture.rawValue) \(problem.text)"))"
    let graph = try MeasuringGraph.make(
      problem,
      named: name,
      copies: copies ?? MeasuringGraph.copies(of: problem)
    )
    let compiler = Compiler(
      target: Target([problem.architecture], isEmulated: compilers.target.isEmulated),
      options: compilers.options,
      choosing: .each(
        problem.candidates.map(\.configuration),
        selector: MeasuringGraph.selector(problem.candidates.count)
      )
    )
    _ = try await compiler.compile(graph, in: "\(folder)/sources", to: "\(folder)/\(name).so")
    return PreparedTuning.Problem(
      library: "\(name).so",
      architecture: problem.architecture,
      text: problem.text,
      candidates: problem.candidates
    )
  }

  /// The compiler that chooses by measurements: those of the cache, and those that are missing there,
  /// made now.
  ///
  /// - Throws: `invalidOption` where there is no GPU of the target's.
  func tuned(_ graph: Graph, seconds: Int, in folder: String) async throws(Diagnostic) -> Compiler {
    guard target.isGPU, !target.isEmulated else {
      throw Diagnostic(
        .invalidOption,
        "kernels are measured on a GPU, and the target is \(target)",
        hint: "compile without --tune, or name the GPU's architecture, such as --target cuda:sm_90a"
      )
    }
    let device = try TuningDevice.find()
    guard let architecture = target.gpus.last(where: { $0.runs(onCapability: device.capability) })
    else {
      throw Diagnostic(
        .invalidOption,
        "the GPU of this machine has compute capability \(device.capability / 10)."
          + "\(device.capability % 10), which \(target) does not run on",
        hint: "compile for the GPU of this machine, or tune on one that the target names"
      )
    }
    var record = TuningRecord()
    if case .recorded(let given) = choice { record = given }
    let cache = options.tuningCache.map { TuningCache(folder: $0) }
    let toolchain = try await DeviceToolchain.find(at: options.deviceCompiler).release
    if let cache {
      record.merge(
        try cache.all().filter {
          $0.origin.templates == templateVersion && $0.origin.toolchain == toolchain
            && $0.origin.driver == device.driver && $0.origin.gpu == device.name
        }
      )
    }
    let missing = try kernelProblems(graph).filter { problem in
      problem.architecture == architecture
        && record.measurements(of: problem.text, for: architecture, templates: templateVersion)
          == nil
    }
    guard !missing.isEmpty else { return choosing(by: record) }
    let prepared = try await prepareTuning(missing, candidates: Self.candidateCount, in: folder)
    let measured = try TuningSession(prepared, in: folder).measure(seconds: Double(seconds))
    try await cache?.merge(measured.record)
    if let failure = measured.report.failure { throw failure }
    record.merge(measured.record)
    for (problem, measurements) in measured.report.problems {
      for measurement in measurements {
        guard let fault = measurement.fault else { continue }
        options.remark?("\(problem.text): \(measurement.candidate.label) is rejected: \(fault)")
      }
    }
    if !measured.report.unmeasured.isEmpty {
      options.remark?(
        "\(measured.report.unmeasured.count) of \(missing.count) problems were not measured: the "
          + "time was up; what was measured is kept for the next time"
      )
    }
    return choosing(by: record)
  }

  /// The candidates of a problem that are built and measured: the best by the model.
  package static let candidateCount = 12
}

extension KernelProblem {
  /// The same with the candidates that are expected to be fastest.
  fileprivate func limited(to count: Int) -> KernelProblem {
    KernelProblem(
      text: text,
      architecture: architecture,
      op: op,
      fusion: fusion,
      operands: operands,
      candidates: Array(candidates.prefix(count))
    )
  }
}
