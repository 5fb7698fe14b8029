/// A value on the stack of the unpickler.
///
/// Containers are numbers of the unpickler's tables, so that a container can hold itself, and so
/// that freeing deeply nested ones never recurses.
enum PickleValue: Sendable {
  case none
  case boolean(Bool)
  case integer(Int)
  case float(Double)
  case text(String)
  /// Something that is neither a tensor nor leads to one, as a phrase.
  case other(String)
  case tuple(Int)
  case list(Int)
  case dictionary(Int)
  case global(PickleGlobal)
  case storage(Int)
  case tensor(Int)

  /// What the value is, as a phrase.
  var kind: String {
    switch self {
    case .none: "None"
    case .boolean: "a truth value"
    case .integer: "an integer"
    case .float: "a number"
    case .text: "a string"
    case .other(let phrase): phrase
    case .tuple: "a tuple"
    case .list: "a list"
    case .dictionary: "a dictionary"
    case .global(let global): "the name \(global.name)"
    case .storage: "a storage without a tensor"
    case .tensor: "a tensor"
    }
  }
}

/// What a pickle says, as tables.
struct PickleContents: Sendable {
  /// Bytes that tensors are views of.
  struct Storage: Sendable {
    /// The type that the storage's class gives its elements; nil for an untyped storage.
    var elementType: ElementType?
    /// Where the bytes lie in the file.
    var range: Range<Int>
  }

  /// A tensor, checked to lie within its storage.
  struct Tensor: Sendable {
    var elementType: ElementType
    var view: StridedView
    /// The file offset of the storage's first byte, and its end.
    var range: Range<Int>
    /// Whether PyTorch stored it to be negated on use.
    var isNegated: Bool
  }

  var root = PickleValue.none
  var sequences: [[PickleValue]] = []
  /// Entries in order of insertion; a later entry of an equal key replaces an earlier one.
  var dictionaries: [[(key: PickleValue, value: PickleValue)]] = []
  var storages: [Storage] = []
  var tensors: [Tensor] = []
}
