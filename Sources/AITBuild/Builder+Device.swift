import AITCodegen
import AITGraph
import AITKernels

extension Builder {
  /// Compiles device code, several files at a time.
  ///
  /// - Returns: the paths of the cubins, in the order of the units.
  package func compileDevice(
    _ units: [SourceBundle.DeviceUnit],
    of bundle: SourceBundle,
    with device: DeviceToolchain,
    in folder: String
  ) async throws(Diagnostic) -> (cubins: [String], report: Report) {
    let headers = StableHash.hexadecimal(
      bundle.files.filter { $0.path.hasSuffix(".h") }.map { $0.path + $0.text }
        .joined(separator: "\u{0}")
    )
    let texts = Dictionary(bundle.files.map { ($0.path, $0.text) }, uniquingKeysWith: { $1 })
    let results = await inParallel(units) { unit async throws(Diagnostic) in
      try await compile(
        unit,
        text: texts[unit.path] ?? "",
        headers: headers,
        includePaths: bundle.includePaths,
        with: device,
        in: folder
      )
    }
    var report = Report()
    var cubins: [String] = []
    for result in results {
      let made = try result.get()
      cubins.append(made.path)
      if made.isReused { report.reused += 1 } else { report.compiled += 1 }
    }
    return (cubins, report)
  }

  private func compile(
    _ unit: SourceBundle.DeviceUnit,
    text: String,
    headers: String,
    includePaths: [String],
    with device: DeviceToolchain,
    in folder: String
  ) async throws(Diagnostic) -> (path: String, isReused: Bool) {
    let code = text.split(separator: "\n").filter { !$0.hasPrefix("//") }.joined(separator: "\n")
    let key = ObjectCache.key([device.version, unit.architecture.compilerFlag, headers, code])
    if let cached = cache.object(key) { return (cached, true) }
    let cubin = "\(unit.path).\(unit.architecture.rawValue).cubin"
    let arguments = device.arguments(
      unit.path,
      for: unit.architecture,
      hostCompiler: toolchain.compiler,
      includePaths: includePaths,
      to: cubin
    )
    let output = try await Command(device.compiler, arguments, in: folder).run()
    guard output.isSuccess else {
      throw Diagnostic(
        .compilerFailed,
        "the device compiler rejects generated code:\n\(output.text.prefix(4000))",
        at: "\(folder)/\(unit.path)",
        hint: "this is a defect of AITemplate: please report it with the file; the command was\n  "
          + "cd \(folder) && \(device.compiler) \(arguments.joined(separator: " "))"
      )
    }
    let path = "\(folder)/\(cubin)"
    cache.store(path, as: key)
    return (path, false)
  }

  /// Applies a function to all elements, as many at a time as the builder has jobs.
  private func inParallel<Element: Sendable, Value: Sendable>(
    _ elements: [Element],
    _ body: @escaping @Sendable (Element) async throws(Diagnostic) -> Value
  ) async -> [Result<Value, Diagnostic>] {
    await withTaskGroup(of: (Int, Result<Value, Diagnostic>).self) { group in
      var results: [Int: Result<Value, Diagnostic>] = [:]
      var pending = elements.enumerated().makeIterator()
      func startNext(_ group: inout TaskGroup<(Int, Result<Value, Diagnostic>)>) {
        guard let (index, element) = pending.next() else { return }
        group.addTask {
          do throws(Diagnostic) { return (index, .success(try await body(element))) } catch {
            return (index, .failure(error))
          }
        }
      }
      for _ in 0..<jobs { startNext(&group) }
      while let (index, result) = await group.next() {
        results[index] = result
        startNext(&group)
      }
      return elements.indices.compactMap { results[$0] }
    }
  }
}
