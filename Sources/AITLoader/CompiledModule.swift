import AITGraph
import AITModelInterface

/// A compiled model, loaded and ready to run.
///
/// Safe to use from several threads: as many runs go on at once as there are runtimes, further ones
/// wait. Setting constants waits for runs that use the old ones.
public final class CompiledModule: @unchecked Sendable {
  /// An input, output or constant of the model, at its largest shape.
  public struct Description: Hashable, Sendable {
    /// The name by which the library knows it.
    public let name: String
    /// The element type.
    public let dtype: DType
    /// The least extents.
    public let minimumShape: [Int]
    /// The greatest extents.
    public let maximumShape: [Int]
  }

  let container: ModelContainer
  /// The inputs, in the order of the C functions.
  public let inputs: [Description]
  /// The outputs, in the order of the C functions.
  public let outputs: [Description]

  // The library reads constants where they lie, so they must stay.
  var keptConstants: [String: any Sendable] = [:]
  let constantsLock = Lock()

  /// The path of the library.
  public var path: String { library.path }

  /// The GPU that the model runs on, such as `cuda:0 'NVIDIA H200'`; nil on the CPU.
  public var deviceName: String? { container.deviceName }

  var library: ModelLibrary { container.library }
  var handle: AITemplateModelHandle { container.handle }

  /// Loads a library.
  ///
  /// - Parameters:
  ///   - path: a library made by `compile` or `ait compile`.
  ///   - runtimes: how many runs may go on at once; each has its own memory for intermediates.
  ///   - threads: threads of one run; 0 takes one for each processor this process may use.
  ///   - device: which GPU a library for GPUs is to use, such as `cuda:1`; nil takes the one that
  ///     `AIT_CUDA_DEVICE` in the environment names, else that of the calling thread's context, else
  ///     the first. Nil for libraries for the CPU.
  /// - Throws: `Diagnostic` with identity `loadFailed`; of a library for GPUs also where there is no
  ///   driver, one that is too old, no such device, or none of the library's architectures.
  public init(
    contentsOf path: String,
    runtimes: Int = 1,
    threads: Int = 0,
    device: String? = nil
  ) throws(Diagnostic) {
    container = try ModelContainer(
      path: path,
      runtimes: runtimes,
      threads: threads,
      device: device
    )
    inputs = try Self.describe(container.library, container.handle, "Input")
    outputs = try Self.describe(container.library, container.handle, "Output")
  }

  // MARK: - Descriptions

  typealias CountGetter =
    @convention(c) (
      AITemplateModelHandle?, UnsafeMutablePointer<Int>?
    ) -> AITemplateError
  typealias NameGetter =
    @convention(c) (
      AITemplateModelHandle?, Int, UnsafeMutablePointer<UnsafePointer<CChar>?>?
    ) -> AITemplateError
  private typealias ShapeGetter =
    @convention(c) (
      AITemplateModelHandle?, Int, UnsafeMutablePointer<AITemplateParamShape>?
    ) -> AITemplateError
  private typealias DTypeGetter =
    @convention(c) (
      AITemplateModelHandle?, Int, UnsafeMutablePointer<AITemplateDtype>?
    ) -> AITemplateError

  private static func describe(
    _ library: ModelLibrary,
    _ handle: AITemplateModelHandle,
    _ kind: String
  ) throws(Diagnostic) -> [Description] {
    let prefix = "AITemplateModelContainerGet"
    var count = 0
    try library.check(
      try library.function("\(prefix)Num\(kind)s", as: CountGetter.self)(handle, &count)
    )
    let getName = try library.function("\(prefix)\(kind)Name", as: NameGetter.self)
    let getDType = try library.function("\(prefix)\(kind)Dtype", as: DTypeGetter.self)
    let getMinimum = try library.function("\(prefix)Minimum\(kind)Shape", as: ShapeGetter.self)
    let getMaximum = try library.function("\(prefix)Maximum\(kind)Shape", as: ShapeGetter.self)
    var result: [Description] = []
    for index in 0..<count {
      var name: UnsafePointer<CChar>?
      var dtype = AITemplateDtype(rawValue: 0)
      var minimum = AITemplateParamShape()
      var maximum = AITemplateParamShape()
      try library.check(getName(handle, index, &name))
      try library.check(getDType(handle, index, &dtype))
      try library.check(getMinimum(handle, index, &minimum))
      try library.check(getMaximum(handle, index, &maximum))
      guard let known = DType.allCases.first(where: { $0.abiCode == Int(dtype.rawValue) }) else {
        throw Diagnostic(.loadFailed, "element type \(dtype.rawValue) is unknown", at: library.path)
      }
      result.append(
        Description(
          name: name.map { String(cString: $0) } ?? "",
          dtype: known,
          minimumShape: extents(minimum),
          maximumShape: extents(maximum)
        )
      )
    }
    return result
  }

  private static func extents(_ shape: AITemplateParamShape) -> [Int] {
    (0..<shape.size).map { Int(shape.shape_data[$0]) }
  }

  /// The optimised graph as text, as it was compiled.
  public var graphText: String {
    get throws(Diagnostic) { try library.text("AITemplateGetGraphText") }
  }

  /// Inputs, outputs, buffers and kernels as JSON.
  public var manifest: String {
    get throws(Diagnostic) { try library.text("AITemplateGetManifest") }
  }

  /// What the library was compiled for.
  public var target: String { get throws(Diagnostic) { try library.text("AITemplateGetTarget") } }

  /// Figures of memory, in bytes.
  public struct MemoryFigures: Sendable {
    /// Intermediates of one runtime at the largest sizes.
    public let arenaBound: Int
    /// Constants kept in the library.
    public let constantsInImage: Int
    /// Values computed from constants.
    public let folded: Int
    /// Held by this module now.
    public let allocated: Int
  }

  /// How much memory the model takes.
  public var memory: MemoryFigures {
    get throws(Diagnostic) {
      typealias Getter =
        @convention(c) (
          AITemplateModelHandle?, UnsafeMutablePointer<AITemplateMemoryFigures>?
        ) -> AITemplateError
      var figures = AITemplateMemoryFigures()
      figures.struct_size = MemoryLayout<AITemplateMemoryFigures>.size
      let get = try library.function(
        "AITemplateModelContainerGetMemoryFigures",
        as: Getter.self
      )
      try library.check(get(handle, &figures))
      return MemoryFigures(
        arenaBound: Int(figures.arena_bound),
        constantsInImage: Int(figures.constants_in_image),
        folded: Int(figures.folded),
        allocated: Int(figures.allocated)
      )
    }
  }

  /// The names of the steps of a run, in order; the keys of a profile.
  public func stepNames() throws(Diagnostic) -> [String] {
    var count = 0
    try library.check(
      try library.function("AITemplateModelContainerGetNumSteps", as: CountGetter.self)(
        handle,
        &count
      )
    )
    let getName = try library.function(
      "AITemplateModelContainerGetStepName",
      as: NameGetter.self
    )
    var names: [String] = []
    for index in 0..<count {
      var name: UnsafePointer<CChar>?
      try library.check(getName(handle, index, &name))
      names.append(name.map { String(cString: $0) } ?? "")
    }
    return names
  }
}
