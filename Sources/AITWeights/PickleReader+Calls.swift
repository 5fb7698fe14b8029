import AITGraph

/// What stands for the functions that a pickle of tensors calls.
extension PickleReader {
  /// Returns the result of a call.
  mutating func call(_ global: PickleGlobal, _ arguments: [PickleValue]) throws(Diagnostic)
    -> PickleValue
  {
    switch global {
    case .rebuildTensor, .rebuildTensorV2: return try rebuildTensor(arguments, typeAt: nil)
    case .rebuildTensorV3: return try rebuildTensor(arguments, typeAt: 6)
    case .rebuildParameter, .rebuildParameterWithState:
      guard let first = arguments.first else { throw Self.badCall(global) }
      if case .tensor = first { return first }
      // With state comes the function that makes the tensor, and its arguments.
      return try nestedCall(global, arguments, argumentsAt: 1)
    case .rebuildFromType: return try nestedCall(global, arguments, argumentsAt: 2)
    case .size:
      guard case .tuple(let number)? = arguments.first else { throw Self.badCall(global) }
      return .tuple(number)
    case .orderedDictionary:
      let dictionary = try makeDictionary()
      if let first = arguments.first { try fill(dictionary, with: first) }
      return dictionary
    case .opaqueClass(let name): return .other("a value of \(name)")
    case .encode: return .other("bytes")
    case .storageClass, .tensorClass, .elementType: throw Self.badCall(global)
    }
  }

  /// Calls a function that is given as an argument; only one that makes a tensor at once is.
  private mutating func nestedCall(
    _ global: PickleGlobal,
    _ arguments: [PickleValue],
    argumentsAt position: Int
  ) throws(Diagnostic) -> PickleValue {
    guard arguments.count > position, case .global(let inner) = arguments[0],
      case .tuple(let number) = arguments[position]
    else { throw Self.badCall(global) }
    switch inner {
    case .rebuildTensor, .rebuildTensorV2, .rebuildTensorV3:
      return try call(inner, contents.sequences[number])
    default: throw Self.badCall(global)
    }
  }

  /// Fills a new ordered dictionary from a list of pairs.
  private mutating func fill(_ dictionary: PickleValue, with pairs: PickleValue) throws(Diagnostic)
  {
    guard case .dictionary(let target) = dictionary else { return }
    switch pairs {
    case .dictionary(let source):
      try count(pushes: contents.dictionaries[source].count)
      contents.dictionaries[target] = contents.dictionaries[source]
    case .list(let list), .tuple(let list):
      try count(pushes: contents.sequences[list].count)
      for pair in contents.sequences[list] {
        guard let items = sequence(pair), items.count == 2 else {
          throw Self.badCall(.orderedDictionary)
        }
        contents.dictionaries[target].append((items[0], items[1]))
      }
    default: throw Self.badCall(.orderedDictionary)
    }
  }

  // MARK: - Tensors

  /// Makes a tensor of (storage, offset, size, stride, …), checked to lie within the storage.
  private mutating func rebuildTensor(
    _ arguments: [PickleValue],
    typeAt typePosition: Int?
  ) throws(Diagnostic) -> PickleValue {
    guard arguments.count >= 4, case .storage(let number) = arguments[0],
      case .integer(let offset) = arguments[1], let shape = integers(arguments[2]),
      let strides = integers(arguments[3])
    else { throw Self.badCall(typePosition == nil ? .rebuildTensorV2 : .rebuildTensorV3) }
    let storage = contents.storages[number]
    var elementType = storage.elementType
    if let typePosition {
      guard arguments.count > typePosition,
        case .global(.elementType(_, let type)) = arguments[typePosition]
      else { throw Self.badCall(.rebuildTensorV3) }
      elementType = type
    }
    guard let elementType else {
      throw Diagnostic(.corruptFile, "a tensor over an untyped storage, without an element type")
    }
    let view = try StridedView(
      shape: shape,
      strides: strides,
      offset: offset,
      elementSizeInBytes: elementType.sizeInBits / 8,
      storageSizeInBytes: storage.range.count
    )
    let metadata = arguments.dropFirst(typePosition.map { $0 + 1 } ?? 6).first
    guard contents.tensors.count < Limits.tensorCount else { throw Self.tooMuch("tensors") }
    contents.tensors.append(
      PickleContents.Tensor(
        elementType: elementType,
        view: view,
        range: storage.range,
        isNegated: metadata.map { has("neg", $0) } ?? false
      )
    )
    return .tensor(contents.tensors.count - 1)
  }

  /// Makes a storage of ("storage", class, key, device, element count).
  func makeStorage(
    _ identifier: PickleValue,
    in archive: ZipArchive,
    folder: String
  ) throws(Diagnostic) -> PickleContents.Storage {
    guard let parts = sequence(identifier), parts.count == 5, case .text("storage") = parts[0],
      case .global(.storageClass(_, let type)) = parts[1], case .text(let key) = parts[2],
      case .integer(let count) = parts[4], count >= 0
    else {
      throw Diagnostic(.corruptFile, "a reference outside the pickle that is no storage")
    }
    let range = try archive.range(of: "\(folder)data/\(key)")
    let size = count.multipliedReportingOverflow(by: type.map { $0.sizeInBits / 8 } ?? 1)
    guard !size.overflow, size.partialValue <= range.count else {
      throw Diagnostic(
        .corruptFile,
        "a storage of \(count) elements in the record \(quoted("data/\(key)")) of \(range.count) "
          + "bytes"
      )
    }
    return PickleContents.Storage(
      elementType: type,
      range: range.lowerBound..<(range.lowerBound + size.partialValue)
    )
  }

  // MARK: - Parts

  private func sequence(_ value: PickleValue) -> [PickleValue]? {
    switch value {
    case .tuple(let number), .list(let number): contents.sequences[number]
    default: nil
    }
  }

  private func integers(_ value: PickleValue) -> [Int]? {
    guard let values = sequence(value) else { return nil }
    var result: [Int] = []
    // One more than the greatest rank is enough to be refused.
    for case .integer(let integer) in values.prefix(Extents.maximumRank + 1) {
      result.append(integer)
    }
    return result.count == min(values.count, Extents.maximumRank + 1) ? result : nil
  }

  /// Whether the short dictionary of a tensor's properties sets one to true.
  private func has(_ key: String, _ value: PickleValue) -> Bool {
    guard case .dictionary(let number) = value else { return false }
    return contents.dictionaries[number].prefix(16).contains {
      if case .text(key) = $0.key, case .boolean(true) = $0.value { true } else { false }
    }
  }

  private static func badCall(_ global: PickleGlobal) -> Diagnostic {
    Diagnostic(
      .corruptFile,
      "a call of \(global.name) with arguments that it does not take",
      hint: "the file was made by an unknown version of PyTorch or is damaged; "
        + "load and save it again with torch.save(model.state_dict(), \"weights.pt\")"
    )
  }
}
