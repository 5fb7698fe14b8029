import AITKernels
import AITPlan

/// Writes `device.cpp`: a model's kernels on a device and the images that hold them.
package struct DeviceTables {
  /// The machine code of one kernel for one architecture.
  package struct Image: Sendable {
    package let kernel: String
    package let architecture: Target.CUDA
    package let sizeInBytes: Int

    package init(kernel: String, architecture: Target.CUDA, sizeInBytes: Int) {
      self.kernel = kernel
      self.architecture = architecture
      self.sizeInBytes = sizeInBytes
    }
  }

  /// The distance between the images' beginnings is a multiple of this.
  package static let alignment = 64
  /// The symbol at the first image.
  package static let symbol = "aitDeviceImages"
  private let kernels: [KernelSource]
  private let architectures: [Target.CUDA]
  private let images: [Image]
  private let isEmulated: Bool
  private let driverVersion: Int

  /// The images lie one after another in the order given, each at a multiple of `alignment`; drivers
  /// that load them are for a version of CUDA, such as 13000, at least.
  package init(_ plan: Plan, images: [Image], driverVersion: Int) {
    self.driverVersion = driverVersion
    kernels = plan.kernels.filter { !$0.entries.isEmpty }
    architectures = plan.target.gpus
    isEmulated = plan.target.isEmulated
    self.images = images
  }

  private var names: [String] {
    kernels.flatMap { kernel in kernel.entries.indices.map { kernel.entryName($0) } }
  }

  /// The text of `device.cpp`.
  package var text: String {
    var writer = CodeWriter()
    writer.line("// The kernels on the device, and the images that hold them. Generated.")
    writer.line("#include \"ait/model_description.h\"")
    writer.line()
    writer.line(
      "extern \"C\" __attribute__((visibility(\"hidden\"))) const unsigned char \(Self.symbol)[];"
    )
    for name in names { writer.line("extern \"C\" const ait::DeviceKernel \(name);") }
    writer.line()
    writer.block("extern \"C\" {", "}") { writer in
      var number = 0
      for kernel in kernels {
        let numbers = kernel.entries.indices.map { "\(number + $0)" }.joined(separator: ", ")
        writer.line("extern const int32_t \(kernel.functionName)_kernels[];")
        writer.line("const int32_t \(kernel.functionName)_kernels[] = {\(numbers)};")
        number += kernel.entries.count
      }
    }
    writer.line()
    writer.line("namespace {")
    writer.line()
    writer.block("const ait::DeviceKernel* const kernels[] = {", "};") { writer in
      for name in names { writer.line("&\(name),") }
    }
    writeImages(&writer)
    writer.block("const ait::DeviceArchitecture architectures[] = {", "};") { writer in
      for (index, gpu) in architectures.enumerated() {
        let count = images.count { $0.architecture == gpu }
        writer.line(
          "{\(Cxx.string(gpu.rawValue)), \(gpu.capability / 10), \(gpu.capability % 10), "
            + "\(gpu.isSpecific), \(count), images\(index)},"
        )
      }
    }
    writer.line()
    writer.line("}  // namespace")
    writer.line()
    writer.line("namespace ait::generated {")
    writer.line("extern const DeviceCode device;")
    writer.line(
      "const DeviceCode device = {&cudaBackend, \(driverVersion), 16, "
        + "\(architectures.count), architectures, \(names.count), kernels"
        + (isEmulated ? ", true};" : "};")
    )
    writer.line("}  // namespace ait::generated")
    return writer.output
  }

  private func writeImages(_ writer: inout CodeWriter) {
    var offset = 0
    var entries: [Target.CUDA: [String]] = [:]
    for image in images {
      entries[image.architecture, default: []].append(
        "{\(Self.symbol) + \(offset), \(image.sizeInBytes), \(Cxx.string(image.kernel))},"
      )
      offset += (image.sizeInBytes + Self.alignment - 1) / Self.alignment * Self.alignment
    }
    for (index, gpu) in architectures.enumerated() {
      writer.block("const ait::DeviceImage images\(index)[] = {", "};") { writer in
        for entry in entries[gpu] ?? [] { writer.line(entry) }
      }
    }
  }
}
