import AITBuild
import AITGraph
import AITProfile

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// How a model is compiled.
///
/// Defaults suit most; nothing else reads the environment.
public struct CompilerOptions: Sendable {
  /// The C++ compiler; nil searches `PATH`, then beside `swift`.
  ///
  /// It must be clang; for GPU targets g++ will do, and is taken where there is no clang.
  public var compiler: String?

  /// The compiler of device code for GPU targets, nvcc; nil searches `PATH`, `CUDA_HOME` and NVIDIA's
  /// packages for Python.
  public var deviceCompiler: String?

  /// The folder in which clang looks for the target's headers and libraries; nil is the machine's own.
  ///
  /// For another architecture than this machine's, unless its C++ library is installed where clang
  /// finds it.
  public var sysroot: String?

  /// Units compiled at the same time; 0 takes one for each processor.
  public var jobs = 0

  /// The folder in which compiled objects are kept by content; nil keeps none.
  public var objectCache: String?

  /// Whether the optimising passes run.
  ///
  /// Without them every operator is a kernel: for finding faults.
  public var optimizes = true

  /// Whether products of float32 on a GPU may round their factors to tf32, 10 bits of mantissa.
  ///
  /// The matrix units then multiply them, many times faster. A factor errs by 2^-11 at most, sums
  /// stay float32, and results err by some 3e-4 of their norm; `ait verify` allows 1e-3 for a
  /// product. Products of at most 16 rows, bound by bandwidth, stay exact.
  public var allowsTF32 = false

  /// Whether convolutions of float32 with 3 x 3 constant filters may be computed by Winograd's minimal
  /// filtering on the CPU, where that is expected to be faster.
  ///
  /// It takes two to four times fewer products and errs a few times more: by up to 2.3e-6 of the
  /// norm of a result. An infinity in an image spreads to the outputs around it, as infinity or NaN.
  public var allowsWinograd = true

  /// Whether products of float32 by a constant, of 64 rows and more, may be computed by Strassen's
  /// algorithm on the CPU: seven multiplications for eight.
  ///
  /// It errs about twice as much: by some 8e-7 of the norm of a result. Rows that differ much in size,
  /// and infinities and NaN, are multiplied as by definition. The last digits of a row depend on the
  /// rows beside it, so on the size of a batch.
  public var allowsStrassen = true

  /// Whether constants with data can be set by name at run time.
  ///
  /// Values that the compiler derives from several of them (merged projections) then keep their
  /// sources in the library too.
  public var constantsAreSettable = true

  /// Whether to keep an input and its expected output in the library, for `selfTest()`, where the
  /// reference evaluator computes it quickly.
  public var includesSelfTest = true

  /// Whether every pass is checked: the graph verified, and evaluated before and after.
  public var checksPasses = false

  /// The file of a tuning record: measurements that the choice of kernels for a GPU rests on.
  ///
  /// Without one a model of the GPU chooses. The same record gives the same library.
  public var tuningRecord: String?

  /// Seconds for measuring kernels on this machine's GPU before they are chosen, beside the time for
  /// compiling them; nil measures none.
  ///
  /// What was measured before is taken from the cache of measurements, and what is measured is kept
  /// there.
  public var tuningSeconds: Int?

  /// The folder in which measurements are kept; nil keeps none.
  public var tuningCache: String?

  /// Called as stages begin and end, for a progress line.
  public var progress: (@Sendable (CompilationStage) -> Void)?

  /// Called with what a person may want to know, such as which compiler stands in for a missing one.
  public var remark: (@Sendable (String) -> Void)?

  /// Creates options with their defaults.
  public init() {
    objectCache = ObjectCache.standardFolder
    tuningCache = TuningCache.standardFolder
    if let compiler = getenv("AIT_CXX") { self.compiler = String(cString: compiler) }
    if let compiler = getenv("AIT_NVCC") { deviceCompiler = String(cString: compiler) }
  }
}

/// A part of compiling, in order.
public enum CompilationStage: String, CaseIterable, Sendable {
  /// The graph is improved.
  case passes
  /// Kernels are chosen and memory is laid out.
  case plan
  /// C++ is written.
  case codegen
  /// C++ is compiled.
  case compile
  /// What follows from constants alone is computed.
  case fold
  /// The library is put together.
  case link
}
