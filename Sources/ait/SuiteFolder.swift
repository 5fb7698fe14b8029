import AITBuild
import AITGraph
import AITKernels
import AITLoader
import AITOperators
import AITReference
import AITemplate
import FoundationEssentials

/// A folder of compiled cases, which `--prepare` fills on any machine and `--from` runs.
struct SuiteFolder {
  /// What `suite.json` says; `Benchmarks/suite_gpu.py` reads it too.
  struct Index: Codable {
    let suite: String
    let target: String
    var cases: [SuiteCase]
  }

  let path: String

  private var indexPath: String { "\(path)/suite.json" }

  func library(_ each: SuiteCase) -> String { "\(path)/\(each.name).so" }

  func read() throws(Diagnostic) -> Index {
    let text = try FileSystem.readBytes(indexPath)
    do { return try JSONDecoder().decode(Index.self, from: Data(text)) } catch {
      throw Diagnostic(
        .corruptFile,
        "the index of the suite cannot be read: \(error)",
        at: indexPath,
        hint: "make the folder with `ait bench --suite NAME --prepare \(path)`"
      )
    }
  }

  /// Compiles cases, several at a time; those of other groups that the folder has stay.
  ///
  /// - Returns: what could not be compiled, with the reason.
  func prepare(
    _ cases: [SuiteCase],
    of suite: Suite,
    for target: Target,
    options: CompilerOptions,
    in workDirectory: String,
    report: @escaping @Sendable (String) -> Void
  ) async throws(Diagnostic) -> [(name: String, problem: Diagnostic)] {
    try FileSystem.createFolder(path)
    let compiler = Compiler(target: target, options: options)
    let width = options.jobs == 0 ? Processors.count : options.jobs
    let outcomes = await withTaskGroup(of: (Int, Diagnostic?).self) { group in
      var outcomes: [Int: Diagnostic?] = [:]
      var pending = cases.enumerated().makeIterator()
      func startNext(_ group: inout TaskGroup<(Int, Diagnostic?)>) {
        guard let (index, each) = pending.next() else { return }
        group.addTask {
          do throws(Diagnostic) {
            let graph = try Graph.parse(each.graph)
            _ = try await compiler.compile(
              graph,
              in: workDirectory,
              for: "suite",
              to: library(each)
            )
            report(each.name)
            return (index, nil)
          } catch { return (index, error) }
        }
      }
      for _ in 0..<width { startNext(&group) }
      while let (index, problem) = await group.next() {
        outcomes[index] = .some(problem)
        startNext(&group)
      }
      return outcomes
    }
    let made = cases.indices.filter { outcomes[$0] == .some(nil) }.map { cases[$0] }
    let problems = cases.indices.compactMap { index in
      outcomes[index]?.map { (cases[index].name, $0) }
    }
    var index = Index(suite: suite.rawValue, target: "\(target)", cases: [])
    if FileSystem.exists(indexPath), let old = try? read(), old.target == index.target {
      index.cases = old.cases.filter { known in !cases.contains { $0.name == known.name } }
    }
    index.cases += made
    try write(index)
    return problems
  }

  private func write(_ index: Index) throws(Diagnostic) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    guard let data = try? encoder.encode(index) else { return }
    try FileSystem.write(String(decoding: data, as: UTF8.self), to: indexPath)
  }
}

/// The time of one copy of a case.
struct SuiteTime: Codable {
  let name: String
  let group: String
  let microseconds: Double
  let tflop_per_second: Double
  let gigabyte_per_second: Double
  let share_of_copy: Double

  /// Times a library on random tensors.
  ///
  /// The copies are timed together, in a CUDA graph where the device has them, one after the other.
  init(
    _ each: SuiteCase,
    _ module: CompiledModule,
    seconds: Double,
    usesGraph: Bool,
    copyRate: Double
  ) throws(Diagnostic) {
    let graph = try Graph.parse(module.graphText)
    var constants: [String: DeviceTensor] = [:]
    for id in graph.constants {
      let value = graph[id]
      let extents = value.type.shape.constants ?? []
      constants[value.name] = try .random(value.type.dtype, extents, on: module)
    }
    try module.setConstants(constants)
    let inputs = try module.inputs.map { input throws(Diagnostic) in
      try DeviceTensor.random(input.dtype, input.maximumShape, on: module)
    }
    let outputs = try module.allocateOutputs(for: inputs)
    let timing = try Timing(module, inputs, outputs, seconds: seconds, usesGraph: usesGraph)
    let time = timing.median / Double(each.copies)
    name = each.name
    group = each.group
    microseconds = 1e6 * time
    tflop_per_second = each.flops / time / 1e12
    gigabyte_per_second = each.bytes / time / 1e9
    share_of_copy = copyRate > 0 ? each.bytes / time / copyRate : 0
  }
}

extension DeviceTensor {
  /// Random elements in -1...1: a block of them, again and again, so that large tensors are made
  /// quickly.
  fileprivate static func random(_ dtype: DType, _ shape: [Int], on module: CompiledModule)
    throws(Diagnostic) -> DeviceTensor
  {
    let tensor = try DeviceTensor(dtype, shape, on: module)
    let count = shape.reduce(1, *)
    // A prime, so that rows of usual lengths differ.
    let block = min(count, 262_139)
    var generator = RandomGenerator(seed: UInt64(count))
    let data = TensorData.random(dtype, [block], using: &generator)
    try tensor.part(dtype, [block], offsetInBytes: 0).write(data)
    var filled = block
    while filled < count {
      let next = min(filled, count - filled)
      let offset = filled * dtype.sizeInBytes
      try tensor.part(dtype, [next], offsetInBytes: offset)
        .copy(tensor.part(dtype, [next], offsetInBytes: 0))
      filled += next
    }
    // Runs are in streams that do not wait for the copies.
    try tensor.waitForCopies()
    return tensor
  }
}
