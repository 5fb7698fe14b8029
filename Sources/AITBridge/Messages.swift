import AITFacade
import AITFrontend
import AITGraph

// What travels between Python and the compiler, as JSON.

/// A value of Python: the field that is there says which.
struct Value: Codable {
  var b: Bool?
  var i: Int?
  /// A number that is no integer.
  var f: Double?
  /// An infinity or NaN, which JSON has no numbers for.
  var special: String?
  var s: String?
  var list: [Value]?
  /// The number of a tensor.
  var tensor: Int?
  /// The number of a dimension.
  var dimension: Int?

  func argument(_ objects: ObjectTable) throws(Diagnostic) -> FacadeArgument {
    if let b { return .bool(b) }
    if let i { return .integer(i) }
    if let f { return .float(f) }
    if let s { return .string(s) }
    if let special { return .float(Double(special) ?? .nan) }
    if let tensor { return .tensor(try objects.tensor(tensor)) }
    if let dimension { return .dimension(try objects.dimension(dimension)) }
    guard let list else { return .none }
    var elements: [FacadeArgument] = []
    for element in list { elements.append(try element.argument(objects)) }
    return .list(elements)
  }
}

/// An extent: a number, or the number of a dimension.
struct Extent: Codable {
  var i: Int?
  var dimension: Int?

  func dimension(_ objects: ObjectTable) throws(Diagnostic) -> Dimension {
    if let dimension { return try objects.dimension(dimension) }
    return Dimension(i ?? 0)
  }
}

/// A line of the user's program.
struct Place: Codable {
  var file: String
  var line: Int
}

/// Elements in memory that the caller keeps while the call lasts, or the tensor lives.
struct Memory: Codable {
  var address: Int
  var dtype: String
  var shape: [Int]
}

/// What is known of a tensor.
struct TensorReply: Codable {
  var tensor: Int
  var dtype: String
  var shape: [DimensionReply]
}

/// What is known of a dimension.
struct DimensionReply: Codable {
  /// Its extent, if that is known.
  var i: Int?
  var dimension: Int?
  var text: String?
  var lower: Int?
  var upper: Int?
}

struct ErrorReply: Codable {
  struct Content: Codable {
    var identity: String
    var message: String
    var location: String?
    var hint: String?
    var text: String
  }

  var error: Content

  init(_ diagnostic: Diagnostic) {
    error = Content(
      identity: diagnostic.identity.rawValue,
      message: diagnostic.message,
      location: diagnostic.location,
      hint: diagnostic.hint,
      text: diagnostic.description
    )
  }
}
