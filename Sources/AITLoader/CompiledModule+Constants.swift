import AITGraph
import AITModelInterface

/// Values of constants.
extension CompiledModule {
  /// Sets constants by name, all or none; the old ones are no longer read when it returns.
  ///
  /// Names are those of the user's program, dots and all, or as C identifiers. The tensors are kept
  /// alive by the module; on a GPU it keeps copies on its device.
  public func setConstants(_ constants: [String: TensorData]) throws(Diagnostic) {
    if deviceName != nil {
      var copies: [String: DeviceTensor] = [:]
      for (name, tensor) in constants { copies[name] = try DeviceTensor(tensor, on: self) }
      return try setConstants(copies)
    }
    let names = constants.keys.sorted()
    var none: [TensorData] = []
    let error = try setMany(names) { set in
      Arguments.withData(names.compactMap { constants[$0] }, &none) { data, _ in set(data) }
    }
    try finishSetting(names, error) { constants[$0] }
  }

  /// Sets constants by name to tensors on the module's device, which are read where they lie: no
  /// run may write to them.
  public func setConstants(_ constants: [String: DeviceTensor]) throws(Diagnostic) {
    let names = constants.keys.sorted()
    let tensors = names.compactMap { constants[$0]?.argument }
    let error = try setMany(names) { set in
      Arguments.withDescriptions(tensors, []) { data, _ in set(data) }
    }
    try finishSetting(names, error) { constants[$0] }
  }

  private func setMany(
    _ names: [String],
    _ describe: ((UnsafeBufferPointer<AITData>) -> AITemplateError) -> AITemplateError
  ) throws(Diagnostic) -> AITemplateError {
    typealias Set =
      @convention(c) (
        AITemplateModelHandle?, UnsafeMutablePointer<UnsafePointer<CChar>?>?,
        UnsafePointer<AITData>?,
        Int
      ) -> AITemplateError
    let call = try library.function("AITemplateModelContainerSetManyConstants", as: Set.self)
    let texts = names.map { Array($0.utf8CString) }
    return describe { data in
      Arguments.withStrings(texts) { strings in
        call(handle, strings.baseAddress, data.baseAddress, data.count)
      }
    }
  }

  private func finishSetting(
    _ names: [String],
    _ error: AITemplateError,
    _ value: (String) -> (any Sendable)?
  ) throws(Diagnostic) {
    do throws(Diagnostic) { try library.check(error, .invalidArgument) } catch {
      var hinted = error
      hinted.hint = try hint(forNames: names)
      throw hinted
    }
    constantsLock.withLock { for name in names { keptConstants[name] = value(name) } }
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
}
