import AITBuild
import AITCodegen
import AITGraph
import AITPlan

/// Compiles the kernels of a GPU target and places them in the library as data.
struct DeviceStage {
  let builder: Builder
  let model: ModelBundle
  let folder: String

  /// For an emulated device the compiler is clang, and its driver is made and loaded, too.
  ///
  /// - Parameter compiler: nvcc; nil looks for one.
  /// - Returns: the objects to link; none for a CPU target.
  /// - Throws: `missingCompiler` where there is no nvcc, `compilerFailed` where it refuses a kernel.
  func compile(compiler: String?) async throws(Diagnostic) -> [String] {
    guard model.plan.target.isGPU else { return [] }
    let units = model.bundle.deviceUnits
    let isEmulated = model.plan.target.isEmulated
    let toolchain =
      isEmulated
      ? DeviceToolchain.emulating(builder.toolchain) : try await DeviceToolchain.find(at: compiler)
    if isEmulated { try await EmulatedDevice(builder: builder, folder: folder).load() }
    let (cubins, _) = try await builder.compileDevice(
      units,
      of: model.bundle,
      with: toolchain,
      in: folder
    )
    let data = try cubins.map { path throws(Diagnostic) in try FileSystem.readBytes(path) }
    let images = zip(units, data).map { unit, bytes in
      DeviceTables.Image(
        kernel: unit.kernel,
        architecture: unit.architecture,
        sizeInBytes: bytes.count
      )
    }
    let tables = DeviceTables(
      model.plan,
      images: images,
      driverVersion: toolchain.driverVersion
    ).text
    try FileSystem.write(tables, to: "\(folder)/device.cpp")
    var bundle = model.bundle
    bundle.files.append(.init(path: "device.cpp", text: tables))
    let unit = SourceBundle.Unit(path: "device.cpp", flags: ["-O0"])
    let objects = try await builder.compile([unit], of: bundle, in: folder).objects
    return objects + [try write(data)]
  }

  private func write(_ images: [[UInt8]]) throws(Diagnostic) -> String {
    let alignment = DeviceTables.alignment
    var bytes: [UInt8] = []
    for image in images {
      bytes += image
      bytes += [UInt8](repeating: 0, count: (alignment - bytes.count % alignment) % alignment)
    }
    let path = "\(folder)/device.o"
    let isArm = model.plan.target.resolvedCPU == .aarch64
    let object = DataObject(
      symbol: DeviceTables.symbol,
      sizeInBytes: bytes.count,
      architecture: isArm ? .aarch64 : .x86_64
    )
    let content = object.head + bytes + object.tail
    try FileSystem.write(to: path) { writer throws(Diagnostic) in
      let result = content.withUnsafeBytes { bytes -> Result<Void, Diagnostic> in
        do throws(Diagnostic) { return .success(try writer.write(bytes)) } catch {
          return .failure(error)
        }
      }
      try result.get()
    }
    return path
  }
}
