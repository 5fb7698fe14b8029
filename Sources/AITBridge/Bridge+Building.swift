import AITFacade
import AITFrontend
import AITGraph

/// The methods, as functions from request to reply.
enum Bridge {
  struct Nothing: Codable {}
}

// MARK: - The catalogue

extension Bridge {
  struct CatalogReply: Encodable {
    struct Parameter: Encodable {
      var name: String
      var kind: String
      var isRequired: Bool
      var isVariadic: Bool
      var `default`: Value?
    }

    struct Operator: Encodable {
      var name: String
      var summary: String
      var attributes: [Parameter]
      var operands: [Parameter]
      var results: String
      /// The parameter that, if given, makes a call return its one result and no list.
      var joiningParameter: String?
    }

    var operators: [Operator]
  }

  static func catalog(_: Nothing) -> CatalogReply {
    CatalogReply(
      operators: FacadeCatalog.operators.values.sorted { $0.name < $1.name }.map { op in
        CatalogReply.Operator(
          name: op.name,
          summary: op.summary,
          attributes: op.attributes.map(describe),
          operands: op.operands.map(describe),
          results: op.results.rawValue,
          joiningParameter: op.joiningParameter
        )
      }
    )
  }

  private static func describe(_ parameter: FacadeParameter) -> CatalogReply.Parameter {
    CatalogReply.Parameter(
      name: parameter.name,
      kind: parameter.kind.rawValue,
      isRequired: parameter.defaultValue == nil && !parameter.isVariadic,
      isVariadic: parameter.isVariadic,
      default: parameter.defaultValue.map(describe)
    )
  }

  private static func describe(_ value: FacadeParameter.Default) -> Value {
    switch value {
    case .none: Value()
    case .bool(let value): Value(b: value)
    case .integer(let value): Value(i: value)
    case .number(let value) where value.isFinite: Value(f: value)
    case .number(let value): Value(special: "\(value)")
    case .string(let text): Value(s: text)
    case .integers(let values): Value(list: values.map { Value(i: $0) })
    }
  }
}

// MARK: - Sources

extension Bridge {
  struct SourceRequest: Decodable {
    var name: String
    var dtype: String
    var shape: [Extent]
    var at: Place?
  }

  static func makeInput(_ request: SourceRequest) throws(Diagnostic) -> TensorReply {
    try ObjectTable.withObjects { (objects) throws(Diagnostic) in
      let shape = Shape(try dimensions(request.shape, objects))
      let dtype = try dtype(request.dtype)
      return try located(request.at) { () throws(Diagnostic) in
        try objects.add(.input(request.name, shape, dtype))
      }
    }
  }

  static func makeParameter(_ request: SourceRequest) throws(Diagnostic) -> TensorReply {
    try ObjectTable.withObjects { (objects) throws(Diagnostic) in
      let shape = Shape(try dimensions(request.shape, objects))
      guard let extents = shape.constants else {
        throw Diagnostic(
          .shapeMismatch,
          "the constant '\(request.name)' of shape \(shape)",
          at: request.at.map { "\($0.file):\($0.line)" },
          hint: "a constant has known extents; for another one pass is_input=True"
        )
      }
      let dtype = try dtype(request.dtype)
      return try located(request.at) { () throws(Diagnostic) in
        try objects.add(.weight(request.name, extents, dtype))
      }
    }
  }

  struct ConstantRequest: Decodable {
    var memory: Memory
    var at: Place?
  }

  /// A literal; its elements are copied.
  static func makeConstant(_ request: ConstantRequest) throws(Diagnostic) -> TensorReply {
    try ObjectTable.withObjects { (objects) throws(Diagnostic) in
      let data = try tensorData(request.memory, isCopied: true)
      return try located(request.at) { () throws(Diagnostic) in
        try objects.add(.constant(data))
      }
    }
  }

  struct ReleaseRequest: Decodable {
    var tensors: [Int]
  }

  static func release(_ request: ReleaseRequest) throws(Diagnostic) -> Nothing {
    try ObjectTable.withObjects { $0.release(tensors: request.tensors) }
    return Nothing()
  }
}

// MARK: - Dimensions

extension Bridge {
  struct SymbolRequest: Decodable {
    var name: String
    var lower: Int
    var upper: Int
  }

  static func makeSymbol(_ request: SymbolRequest) throws(Diagnostic) -> DimensionReply {
    guard request.lower >= 0, request.lower <= request.upper else {
      throw Diagnostic(
        .invalidArgument,
        "the dimension '\(request.name)' from \(request.lower) to \(request.upper)",
        hint: "bounds are not negative and ascend"
      )
    }
    let name = Identifier.make(request.name)
    return try ObjectTable.withObjects {
      $0.describe(.symbol(name, request.lower...request.upper))
    }
  }

  struct CombineRequest: Decodable {
    var function: String
    var left: Extent
    var right: Extent
  }

  static func combine(_ request: CombineRequest) throws(Diagnostic) -> DimensionReply {
    try ObjectTable.withObjects { (objects) throws(Diagnostic) in
      let left = try request.left.dimension(objects)
      let right = try request.right.dimension(objects)
      switch request.function {
      case "add": return objects.describe(left + right)
      case "subtract": return objects.describe(left - right)
      case "multiply": return objects.describe(left * right)
      case "divide":
        guard right != 0 else {
          throw Diagnostic(.invalidArgument, "the dimension \(left) divided by 0")
        }
        return objects.describe(left / right)
      case "maximum": return objects.describe(.maximum([left, right]))
      case "minimum": return objects.describe(.minimum([left, right]))
      default:
        throw Diagnostic(
          .invalidArgument,
          "dimensions have no function '\(request.function)'"
        )
      }
    }
  }
}

// MARK: - Operators

extension Bridge {
  struct ApplyRequest: Decodable {
    var `operator`: String
    var arguments: [String: Value]
    var at: Place?
  }

  struct ApplyReply: Encodable {
    var results: [TensorReply]
  }

  static func apply(_ request: ApplyRequest) throws(Diagnostic) -> ApplyReply {
    try ObjectTable.withObjects { (objects) throws(Diagnostic) in
      var arguments: [String: FacadeArgument] = [:]
      for (name, value) in request.arguments { arguments[name] = try value.argument(objects) }
      let results = try located(request.at) { () throws(Diagnostic) in
        try FacadeCatalog.apply(request.operator, arguments)
      }
      var replies: [TensorReply] = []
      for result in results { replies.append(try objects.add(result)) }
      return ApplyReply(results: replies)
    }
  }
}

// MARK: - Parts

extension Bridge {
  static func dimensions(_ extents: [Extent], _ objects: ObjectTable) throws(Diagnostic)
    -> [Dimension]
  {
    var dimensions: [Dimension] = []
    for extent in extents { dimensions.append(try extent.dimension(objects)) }
    return dimensions
  }

  static func dtype(_ name: String) throws(Diagnostic) -> DType {
    guard let dtype = DType(facadeName: name) else {
      throw Diagnostic(
        .dtypeMismatch,
        "'\(name)' is no element type",
        hint: "one of \(DType.allCases.map(\.rawValue).joined(separator: ", "))"
      )
    }
    return dtype
  }

  /// The elements at an address; a copy, or the memory itself.
  static func tensorData(_ memory: Memory, isCopied: Bool) throws(Diagnostic) -> TensorData {
    let dtype = try dtype(memory.dtype)
    try TensorType(dtype, Shape(memory.shape)).checkSize()
    let size = memory.shape.reduce(1, *) * dtype.sizeInBytes
    guard size == 0 || memory.address != 0 else {
      throw Diagnostic(.invalidArgument, "a constant of \(size) bytes at address 0")
    }
    guard size > 0, let start = UnsafeMutableRawPointer(bitPattern: memory.address) else {
      return TensorData(zeros: dtype, memory.shape)
    }
    let bytes = UnsafeMutableRawBufferPointer(start: start, count: size)
    guard isCopied else {
      let storage = TensorData.Storage(adopting: bytes, isWritable: false) { _ in }
      return TensorData(dtype, memory.shape, storage: storage, offsetInBytes: 0)
    }
    var data = TensorData(zeros: dtype, memory.shape)
    data.withUnsafeMutableBytes { $0.copyMemory(from: UnsafeRawBufferPointer(bytes)) }
    return data
  }

  /// Names the user's line in what the body makes, and in the diagnostic that it throws.
  static func located<Result>(_ place: Place?, _ body: () throws(Diagnostic) -> Result)
    throws(Diagnostic) -> Result
  {
    guard let place else { return try body() }
    do {
      return try withCallSite(place.file, place.line, body)
    } catch {
      throw error.located(at: "\(place.file):\(place.line)")
    }
  }
}
