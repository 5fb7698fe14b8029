import AITBuild
import AITCodegen
import AITEmulator
import AITGPU
import AITGraph
import AITKernels
import AITLoader

/// The driver by which emulated devices are run: built where it is not there yet, and loaded into
/// this process.
package struct EmulatedDevice {
  private let builder: Builder
  private let folder: String

  /// - Parameters:
  ///   - builder: compiles it.
  ///   - folder: where sources are put; nobody else may write there meanwhile.
  package init(builder: Builder, folder: String) {
    self.builder = builder
    self.folder = folder
  }

  /// Loads the driver if a library is for an emulated device.
  ///
  /// - Parameters:
  ///   - library: its path.
  ///   - options: tell the compiler, and where what it makes is kept.
  /// - Throws: `loadFailed`, `missingCompiler`, `compilerFailed`.
  package static func prepare(
    for library: String,
    options: CompilerOptions = CompilerOptions()
  ) async throws(Diagnostic) {
    guard try EmulatedDriver.isWanted(by: library) else { return }
    let builder = Builder(
      toolchain: try await Toolchain.find(at: options.compiler),
      target: Target([.sm80], isEmulated: true),
      cache: ObjectCache(folder: options.objectCache),
      jobs: Processors.count
    )
    try await EmulatedDevice(builder: builder, folder: "\(library).emulator").load()
  }

  private static let flags = [
    "-O2", "-fvisibility=default", "-Wno-unused-command-line-argument",
  ]

  /// Loads the driver; does nothing if it is loaded.
  ///
  /// - Throws: `compilerFailed`; `loadFailed` where another driver is loaded already.
  package func load() async throws(Diagnostic) {
    if EmulatedDriver.isLoaded { return }
    try await Self.loading.run(build).get()
  }

  /// Compilations at the same time build the driver once.
  private static let loading = OneAtATime()

  private func build() async throws(Diagnostic) {
    if EmulatedDriver.isLoaded { return }
    let bundle = Self.bundle
    let key = ObjectCache.key(
      [builder.toolchain.version] + Self.flags + bundle.files.map { $0.path + $0.text }
    )
    let path = builder.libraryPath(key, orIn: folder)
    if !FileSystem.exists(path) {
      try FileSystem.createFolder(folder)
      try builder.write(bundle, to: folder)
      let objects = try await builder.compile(bundle.units, of: bundle, in: folder).objects
      try await builder.link(objects, to: path, flags: ["-Wl,-soname,libcuda.so.1", "-ldl"])
    }
    try EmulatedDriver.load(path)
  }

  private static var bundle: SourceBundle {
    let headers = AITGPU.preludeSources.filter { name, _ in
      name.hasSuffix("dialect_emulated_engine.h") || name.hasSuffix("/types.h")
    }
    let files =
      driverSources.map { SourceBundle.File(path: "emulator/driver/\($0.path)", text: $0.text) }
      + headers.map { SourceBundle.File(path: "emulator/prelude/\($0.path)", text: $0.text) }
    return SourceBundle(
      name: "emulator",
      files: files,
      units: files.map(\.path).filter { $0.hasSuffix(".cpp") }.map {
        .init(path: $0, flags: flags)
      },
      includePaths: ["emulator/driver", "emulator/prelude"]
    )
  }
}

/// Runs what it is given after what it was given before.
private actor OneAtATime {
  private var last: Task<Result<Void, Diagnostic>, Never>?

  func run(_ body: @escaping @Sendable () async throws(Diagnostic) -> Void) async
    -> Result<Void, Diagnostic>
  {
    let previous = last
    let task = Task {
      _ = await previous?.value
      do throws(Diagnostic) { return Result<Void, Diagnostic>.success(try await body()) } catch {
        return .failure(error)
      }
    }
    last = task
    return await task.value
  }
}
