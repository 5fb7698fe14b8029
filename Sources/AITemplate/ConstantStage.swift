import AITBuild
import AITCodegen
import AITGraph
import AITKernels
import AITLoader
import AITPlan

/// Computes what follows from constants alone, by the compiled kernels themselves, and places data
/// in the library.
struct ConstantStage {
  let builder: Builder
  let model: ModelBundle
  let folder: String
  let target: Target

  private var plan: Plan { model.plan }

  /// The values of folded constants by position, as far as their sources are known here.
  ///
  /// The fold steps run in this process, in a library of the same objects, so that a packed weight
  /// of 100 MB takes as long as packing it. A target that this machine cannot run folds at its first
  /// run instead.
  func fold(_ objects: [String]) async throws(Diagnostic) -> [Int: TensorData] {
    let foldable = plan.folded.indices.filter { index in
      plan.folded[index].isReadByRuns
        && plan.folded[index].sources.allSatisfy { plan.constants[$0].constant.data != nil }
    }
    guard !foldable.isEmpty, target.runsOnHost else { return [:] }
    let tables = "fold_constants.cpp"
    let empty = ConstantImage(constants: [:], folded: [:])
    try FileSystem.write(empty.tables(plan, asUnbound: true), to: "\(folder)/\(tables)")
    let unit = SourceBundle.Unit(path: tables, flags: ["-O0"])
    let bundle = withFile(tables, empty.tables(plan, asUnbound: true))
    let (made, _) = try await builder.compile([unit], of: bundle, in: folder)
    let library = "\(folder)/.fold.so"
    try await builder.link(objects + made, to: library)
    defer {
      FileSystem.remove(library)
      FileSystem.remove("\(folder)/\(tables)")
      FileSystem.remove("\(folder)/\(tables).o")
    }
    let module = try CompiledModule(contentsOf: library)
    var sources: [String: TensorData] = [:]
    // The library wants them all before it folds; their memory is read where it lies.
    for constant in plan.constants {
      // Those without data are needed only by values that are not kept.
      sources[constant.name] =
        constant.constant.data
        ?? TensorData(zeros: constant.type.dtype, constant.type.shape.constants ?? [])
    }
    try module.setConstants(sources)
    try module.foldConstants()
    // Read once: the folded values take their memory.
    for constant in plan.constants { constant.constant.data?.dropMappedPages() }
    var result: [Int: TensorData] = [:]
    for index in foldable {
      let bytes = try module.foldedValue(index)
      // The module stays alive as long as its memory is referred to.
      let storage = TensorData.Storage(
        adopting: UnsafeMutableRawBufferPointer(mutating: bytes)
      ) { _ in withExtendedLifetime(module) {} }
      result[index] = TensorData(.uint8, [bytes.count], storage: storage, offsetInBytes: 0)
    }
    return result
  }

  private func withFile(_ path: String, _ text: String) -> SourceBundle {
    var bundle = model.bundle
    bundle.files.append(.init(path: path, text: text))
    return bundle
  }

  /// The data that the library holds: what runs read, and what folding again would need.
  func image(
    _ folded: [Int: TensorData],
    selfTest: ConstantImage.SelfTest?,
    areSettable: Bool
  ) -> ConstantImage {
    var constants: [Int: TensorData] = [:]
    for (index, constant) in plan.constants.enumerated() {
      guard let data = constant.constant.data else { continue }
      let isNeeded =
        constant.isReadByRuns || isNeededToFold(index, folded: folded)
        || (areSettable && isCompanion(index))
      if isNeeded { constants[index] = data }
    }
    return ConstantImage(constants: constants, folded: folded, selfTest: selfTest)
  }

  /// Whether some value that the library must fold itself depends on the constant.
  private func isNeededToFold(_ constant: Int, folded: [Int: TensorData]) -> Bool {
    plan.folded.indices.contains { index in
      plan.folded[index].isReadByRuns && folded[index] == nil
        && plan.folded[index].sources.contains(constant)
    }
  }

  /// Whether a value depends on the constant and on another that can be set by name: setting that
  /// one folds the value again.
  private func isCompanion(_ constant: Int) -> Bool {
    plan.folded.contains { value in
      value.sources.contains(constant)
        && value.sources.contains { $0 != constant && plan.constants[$0].constant.isNamed }
    }
  }

  /// Writes the constants' data and compiles the tables that point into it.
  ///
  /// - Returns: the paths of the objects.
  func compile(_ image: consuming ConstantImage) async throws(Diagnostic) -> [String] {
    let tables = image.tables(plan)
    let makefile = model.makefile(
      target: target,
      toolchainFlags: builder.toolchain.flags,
      image: image
    )
    try FileSystem.write(tables, to: "\(folder)/constants.cpp")
    try FileSystem.write(makefile, to: "\(folder)/Makefile")
    var objects: [String] = []
    if !image.isEmpty { objects.append(try write(image)) }
    let unit = SourceBundle.Unit(path: "constants.cpp", flags: ["-O0"])
    let bundle = withFile("constants.cpp", tables)
    return try await builder.compile([unit], of: bundle, in: folder).objects + objects
  }

  private func write(_ image: consuming ConstantImage) throws(Diagnostic) -> String {
    let path = "\(folder)/constants.o"
    let object = image.object(target.resolvedCPU == .aarch64 ? .aarch64 : .x86_64)
    try FileSystem.write(to: path) { writer throws(Diagnostic) in
      try writer.write(object.head)
      for part in image.parts {
        switch part {
        case .padding(let count): try writer.write([UInt8](repeating: 0, count: count))
        case .tensor(let data):
          try writer.write(data)
          // The linker will want as much memory again.
          data.dropMappedPages()
        }
      }
      try writer.write(object.tail)
    }
    return path
  }
}

extension FileSystem.Writer {
  fileprivate borrowing func write(_ bytes: [UInt8]) throws(Diagnostic) {
    let result = bytes.withUnsafeBytes { bytes -> Result<Void, Diagnostic> in
      do throws(Diagnostic) { return .success(try write(bytes)) } catch { return .failure(error) }
    }
    try result.get()
  }

  /// Writes the elements of a tensor.
  fileprivate borrowing func write(_ data: TensorData) throws(Diagnostic) {
    let result = data.withUnsafeBytes { bytes -> Result<Void, Diagnostic> in
      do throws(Diagnostic) { return .success(try write(bytes)) } catch { return .failure(error) }
    }
    try result.get()
  }
}
