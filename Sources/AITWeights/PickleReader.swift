import AITGraph

/// Reads the pickle of a PyTorch file without the power to run anything.
///
/// A pickle is a program for a machine with a stack. This machine knows containers, numbers, text
/// and the few names of `PickleGlobal`; every other name is refused the moment the program mentions
/// it. It does not recurse, and what a program can make it allocate is bounded by `Limits`, which
/// are far above those of the largest checkpoints published (some 10^5 tensors).
struct PickleReader {
  /// What one program may use.
  enum Limits {
    /// The longest program, in bytes.
    static let sizeInBytes = 1 << 28
    /// Lists, tuples, dictionaries, storages and tensors, all together.
    static let containerCount = 4_000_000
    /// Tensors.
    static let tensorCount = 1_000_000
    /// Values put on the stack over the whole run, or copied from one container to another.
    static let pushCount = 32_000_000
    /// Values kept for later use.
    static let memoCount = 8_000_000
    /// The longest name of a module or function, in bytes.
    static let nameLength = 1000
  }

  var contents = PickleContents()
  private var bytes: ByteCursor
  private let archive: ZipArchive
  /// The folder of the archive that holds `data.pkl`, with its slash.
  private let folder: String
  private var stack: [PickleValue] = []
  /// The heights of the stack at which marks were set.
  private var marks: [Int] = []
  private var memo: [UInt32: PickleValue] = [:]
  private var pushCount = 0
  private var containerCount = 0

  /// Runs the program in `data.pkl` of an archive and returns what it built.
  ///
  /// - Throws: `refusedPickle` for a name or instruction that could run code; `corruptFile` for a
  ///   program that breaks the rules or a tensor outside its storage; `unsupportedFormat`;
  ///   `sizeLimit`.
  static func read(_ archive: ZipArchive, folder: String) throws(Diagnostic) -> PickleContents {
    defer { withExtendedLifetime(archive) {} }
    let range = try archive.range(of: folder + "data.pkl")
    guard range.count <= Limits.sizeInBytes else {
      throw Diagnostic(
        .sizeLimit,
        "a pickle of \(range.count) bytes",
        at: archive.file.path,
        hint: "the limit is \(Limits.sizeInBytes) bytes; save the state dict alone"
      )
    }
    var reader = PickleReader(archive, folder, range)
    while true {
      let offset = reader.bytes.offset
      do {
        if try reader.step() { return reader.contents }
      } catch {
        throw error.located(at: "\(reader.bytes.location), byte \(offset)")
      }
    }
  }

  private init(_ archive: ZipArchive, _ folder: String, _ range: Range<Int>) {
    self.archive = archive
    self.folder = folder
    bytes = ByteCursor(archive.file, range, part: "data.pkl")
  }

  // MARK: - Instructions

  /// Carries out one instruction; returns true where the program ends.
  private mutating func step() throws(Diagnostic) -> Bool {
    let code = try bytes.readByte("the program")
    guard let opcode = PickleOpcode(rawValue: code) else {
      throw bytes.corrupt("an unknown instruction 0x\(String(code, radix: 16))")
    }
    switch opcode {
    case .stop:
      contents.root = try pop()
      return true
    case .proto:
      let version = try bytes.readByte("the protocol")
      guard (2...5).contains(version) else { throw Self.unsupportedProtocol(version) }
    case .frame:
      guard try bytes.read(UInt64.self, "a frame") <= UInt64(bytes.remaining) else {
        throw bytes.corrupt("a frame that is longer than the program")
      }
    case .mark:
      try count(pushes: 1)
      marks.append(stack.count)
    case .pop:
      if marks.last == stack.count { marks.removeLast() } else { _ = try pop() }
    case .popMark: _ = try popToMark()
    case .dup:
      let value = try pop()
      try push(value)
      try push(value)
    case .binget: try recall(UInt32(try bytes.readByte("a memo number")))
    case .longBinget: try recall(try bytes.read(UInt32.self, "a memo number"))
    case .binput: try memorize(UInt32(try bytes.readByte("a memo number")))
    case .longBinput: try memorize(try bytes.read(UInt32.self, "a memo number"))
    case .memoize: try memorize(UInt32(memo.count))
    case .none, .newtrue, .newfalse, .binint, .binint1, .binint2, .long1, .long4, .binfloat,
      .binunicode, .shortBinunicode, .binunicode8, .binbytes, .shortBinbytes, .binbytes8,
      .bytearray8, .binstring, .shortBinstring:
      try push(try readValue(opcode))
    case .emptyTuple, .tuple, .tuple1, .tuple2, .tuple3, .emptyList, .list, .append, .appends,
      .emptyDict, .dict, .setitem, .setitems, .emptySet, .additems, .frozenset:
      try stepContainer(opcode)
    case .global, .stackGlobal, .reduce, .newobj, .build, .binpersid:
      try stepCall(opcode)
    case .inst, .obj, .newobjEx, .ext1, .ext2, .ext4:
      throw Diagnostic(
        .refusedPickle,
        "the instruction \(opcode), which creates objects of any class",
        hint: "save the tensors alone: torch.save(model.state_dict(), \"weights.pt\")"
      )
    case .int, .long, .float, .string, .unicode, .persid, .get, .put:
      throw Self.unsupportedProtocol(0)
    case .nextBuffer, .readonlyBuffer:
      throw bytes.corrupt("the instruction \(opcode), whose buffer is not in the file")
    }
    return false
  }

  private static func unsupportedProtocol(_ version: UInt8) -> Diagnostic {
    Diagnostic(
      .unsupportedFormat,
      "a pickle of protocol \(version)",
      hint: "protocols 2 to 5 are read; torch.save uses 2 unless told otherwise"
    )
  }

  // MARK: - Stack and memo

  mutating func push(_ value: PickleValue) throws(Diagnostic) {
    try count(pushes: 1)
    stack.append(value)
  }

  private mutating func pop() throws(Diagnostic) -> PickleValue {
    guard stack.count > marks.last ?? 0, let value = stack.popLast() else {
      throw bytes.corrupt("an instruction that takes more than the stack holds")
    }
    return value
  }

  private mutating func popToMark() throws(Diagnostic) -> [PickleValue] {
    guard let mark = marks.popLast() else { throw bytes.corrupt("an instruction without a mark") }
    let values = Array(stack[mark...])
    stack.removeSubrange(mark...)
    return values
  }

  private mutating func recall(_ number: UInt32) throws(Diagnostic) {
    guard let value = memo[number] else {
      throw bytes.corrupt("memo \(number), which nothing was stored under")
    }
    try push(value)
  }

  private mutating func memorize(_ number: UInt32) throws(Diagnostic) {
    let value = try pop()
    stack.append(value)
    memo[number] = value
    guard memo.count <= Limits.memoCount else { throw Self.tooMuch("memo entries") }
  }

  mutating func count(pushes: Int) throws(Diagnostic) {
    pushCount += pushes
    guard pushCount <= Limits.pushCount else { throw Self.tooMuch("values") }
  }

  private mutating func countContainer() throws(Diagnostic) {
    containerCount += 1
    guard containerCount <= Limits.containerCount else { throw Self.tooMuch("containers") }
  }

  static func tooMuch(_ what: String) -> Diagnostic {
    Diagnostic(
      .sizeLimit,
      "a pickle that builds more \(what) than any checkpoint needs",
      hint: "save the state dict alone, without the optimiser's state"
    )
  }

  // MARK: - Values

  private mutating func readValue(_ opcode: PickleOpcode) throws(Diagnostic) -> PickleValue {
    switch opcode {
    case .newtrue: return .boolean(true)
    case .newfalse: return .boolean(false)
    case .binint: return .integer(Int(try bytes.read(Int32.self, "an integer")))
    case .binint1: return .integer(Int(try bytes.readByte("an integer")))
    case .binint2: return .integer(Int(try bytes.read(UInt16.self, "an integer")))
    case .long1: return try readLong(Int(try bytes.readByte("an integer")))
    case .long4: return try readLong(Int(try bytes.read(Int32.self, "an integer")))
    case .binfloat:
      return .float(Double(bitPattern: try bytes.read(UInt64.self, "a number").byteSwapped))
    case .binunicode: return try readText(UInt64(try bytes.read(UInt32.self, "a string")))
    case .shortBinunicode: return try readText(UInt64(try bytes.readByte("a string")))
    case .binunicode8: return try readText(try bytes.read(UInt64.self, "a string"))
    case .binbytes, .binstring:
      return try skipBytes(UInt64(try bytes.read(UInt32.self, "bytes")))
    case .shortBinbytes, .shortBinstring:
      return try skipBytes(UInt64(try bytes.readByte("bytes")))
    case .binbytes8, .bytearray8: return try skipBytes(try bytes.read(UInt64.self, "bytes"))
    default: return .none
    }
  }

  private mutating func readText(_ count: UInt64) throws(Diagnostic) -> PickleValue {
    .text(try bytes.readText(Int(clamping: count), "a string"))
  }

  private mutating func skipBytes(_ count: UInt64) throws(Diagnostic) -> PickleValue {
    try bytes.skip(Int(clamping: count), "bytes")
    return .other("bytes")
  }

  /// Reads an integer of any length, lowest byte first; those beyond 64 bits are of no use here.
  private mutating func readLong(_ count: Int) throws(Diagnostic) -> PickleValue {
    guard count <= 8 else {
      try bytes.skip(count, "an integer")
      return .other("an integer beyond 64 bits")
    }
    var value: Int64 = 0
    let digits = try bytes.readBytes(count, "an integer")
    for (index, byte) in digits.enumerated() { value |= Int64(byte) << (8 * Int64(index)) }
    if let last = digits.last, last >= 0x80, count < 8 { value |= -1 << (8 * Int64(count)) }
    return .integer(Int(value))
  }

  // MARK: - Containers

  private mutating func stepContainer(_ opcode: PickleOpcode) throws(Diagnostic) {
    switch opcode {
    case .emptyTuple: try push(try makeTuple([]))
    case .tuple: try push(try makeTuple(try popToMark()))
    case .tuple1: try push(try makeTuple([try pop()]))
    case .tuple2, .tuple3:
      let third = opcode == .tuple3 ? [try pop()] : []
      let second = try pop()
      try push(try makeTuple([try pop(), second] + third))
    case .emptyList: try push(try makeList([]))
    case .list: try push(try makeList(try popToMark()))
    case .append: try append([try pop()])
    case .appends: try append(try popToMark())
    case .emptyDict: try push(try makeDictionary())
    case .dict:
      let items = try popToMark()
      try push(try makeDictionary())
      try setItems(items)
    case .setitem:
      let value = try pop()
      try setItems([try pop(), value])
    case .setitems: try setItems(try popToMark())
    case .emptySet: try push(.other("a set"))
    case .frozenset:
      _ = try popToMark()
      try push(.other("a set"))
    default:
      // additems: what is in a set is of no use here.
      _ = try popToMark()
      guard case .other = try top() else { throw bytes.corrupt("items for what is no set") }
    }
  }

  private func top() throws(Diagnostic) -> PickleValue {
    guard stack.count > marks.last ?? 0, let value = stack.last else {
      throw bytes.corrupt("an instruction that takes more than the stack holds")
    }
    return value
  }

  private mutating func append(_ values: [PickleValue]) throws(Diagnostic) {
    guard case .list(let number) = try top() else {
      throw bytes.corrupt("an element for what is no list")
    }
    contents.sequences[number].append(contentsOf: values)
  }

  private mutating func setItems(_ items: [PickleValue]) throws(Diagnostic) {
    guard case .dictionary(let number) = try top(), items.count.isMultiple(of: 2) else {
      throw bytes.corrupt("items for what is no dictionary")
    }
    for index in stride(from: 0, to: items.count, by: 2) {
      contents.dictionaries[number].append((items[index], items[index + 1]))
    }
  }

  mutating func makeTuple(_ values: [PickleValue]) throws(Diagnostic) -> PickleValue {
    try countContainer()
    contents.sequences.append(values)
    return .tuple(contents.sequences.count - 1)
  }

  private mutating func makeList(_ values: [PickleValue]) throws(Diagnostic) -> PickleValue {
    try countContainer()
    contents.sequences.append(values)
    return .list(contents.sequences.count - 1)
  }

  mutating func makeDictionary() throws(Diagnostic) -> PickleValue {
    try countContainer()
    contents.dictionaries.append([])
    return .dictionary(contents.dictionaries.count - 1)
  }

  // MARK: - Names and calls

  private mutating func stepCall(_ opcode: PickleOpcode) throws(Diagnostic) {
    switch opcode {
    case .global:
      let module = try bytes.readLine("a module's name")
      try pushGlobal(module, try bytes.readLine("a name"))
    case .stackGlobal:
      guard case .text(let name) = try pop(), case .text(let module) = try pop() else {
        throw bytes.corrupt("a name that is no string")
      }
      try pushGlobal(module, name)
    case .build:
      // The attributes of an object: PyTorch's own notes on a state dict, of no use here.
      _ = try pop()
      switch try top() {
      case .dictionary, .tensor, .other: break
      case let value: throw bytes.corrupt("attributes for \(value.kind)")
      }
    case .binpersid:
      let storage = try makeStorage(try pop(), in: archive, folder: folder)
      try countContainer()
      contents.storages.append(storage)
      try push(.storage(contents.storages.count - 1))
    default:
      guard case .tuple(let arguments) = try pop(), case .global(let global) = try pop() else {
        throw bytes.corrupt("a call of what is no function, or without arguments")
      }
      try countContainer()
      try push(try call(global, contents.sequences[arguments]))
    }
  }

  private mutating func pushGlobal(_ module: String, _ name: String) throws(Diagnostic) {
    guard module.utf8.count <= Limits.nameLength, name.utf8.count <= Limits.nameLength else {
      throw bytes.corrupt("a name longer than \(Limits.nameLength) bytes")
    }
    try push(.global(try PickleGlobal(module: module, name: name)))
  }
}
