import AITBuild
import AITTestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The CUDA driver of the runtime's tests (`Tests/RuntimeTests/fake_cuda.h`), and a library for it.
///
/// A process that has loaded it has no other: tests use it in processes of their own.
enum FakeDriver {
  /// `fake::Control`: functions in the order of the structure.
  struct Control {
    let reset: @convention(c) () -> Void
    let setDriverVersion: @convention(c) (Int32) -> Void
    let setDeviceCount: @convention(c) (Int32) -> Void
    let setCapability: @convention(c) (Int32, Int32, Int32) -> Void
    let setMemory: @convention(c) (Int32, Int) -> Void
    let setDelay: @convention(c) (Int32) -> Void
    let addKernel: OpaquePointer
    let failCall: @convention(c) (UnsafePointer<CChar>, Int32, Int32) -> Void
    let failRunningKernel: @convention(c) (Int32) -> Void
    let callCount: @convention(c) (UnsafePointer<CChar>) -> Int
    let launchCount: @convention(c) (UnsafePointer<CChar>) -> Int
    let lastLaunch: OpaquePointer
    let allocatedInBytes: @convention(c) (Int32) -> Int
    let liveCount: @convention(c) (UnsafePointer<CChar>) -> Int
    let contextReferences: @convention(c) (Int32) -> Int32
    let misuse: @convention(c) () -> UnsafePointer<CChar>
  }

  private static let root: Substring = {
    let end = #filePath.firstRange(of: "/Tests/")?.lowerBound ?? #filePath.startIndex
    return #filePath[..<end]
  }()
  private static let folder = "\(root)/.build/runtime-tests/swift"

  /// The library of the model `blend`.
  static var library: String { "\(folder)/clang++/libcudablend.so" }

  /// Builds driver and library; once for all tests.
  static let isBuilt = Task { () throws in
    let result = try await AITTestSupport.run(
      program: "/usr/bin/env",
      [
        "make", "-C", "\(root)/Tests/RuntimeTests", "swift-fixtures", "BUILD=\(folder)",
        "CXX=\(try await Toolchain.find().compiler)",
      ]
    )
    #expect(result.code == 0, "\(result)")
  }

  /// Loads the driver into this process, as it is at first.
  static func load() throws -> Control {
    let driver = try #require(dlopen("\(folder)/clang++/libcuda.so.1", RTLD_NOW | RTLD_LOCAL))
    let symbol = try #require(dlsym(driver, "fakeCudaControl"))
    typealias Get = @convention(c) () -> UnsafeRawPointer
    let control = unsafeBitCast(symbol, to: Get.self)().load(as: Control.self)
    control.reset()
    return control
  }
}
