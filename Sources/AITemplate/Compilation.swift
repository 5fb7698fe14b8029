import AITBuild
import AITCPU
import AITCodegen
import AITGPU
import AITGraph
import AITKernels
import AITPlan

/// A compiled library and what there is to know of its making.
public struct CompilationResult: Sendable {
  /// The path of the library.
  public let library: String
  /// The folder with the generated sources, which builds with a C++ compiler alone.
  public let sourceFolder: String
  /// Seconds spent in each stage.
  public let stageSeconds: [(stage: CompilationStage, seconds: Double)]
  /// Units compiled, and units whose objects the cache had.
  public let compiledUnits: Int
  /// Units whose objects the cache had.
  public let reusedUnits: Int
  /// The plan.
  package let plan: Plan

  /// The kernels that were chosen, one line a step.
  public var kernelTable: String { plan.kernelTable }
}

/// The sources of a model library, as text.
package struct ModelBundle: Sendable {
  package let bundle: SourceBundle
  package let plan: Plan

  /// The units whose objects do not depend on the constants' data.
  package let codeUnits: [SourceBundle.Unit]

  /// The stages that the library keeps as text.
  package let stages: StageListing

  /// Writes all the sources of a plan but for the constants.
  package init(_ plan: Plan, compiler: String) throws(Diagnostic) {
    self.plan = plan
    var files: [SourceBundle.File] = []
    var units: [SourceBundle.Unit] = []
    // What speaks to a GPU's driver is left out of models for the CPU.
    for file in AITBuild.runtimeSources
    where plan.target.isGPU || !file.path.contains("/cuda_") {
      files.append(.init(path: "runtime/\(file.path)", text: file.text))
      if file.path.hasSuffix(".cpp") {
        units.append(.init(path: "runtime/\(file.path)", flags: Self.runtimeFlags))
      }
    }
    for file in plan.target.isGPU ? AITGPU.preludeSources : AITCPU.preludeSources {
      files.append(.init(path: "prelude/\(file.path)", text: file.text))
    }
    var users: [KernelSource: [String]] = [:]
    for step in plan.foldSteps + plan.steps {
      users[step.kernel, default: []].append(KernelUnit.describe(step))
    }
    var deviceUnits: [SourceBundle.DeviceUnit] = []
    for kernel in plan.kernels {
      let path = "kernels/\(kernel.functionName).cpp"
      let users = users[kernel] ?? []
      files.append(
        .init(path: path, text: KernelUnit.text(kernel, users: users, gpus: plan.target.gpus))
      )
      units.append(.init(path: path, flags: Self.kernelFlags, isKernel: true))
      for (index, entry) in kernel.entries.enumerated() {
        let path = "kernels/\(kernel.entryName(index)).cu"
        var text = KernelUnit.deviceText(kernel, entry: index, users: users)
        if plan.target.isEmulated {
          text += "\nAIT_DESCRIBE_KERNEL(\(kernel.entryName(index)))\n"
        }
        files.append(.init(path: path, text: text))
        deviceUnits += plan.target.gpus.filter(entry.architectures.contains).map {
          .init(path: path, kernel: kernel.entryName(index), architecture: $0)
        }
      }
    }
    let model = try ModelSource.text(plan, compiler: compiler, manifest: Manifest.json(plan))
    files.append(.init(path: "model.cpp", text: model))
    files.append(.init(path: "constants.h", text: ConstantImage.header))
    files.append(.init(path: "manifest.json", text: Manifest.json(plan) + "\n"))
    files.append(.init(path: "graph.ait", text: plan.graph.description))
    units.append(.init(path: "model.cpp", flags: ["-O1", "-I."]))
    stages = Self.stages(plan, files)
    files.append(.init(path: "stages.S", text: stages.assembly))
    units.append(.init(path: "stages.S", flags: []))
    codeUnits = units
    var bundle = SourceBundle(
      name: plan.graph.name,
      files: files,
      units: units,
      includePaths: ["runtime/include", "runtime/src", "prelude", "."]
    )
    bundle.deviceUnits = deviceUnits
    self.bundle = bundle
  }

  private static func stages(_ plan: Plan, _ files: [SourceBundle.File]) -> StageListing {
    let generated = files.filter { $0.path == "model.cpp" || $0.path.hasPrefix("kernels/") }
    return StageListing([
      .init("kernels", plan.kernelTable), .init("plan", plan.description),
      .init("source", generated.map { "// ---- \($0.path)\n\($0.text)\n" }.joined()),
    ])
  }

  /// Optimised for speed of the loops they hold.
  private static let kernelFlags = ["-O3"]
  /// Called a few times a run: size counts for more.
  private static let runtimeFlags = ["-Os", "-fno-rtti"]

  /// A file with which `make` builds the library from the bundle alone.
  ///
  /// - Parameters:
  ///   - target: what it builds for.
  ///   - toolchainFlags: flags of every call of the compiler.
  ///   - image: the constants.
  /// - Returns: the text.
  package func makefile(
    target: Target,
    toolchainFlags: [String] = [],
    image: ConstantImage
  ) -> String {
    let flags = (Builder.commonFlags + target.compilerFlags).joined(separator: " ")
    let machine = (toolchainFlags + target.baselineFlags).map { " \($0)" }.joined()
    let includes = bundle.includePaths.map { "-I\($0)" }.joined(separator: " ")
    let isGPU = plan.target.isGPU
    let tables = isGPU ? ["constants.cpp", "device.cpp"] : ["constants.cpp"]
    let sources = (codeUnits.map(\.path) + tables).joined(separator: " \\\n  ")
    // Data alone, as the compiler wrote it.
    let data = (image.isEmpty ? "" : " constants.o") + (isGPU ? " device.o" : "")
    let compilers =
      isGPU
      ? """
      # Builds lib\(bundle.name).so with a C++ compiler alone. Generated.
      # The machine code of kernels/*.cu is data, in device.o.
      """
      : """
      # Builds lib\(bundle.name).so with clang++ alone. Generated.
      # Make's own choice is not clang, whose vector extensions the kernels use.
      ifeq ($(origin CXX),default)
      CXX := clang++
      endif
      """
    return """
      \(compilers)
      # Nothing, unless the target is another architecture than the machine that compiled the model.
      MACHINE :=\(machine)
      CXXFLAGS := -O3 $(MACHINE) \(flags) \(includes)
      SOURCES := \\
        \(sources)
      OBJECTS := $(SOURCES:%=%.make.o)

      lib\(bundle.name).so: $(OBJECTS)\(data)
      \t$(CXX) $(MACHINE) -shared -o $@ $^ -static-libstdc++ -static-libgcc -pthread -Wl,--exclude-libs,ALL -lm

      %.cpp.make.o: %.cpp
      \t$(CXX) $(CXXFLAGS) -c $< -o $@

      %.S.make.o: %.S
      \t$(CXX) $(MACHINE) -c $< -o $@

      .PHONY: clean
      clean:
      \trm -f $(OBJECTS) lib\(bundle.name).so

      """
  }
}
