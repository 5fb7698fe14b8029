import AITCodegen
import AITGraph
import AITKernels

/// Compiles the units of a bundle in parallel and links them.
package struct Builder: Sendable {
  package let toolchain: Toolchain
  private let target: Target
  let cache: ObjectCache
  let jobs: Int

  /// What a build did, for the progress line and the closing report.
  package struct Report: Sendable {
    package var compiled = 0
    package var reused = 0
  }

  package init(toolchain: Toolchain, target: Target, cache: ObjectCache, jobs: Int) {
    self.toolchain = toolchain
    self.target = target
    self.cache = cache
    self.jobs = max(1, jobs)
  }

  /// Flags of every unit.
  ///
  /// No fast-math: results are those of the written expressions, but that a product and a sum may
  /// be rounded once (`-ffp-contract=fast`).
  package static let commonFlags = [
    "-std=c++17", "-fPIC", "-fvisibility=hidden", "-ffp-contract=fast", "-fno-math-errno",
    "-fno-trapping-math", "-ffunction-sections", "-fdata-sections", "-fno-ident", "-Wall",
    "-Wno-psabi", "-Wno-unused-function", "-Werror=return-type",
  ]

  /// Writes the bundle's files; those that are there with the same content stay as they are.
  package func write(_ bundle: SourceBundle, to folder: String) throws(Diagnostic) {
    for file in bundle.files {
      let path = "\(folder)/\(file.path)"
      if let slash = path.lastIndex(of: "/") { try FileSystem.createFolder(String(path[..<slash])) }
      if FileSystem.read(path) != file.text { try FileSystem.write(file.text, to: path) }
    }
  }

  /// Compiles units of a bundle that has been written to a folder.
  ///
  /// - Returns: the paths of the objects, in the order of the units.
  package func compile(_ units: [SourceBundle.Unit], of bundle: SourceBundle, in folder: String)
    async throws(Diagnostic) -> (objects: [String], report: Report)
  {
    let headers = StableHash.hexadecimal(
      bundle.files.filter { $0.path.hasSuffix(".h") }.map { $0.path + $0.text }
        .joined(separator: "\u{0}")
    )
    var texts: [String: String] = [:]
    for file in bundle.files { texts[file.path] = file.text }
    let paths = bundle.includePaths
    let results = await withTaskGroup(
      of: (Int, Result<(path: String, isReused: Bool), Diagnostic>).self
    ) { group in
      var results: [Int: Result<(path: String, isReused: Bool), Diagnostic>] = [:]
      var pending = units.enumerated().makeIterator()
      func startNext(
        _ group: inout TaskGroup<(Int, Result<(path: String, isReused: Bool), Diagnostic>)>
      ) {
        guard let (index, unit) = pending.next() else { return }
        let text = texts[unit.path] ?? ""
        group.addTask {
          do throws(Diagnostic) {
            let made = try await compile(
              unit,
              text: text,
              headers: headers,
              includePaths: paths,
              in: folder
            )
            return (index, .success(made))
          } catch { return (index, .failure(error)) }
        }
      }
      for _ in 0..<jobs { startNext(&group) }
      while let (index, result) = await group.next() {
        results[index] = result
        startNext(&group)
      }
      return results
    }
    var report = Report()
    var objects: [String] = []
    for index in units.indices {
      guard let result = results[index] else { continue }
      let made = try result.get()
      objects.append(made.path)
      if made.isReused { report.reused += 1 } else { report.compiled += 1 }
    }
    return (objects, report)
  }

  private func compile(
    _ unit: SourceBundle.Unit,
    text: String,
    headers: String,
    includePaths: [String],
    in folder: String
  ) async throws(Diagnostic) -> (path: String, isReused: Bool) {
    let instructions = unit.isKernel ? target.compilerFlags : target.baselineFlags
    let flags = Self.commonFlags + toolchain.flags + instructions + unit.flags
    // Comments say which model a unit belongs to; the object does not depend on them.
    let code = text.split(separator: "\n").filter { !$0.hasPrefix("//") }.joined(separator: "\n")
    let key = ObjectCache.key(
      [toolchain.version, unit.isKernel ? target.machine : "", headers, code] + flags
    )
    if let cached = cache.object(key) { return (cached, true) }
    let object = "\(unit.path).o"
    let language =
      unit.isAssembly ? flags.filter { !$0.hasPrefix("-std") && !$0.hasPrefix("-W") } : flags
    let arguments =
      language + includePaths.map { "-I\($0)" } + ["-c", unit.path, "-o", object]
    let output = try await Command(toolchain.compiler, arguments, in: folder).run()
    guard output.isSuccess else {
      if let problem = toolchain.problem(in: output.text, for: target, at: "\(folder)/\(object)") {
        throw problem
      }
      throw Diagnostic(
        .compilerFailed,
        "the compiler rejects generated code:\n\(output.text.prefix(4000))",
        at: "\(folder)/\(unit.path)",
        hint: "this is a defect of AITemplate: please report it with the file; the command was\n  "
          + "cd \(folder) && \(toolchain.compiler) \(arguments.joined(separator: " "))"
      )
    }
    let path = "\(folder)/\(object)"
    cache.store(path, as: key)
    return (path, false)
  }

  /// Where a library of the builder's own is kept: in the cache, or in a folder if there is none.
  package func libraryPath(_ key: String, orIn folder: String) -> String {
    cache.libraryPath(key) ?? "\(folder)/\(key).so"
  }

  /// Links objects into a library that needs nothing but the C library, aside and then in place.
  package func link(_ objects: [String], to name: String, flags: [String] = [])
    async throws(Diagnostic)
  {
    try FileSystem.checkDestination(name)
    let path = FileSystem.destination(name)
    let aside = "\(path).\(UInt32.random(in: 0...UInt32.max)).partial"
    let arguments =
      toolchain.flags + target.baselineFlags + ["-shared", "-o", aside] + objects
      + toolchain.linkFlags + flags
    let output: Command.Output
    do throws(Diagnostic) {
      output = try await Command(toolchain.compiler, arguments).run()
    } catch {
      FileSystem.remove(aside)
      throw error
    }
    guard output.isSuccess else {
      FileSystem.remove(aside)
      if let problem = toolchain.problem(in: output.text, for: target, at: path) { throw problem }
      throw Diagnostic(
        .compilerFailed,
        "linking failed:\n\(output.text.prefix(4000))",
        at: path,
        hint: "see that the disk has room and that the compiler finds a linker and libstdc++"
      )
    }
    try FileSystem.rename(aside, to: path)
  }
}
