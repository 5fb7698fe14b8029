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

  private let library: ModelLibrary
  private let handle: AITemplateModelHandle
  private let isOnDevice: Bool
  /// The inputs, in the order of the C functions.
  public let inputs: [Description]
  /// The outputs, in the order of the C functions.
  public let outputs: [Description]

  /// The path of the library.
  public var path: String { library.path }

  /// Loads a library.
  ///
  /// - Parameters:
  ///   - path: a library made by `compile` or `ait compile`.
  ///   - runtimes: how many runs may go on at once; each has its own memory for intermediates.
  ///   - threads: threads of one run; 0 takes one for each processor this process may use.
  /// - Throws: `Diagnostic` with identity `loadFailed`.
  public init(contentsOf path: String, runtimes: Int = 1, threads: Int = 0) throws(Diagnostic) {
    library = try ModelLibrary(path: path)
    try EmulatedDriver.prepare(for: library)
    isOnDevice = try library.text("AITemplateGetTarget").contains("cuda:")
    typealias Create =
      @convention(c) (
        UnsafeMutablePointer<AITemplateModelHandle?>?, UnsafePointer<AITemplateCreateOptions>?
      ) -> AITemplateError
    let create = try library.function(
      "AITemplateModelContainerCreateWithOptions",
      as: Create.self
    )
    var options = AITemplateCreateOptions()
    options.struct_size = MemoryLayout<AITemplateCreateOptions>.size
    options.num_runtimes = max(1, runtimes)
    options.num_threads = max(0, threads)
    var made: AITemplateModelHandle?
    try library.check(create(&made, &options), .loadFailed)
    guard let made else { throw Diagnostic(.loadFailed, "no model was made", at: path) }
    handle = made
    inputs = try Self.describe(library, made, "Input")
    outputs = try Self.describe(library, made, "Output")
  }

  deinit {
    typealias Delete = @convention(c) (AITemplateModelHandle?) -> AITemplateError
    if let delete = try? library.function("AITemplateModelContainerDelete", as: Delete.self) {
      _ = delete(handle)
    }
  }

  // MARK: - Descriptions

  private typealias CountGetter =
    @convention(c) (
      AITemplateModelHandle?, UnsafeMutablePointer<Int>?
    ) -> AITemplateError
  private typealias NameGetter =
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

  // MARK: - Running

  /// Runs the model on tensors by name.
  ///
  /// - Parameters:
  ///   - inputs: one tensor for each input, of its element type, within its bounds.
  ///   - threads: at most so many threads; 0 takes the module's number.
  /// - Returns: the outputs by name, at the shapes this run gives.
  /// - Throws: `Diagnostic` with identity `invalidArgument` for wrong names, `runFailed` with the
  ///   library's own text otherwise.
  public func run(_ inputs: [String: TensorData], threads: Int = 0) throws(Diagnostic)
    -> [String: TensorData]
  {
    let ordered = try order(inputs)
    var results = try allocateOutputs(for: ordered)
    try run(ordered, into: &results, threads: threads)
    return Dictionary(
      uniqueKeysWithValues: zip(outputs, results).map { ($0.name, $1) }
    )
  }

  /// Runs the model on tensors in order, into outputs that the caller keeps: nothing is allocated
  /// but a few words of bookkeeping.
  public func run(_ inputs: [TensorData], into results: inout [TensorData], threads: Int = 0)
    throws(Diagnostic)
  {
    typealias Run =
      @convention(c) (
        AITemplateModelHandle?, UnsafePointer<AITData>?, Int, UnsafeMutablePointer<AITData>?, Int,
        UnsafePointer<AITemplateRunOptions>?
      ) -> AITemplateError
    let call = try library.function("AITemplateModelContainerRunWithOptions", as: Run.self)
    var options = AITemplateRunOptions()
    options.struct_size = MemoryLayout<AITemplateRunOptions>.size
    options.num_threads = max(0, threads)
    let error = Arguments.withData(inputs, &results) { inputs, outputs in
      if isOnDevice {
        return runOnDevice(inputs, outputs) { call(handle, $0, $1, $2, $3, &options) }
      }
      return call(
        handle,
        inputs.baseAddress,
        inputs.count,
        outputs.baseAddress,
        outputs.count,
        &options
      )
    }
    try library.check(error)
  }

  /// Runs with copies of the tensors in the device's memory.
  private func runOnDevice(
    _ inputs: UnsafeBufferPointer<AITData>,
    _ outputs: UnsafeMutableBufferPointer<AITData>,
    _ run: (
      UnsafePointer<AITData>?, Int, UnsafeMutablePointer<AITData>?, Int
    ) -> AITemplateError
  ) -> AITemplateError {
    let failure = AITemplateError(rawValue: 1)
    typealias Allocate =
      @convention(c) (
        UnsafeMutablePointer<UnsafeMutableRawPointer?>?, Int, AITemplateStreamHandle?, Bool
      ) -> AITemplateError
    typealias Free =
      @convention(c) (UnsafeMutableRawPointer?, AITemplateStreamHandle?, Bool) -> AITemplateError
    typealias Copy =
      @convention(c) (
        UnsafeMutableRawPointer?, UnsafeRawPointer?, Int, AITemplateMemcpyKind,
        AITemplateStreamHandle?, Bool
      ) -> AITemplateError
    guard let allocate = try? library.function("AITemplateDeviceMalloc", as: Allocate.self),
      let free = try? library.function("AITemplateDeviceFree", as: Free.self),
      let copy = try? library.function("AITemplateMemcpy", as: Copy.self)
    else { return failure }
    func size(_ data: AITData) -> Int {
      let count = (0..<data.shape.size).reduce(1) { $0 * Int(data.shape.shape_data[$1]) }
      return count * AITemplateDtypeSizeBytes(data.dtype)
    }
    var owned: [UnsafeMutableRawPointer] = []
    defer { for memory in owned { _ = free(memory, nil, true) } }
    func onDevice(_ data: AITData) -> AITData? {
      var result = data
      result.ptr = nil
      guard allocate(&result.ptr, size(data), nil, true).rawValue == 0 else { return nil }
      if let memory = result.ptr { owned.append(memory) }
      guard size(data) > 0 else { return result }
      return copy(result.ptr, data.ptr, size(data), .init(rawValue: 0), nil, true).rawValue == 0
        ? result : nil
    }
    let read = inputs.compactMap(onDevice)
    var written = outputs.compactMap(onDevice)
    guard read.count == inputs.count, written.count == outputs.count else { return failure }
    let error = run(read, read.count, &written, written.count)
    guard error.rawValue == 0 else { return error }
    for (host, device) in zip(outputs, written) where size(host) > 0 {
      let copied = copy(host.ptr, device.ptr, size(host), .init(rawValue: 1), nil, true)
      guard copied.rawValue == 0 else { return copied }
    }
    return error
  }

  /// Runs the model into memory that the caller owns, one pointer for each output, of the shapes
  /// that `allocateOutputs` gives.
  ///
  /// For tests that guard and poison the memory.
  package func run(
    _ inputs: [TensorData],
    into pointers: [UnsafeMutableRawPointer],
    shapes: [[Int]],
    threads: Int = 0
  ) throws(Diagnostic) {
    var results: [TensorData] = []
    for (index, pointer) in pointers.enumerated() {
      let count = shapes[index].reduce(1, *) * outputs[index].dtype.sizeInBytes
      let storage = TensorData.Storage(
        adopting: UnsafeMutableRawBufferPointer(start: pointer, count: count)
      ) { _ in }
      results.append(
        TensorData(outputs[index].dtype, shapes[index], storage: storage, offsetInBytes: 0)
      )
    }
    try run(inputs, into: &results, threads: threads)
  }

  private func order(_ named: [String: TensorData]) throws(Diagnostic) -> [TensorData] {
    if let unknown = named.keys.sorted().first(where: { name in
      !inputs.contains { $0.name == name }
    }) {
      let near = Identifier.nearest(to: unknown, among: inputs.map(\.name))
      throw Diagnostic(
        .invalidArgument,
        "the model has no input '\(unknown)'",
        at: path,
        hint: near.isEmpty
          ? "its inputs are \(inputs.map(\.name).joined(separator: ", "))"
          : "did you mean \(near.joined(separator: ", "))?"
      )
    }
    var ordered: [TensorData] = []
    for input in inputs {
      guard let tensor = named[input.name] else {
        throw Diagnostic(
          .invalidArgument,
          "input '\(input.name)' is missing",
          at: path,
          hint: "its inputs are \(inputs.map(\.name).joined(separator: ", "))"
        )
      }
      ordered.append(tensor)
    }
    return ordered
  }

  /// Makes output tensors of the shapes that a run on these inputs gives.
  public func allocateOutputs(for inputs: [TensorData]) throws(Diagnostic) -> [TensorData] {
    typealias Infer =
      @convention(c) (
        AITemplateModelHandle?, UnsafePointer<AITData>?, Int,
        UnsafeMutablePointer<UnsafeMutablePointer<Int64>?>?
      ) -> AITemplateError
    let infer = try library.function(
      "AITemplateModelContainerInferOutputShapes",
      as: Infer.self
    )
    let ranks = outputs.map(\.maximumShape.count)
    var storage = [Int64](repeating: 0, count: max(1, ranks.reduce(0, +)))
    var none: [TensorData] = []
    let error = storage.withUnsafeMutableBufferPointer { storage -> AITemplateError in
      var next = storage.baseAddress
      var pointers: [UnsafeMutablePointer<Int64>?] = ranks.map { rank in
        defer { next = next?.advanced(by: rank) }
        return next
      }
      return Arguments.withData(inputs, &none) { inputs, _ in
        infer(handle, inputs.baseAddress, inputs.count, &pointers)
      }
    }
    try library.check(error)
    var start = 0
    return zip(outputs, ranks).map { output, rank in
      defer { start += rank }
      return TensorData(zeros: output.dtype, storage[start..<(start + rank)].map { Int($0) })
    }
  }

  // MARK: - Constants

  /// Sets constants by name, all or none; the old ones are no longer read when it returns.
  ///
  /// Names are those of the user's program, dots and all, or as C identifiers. The tensors are kept
  /// alive by the module.
  public func setConstants(_ constants: [String: TensorData]) throws(Diagnostic) {
    typealias Set =
      @convention(c) (
        AITemplateModelHandle?, UnsafeMutablePointer<UnsafePointer<CChar>?>?,
        UnsafePointer<AITData>?,
        Int
      ) -> AITemplateError
    let call = try library.function("AITemplateModelContainerSetManyConstants", as: Set.self)
    let names = constants.keys.sorted()
    let tensors = names.compactMap { constants[$0] }
    let texts = names.map { Array($0.utf8CString) }
    var none: [TensorData] = []
    let error = Arguments.withData(tensors, &none) { data, _ in
      Arguments.withStrings(texts) { strings in
        call(handle, strings.baseAddress, data.baseAddress, data.count)
      }
    }
    do throws(Diagnostic) { try library.check(error, .invalidArgument) } catch {
      var hinted = error
      hinted.hint = try hint(forNames: names)
      throw hinted
    }
    constantsLock.withLock { for name in names { keptConstants[name] = constants[name] } }
  }

  /// The names near to those that no constant may have.
  private func hint(forNames names: [String]) throws(Diagnostic) -> String? {
    let known = try constantNames()
    let unknown = names.first { !known.contains(Identifier.make($0)) }
    let near = unknown.map { Identifier.nearest(to: Identifier.make($0), among: known) } ?? []
    return near.isEmpty ? nil : "did you mean \(near.joined(separator: ", "))?"
  }

  /// Sets one constant by name.
  public func setConstant(_ name: String, to tensor: TensorData) throws(Diagnostic) {
    try setConstants([name: tensor])
  }

  // The library reads constants where they lie, so they must stay.
  private var keptConstants: [String: TensorData] = [:]
  private let constantsLock = Lock()

  /// The constants that can be set by name.
  ///
  /// - Parameter unboundOnly: only those that the library has no value for.
  /// - Returns: the names, as C identifiers.
  /// - Throws: what the library says of a failed call.
  public func constantNames(unboundOnly: Bool = false) throws(Diagnostic) -> [String] {
    typealias Count =
      @convention(c) (
        AITemplateModelHandle?, Bool, Bool, UnsafeMutablePointer<Int>?
      ) -> AITemplateError
    typealias Names =
      @convention(c) (
        AITemplateModelHandle?, Bool, Bool, UnsafeMutablePointer<UnsafePointer<CChar>?>?
      ) -> AITemplateError
    var count = 0
    try library.check(
      try library.function("AITemplateModelContainerGetNumConstants", as: Count.self)(
        handle,
        unboundOnly,
        false,
        &count
      )
    )
    var names = [UnsafePointer<CChar>?](repeating: nil, count: max(1, count))
    try library.check(
      try library.function("AITemplateModelContainerGetConstantNames", as: Names.self)(
        handle,
        unboundOnly,
        false,
        &names
      )
    )
    return names.prefix(count).compactMap { $0.map { String(cString: $0) } }
  }

  /// Computes now what the model derives from constants; the first run would do it otherwise.
  public func foldConstants() throws(Diagnostic) {
    typealias Fold =
      @convention(c) (
        AITemplateModelHandle?, AITemplateStreamHandle?, Bool
      ) -> AITemplateError
    try library.check(
      try library.function("AITemplateModelContainerFoldConstants", as: Fold.self)(
        handle,
        nil,
        true
      )
    )
  }

  /// The bytes of a value derived from constants, after folding; for the compiler itself.
  package func foldedValue(_ index: Int) throws(Diagnostic) -> UnsafeRawBufferPointer {
    typealias Get =
      @convention(c) (
        AITemplateModelHandle?, Int, UnsafeMutablePointer<UnsafeRawPointer?>?,
        UnsafeMutablePointer<Int>?
      ) -> AITemplateError
    var data: UnsafeRawPointer?
    var size = 0
    try library.check(
      try library.function("AITemplateModelContainerGetFoldedValue", as: Get.self)(
        handle,
        index,
        &data,
        &size
      )
    )
    return UnsafeRawBufferPointer(start: data, count: size)
  }

  // MARK: - Measuring

  /// Times runs as AIT's benchmark does: `count` runs on each of `threads` callers.
  ///
  /// - Returns: milliseconds for one run.
  public func benchmark(_ inputs: [String: TensorData], count: Int = 100, callers: Int = 1)
    throws(Diagnostic) -> Double
  {
    typealias Benchmark =
      @convention(c) (
        AITemplateModelHandle?, UnsafePointer<AITData>?, Int, UnsafeMutablePointer<AITData>?, Int,
        AITemplateStreamHandle?, Bool, Int, Int, Bool, UnsafeMutablePointer<Float>?,
        UnsafeMutablePointer<UnsafeMutablePointer<Int64>?>?
      ) -> AITemplateError
    let call = try library.function("AITemplateModelContainerBenchmark", as: Benchmark.self)
    let ordered = try order(inputs)
    var results = try allocateOutputs(for: ordered)
    var milliseconds: Float = 0
    let error = Arguments.withData(ordered, &results) { inputs, outputs in
      call(
        handle,
        inputs.baseAddress,
        inputs.count,
        outputs.baseAddress,
        outputs.count,
        nil,
        false,
        count,
        callers,
        false,
        &milliseconds,
        nil
      )
    }
    try library.check(error)
    return Double(milliseconds)
  }

  /// Times each step of a run and writes the library's report as JSON.
  ///
  /// - Parameters:
  ///   - inputs: a tensor for each input.
  ///   - count: how many runs to average over.
  ///   - file: where the report is written.
  /// - Throws: what the library says of a failed call, or of a file that cannot be written.
  public func profile(_ inputs: [String: TensorData], count: Int = 20, to file: String)
    throws(Diagnostic)
  {
    typealias Profile =
      @convention(c) (
        AITemplateModelHandle?, UnsafePointer<AITData>?, Int, UnsafeMutablePointer<AITData>?, Int,
        AITemplateStreamHandle?, Int, UnsafePointer<CChar>?
      ) -> AITemplateError
    let call = try library.function("AITemplateModelContainerProfile", as: Profile.self)
    let ordered = try order(inputs)
    var results = try allocateOutputs(for: ordered)
    let error = Arguments.withData(ordered, &results) { inputs, outputs in
      call(
        handle,
        inputs.baseAddress,
        inputs.count,
        outputs.baseAddress,
        outputs.count,
        nil,
        count,
        file
      )
    }
    try library.check(error)
  }

  /// Runs the input kept in the library and compares with the outputs kept beside it.
  ///
  /// - Returns: the largest normalised error of an output.
  /// - Throws: `verificationFailed` if an output is off, or if nothing was kept.
  @discardableResult
  public func selfTest() throws(Diagnostic) -> Double {
    typealias SelfTest =
      @convention(c) (
        AITemplateModelHandle?, UnsafeMutablePointer<Double>?
      ) -> AITemplateError
    var error = 0.0
    try library.check(
      try library.function("AITemplateModelContainerSelfTest", as: SelfTest.self)(handle, &error),
      .verificationFailed
    )
    return error
  }
}
