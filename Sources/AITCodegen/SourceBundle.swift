import AITGraph
import AITKernels

/// Everything a library is built from: it builds with a C++ compiler alone (`make` in its folder).
package struct SourceBundle: Sendable {
  /// A text file, by its path in the bundle.
  package struct File: Hashable, Sendable {
    package let path: String
    package let text: String

    package init(path: String, text: String) {
      self.path = path
      self.text = text
    }
  }

  /// A translation unit to compile.
  package struct Unit: Hashable, Sendable {
    /// The path of its file.
    package let path: String
    /// Flags beyond those of all units.
    package let flags: [String]
    /// Whether the unit may use all instructions of the target; others run before it is known that
    /// the machine has them.
    package let isKernel: Bool

    package init(path: String, flags: [String], isKernel: Bool = false) {
      self.path = path
      self.flags = flags
      self.isKernel = isKernel
    }

    /// Whether the unit is assembly, not C++.
    package var isAssembly: Bool { path.hasSuffix(".S") }
  }

  /// A file of device code to compile for an architecture.
  package struct DeviceUnit: Hashable, Sendable {
    /// The path of its file.
    package let path: String
    /// The name of the kernel in it.
    package let kernel: String
    package let architecture: Target.CUDA

    package init(path: String, kernel: String, architecture: Target.CUDA) {
      self.path = path
      self.kernel = kernel
      self.architecture = architecture
    }
  }

  package var name: String
  package var files: [File]
  package var units: [Unit]
  package var deviceUnits: [DeviceUnit] = []
  package var includePaths: [String]

  package init(name: String, files: [File], units: [Unit], includePaths: [String]) {
    self.name = name
    self.files = files
    self.units = units
    self.includePaths = includePaths
  }
}
