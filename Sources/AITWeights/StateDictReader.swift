import AITGraph

/// Turns what a pickle built into named tensors.
struct StateDictReader {
  /// What one file may make us do.
  enum Limits {
    /// The entries visited: at least this many, or so many times those that there are.
    ///
    /// Containers that are met on many paths count each time.
    static let visitCount = 100_000
    static let visitsPerEntry = 8
    static let nameSizeInBytes = 1 << 28
    /// The bytes copied for tensors that are not dense, at least; 8 times the file if that is more.
    static let copySizeInBytes = 1 << 26
    static let ignoredCount = 10_000
  }

  private(set) var tensors: [(name: String, tensor: TensorData)] = []
  private(set) var unsupported: [Weights.Unsupported] = []
  private(set) var ignored: [Weights.Ignored] = []
  private let contents: PickleContents
  private let file: MappedFile
  /// Tensors made before, so that one met under two names is the same bytes twice.
  private var made: [Int: TensorData] = [:]
  private var visitsLeft: Int
  private var nameSizeInBytes = 0
  private var copySizeInBytes = 0

  init(_ contents: PickleContents, _ file: MappedFile) {
    self.contents = contents
    self.file = file
    let entryCount =
      contents.sequences.reduce(0) { $0 + $1.count }
      + contents.dictionaries.reduce(0) { $0 + $1.count }
    visitsLeft = max(Limits.visitCount, Limits.visitsPerEntry * entryCount)
  }

  // MARK: - Finding the state dict

  /// Follows the keys, or looks for the state dict.
  mutating func findStateDict(_ keyPath: [String]?) throws(Diagnostic)
    -> (value: PickleValue, keyPath: [String])
  {
    var value = contents.root
    if let keyPath {
      for key in keyPath {
        let children = try children(of: value)
        guard let next = children.last(where: { $0.name == key }) else {
          let near = Identifier.nearest(to: key, among: children.prefix(1000).map(\.name))
          let shown = (near.isEmpty ? children.prefix(8).map(\.name) : near)
            .map { quoted($0) }.joined(separator: ", ")
          throw Diagnostic(
            .unknownName,
            "no key \(quoted(key)) in \(value.kind)",
            hint: children.isEmpty ? nil : "it has \(shown)"
          )
        }
        value = next.value
      }
      return (value, keyPath)
    }
    var path: [String] = []
    // A dictionary that holds itself under such a key would go on for ever.
    while path.count < 8 {
      let children = try children(of: value)
      guard
        let next = PyTorchWeights.stateDictKeys.lazy
          .compactMap({ key in children.last { $0.name == key } })
          .first(where: { child in
            if case .dictionary = child.value { self.hasTensor(child.value) } else { false }
          })
      else { break }
      for child in children where child.name != next.name {
        ignore((path + [child.name]).joined(separator: "."), child.value.kind)
      }
      path.append(next.name)
      value = next.value
    }
    return (value, path)
  }

  private func hasTensor(_ value: PickleValue) -> Bool {
    var open = [value]
    var seen: Set<Container> = []
    while let value = open.popLast() {
      if case .tensor = value { return true }
      guard let container = Container(value), seen.insert(container).inserted else { continue }
      switch container {
      case .sequence(let number): open += contents.sequences[number]
      case .dictionary(let number): open += contents.dictionaries[number].map(\.value)
      }
    }
    return false
  }

  // MARK: - Flattening

  private enum Container: Hashable {
    case sequence(Int)
    case dictionary(Int)

    init?(_ value: PickleValue) {
      switch value {
      case .tuple(let number), .list(let number): self = .sequence(number)
      case .dictionary(let number): self = .dictionary(number)
      default: return nil
      }
    }
  }

  private struct Level {
    var prefix: String
    var container: Container
    var children: [(name: String, value: PickleValue)]
    var next = 0
  }

  /// Collects the tensors under a value, in order, without recursion.
  mutating func flatten(_ root: PickleValue) throws(Diagnostic) {
    if case .tensor(let number) = root {
      try add("tensor", number)
      return
    }
    guard let container = Container(root) else {
      throw Diagnostic(
        .unsupportedFormat,
        "\(root.kind), where a dictionary of tensors was expected",
        hint: "save model.state_dict(), or name the keys that lead to it"
      )
    }
    var levels = [Level(prefix: "", container: container, children: try children(of: root))]
    var open: Set<Container> = [container]
    while let level = levels.last {
      guard level.next < level.children.count else {
        open.remove(level.container)
        levels.removeLast()
        continue
      }
      levels[levels.count - 1].next += 1
      let (key, value) = level.children[level.next]
      let name = level.prefix + key
      nameSizeInBytes += name.utf8.count
      guard nameSizeInBytes <= Limits.nameSizeInBytes else { throw Self.tooMuch() }
      if case .tensor(let number) = value {
        try add(name, number)
      } else if let container = Container(value) {
        guard open.insert(container).inserted else {
          throw Diagnostic(.corruptFile, "\(value.kind) that holds itself, at \(quoted(name))")
        }
        levels.append(
          Level(prefix: name + ".", container: container, children: try children(of: value))
        )
      } else {
        ignore(name, value.kind)
      }
    }
  }

  private mutating func ignore(_ path: String, _ kind: String) {
    guard ignored.count <= Limits.ignoredCount else { return }
    let isFull = ignored.count == Limits.ignoredCount
    ignored.append(
      isFull ? Weights.Ignored(path: "…", kind: "more") : Weights.Ignored(path: path, kind: kind)
    )
  }

  /// The named parts of a container; none for other values.
  private mutating func children(of value: PickleValue) throws(Diagnostic)
    -> [(name: String, value: PickleValue)]
  {
    var result: [(name: String, value: PickleValue)] = []
    switch value {
    case .tuple(let number), .list(let number):
      try count(visits: contents.sequences[number].count)
      result = contents.sequences[number].enumerated().map { ("\($0)", $1) }
    case .dictionary(let number):
      try count(visits: contents.dictionaries[number].count)
      var positions: [String: Int] = [:]
      for (key, value) in contents.dictionaries[number] {
        guard let name = Self.name(key) else {
          result.append(("…", .other("an entry whose key is \(key.kind)")))
          continue
        }
        // Setting a key again replaces the value where it stands, as in Python.
        if let position = positions.updateValue(result.count, forKey: name) {
          positions[name] = position
          result[position].value = value
        } else {
          result.append((name, value))
        }
      }
    default: break
    }
    return result
  }

  private static func name(_ key: PickleValue) -> String? {
    switch key {
    case .text(let text): text
    case .integer(let integer): "\(integer)"
    case .boolean(let value): value ? "True" : "False"
    default: nil
    }
  }

  private mutating func count(visits: Int) throws(Diagnostic) {
    visitsLeft -= visits + 1
    guard visitsLeft >= 0 else { throw Self.tooMuch() }
  }

  private static func tooMuch() -> Diagnostic {
    Diagnostic(
      .sizeLimit,
      "a dictionary with more entries, all nested ones counted, than can be flattened",
      hint: "name the keys that lead to the state dict, or save the state dict alone"
    )
  }

  // MARK: - Tensors

  private mutating func add(_ name: String, _ number: Int) throws(Diagnostic) {
    let tensor = contents.tensors[number]
    guard case .supported(let dtype) = tensor.elementType else {
      if case .unsupported(let type, _) = tensor.elementType {
        unsupported.append(Weights.Unsupported(name: name, reason: "element type \(type)"))
      }
      return
    }
    guard !tensor.isNegated else {
      unsupported.append(
        Weights.Unsupported(name: name, reason: "a view to be negated; save x.resolve_neg()")
      )
      return
    }
    do {
      tensors.append((name, try make(number, tensor, dtype)))
    } catch {
      throw error.located(at: "\(file.path): tensor \(quoted(name))")
    }
  }

  private mutating func make(
    _ number: Int,
    _ tensor: PickleContents.Tensor,
    _ dtype: DType
  ) throws(Diagnostic) -> TensorData {
    if let data = made[number] { return data }
    let view = tensor.view
    let offset = tensor.range.lowerBound + view.offset * dtype.sizeInBytes
    // Many views of one storage may be copied many times, so copies count.
    if !view.isContiguous || !file.isAligned(offset, for: dtype) {
      let size = view.elementCount * dtype.sizeInBytes
      copySizeInBytes += size
      guard copySizeInBytes <= max(Limits.copySizeInBytes, 8 * file.sizeInBytes) else {
        throw Diagnostic(
          .sizeLimit,
          "a view of shape \(view.shape) with strides \(view.strides), which takes \(size) bytes "
            + "when written out",
          hint: "save what it is a view of, or x.clone()"
        )
      }
    }
    let data =
      view.isContiguous
      ? try file.tensor(dtype, view.shape, at: offset)
      : file.withUnsafeBytes(tensor.range) { view.copied(dtype, from: $0) }
    made[number] = data
    return data
  }
}
