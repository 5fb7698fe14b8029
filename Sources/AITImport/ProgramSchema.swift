import AITGraph

// The parts of PyTorch's serialised programs that are read; source: torch/_export/serde/schema.py.
// Unknown fields are passed over.

struct ProgramSchema: Decodable, Sendable {
  struct Version: Decodable, Sendable {
    var major: Int
    var minor: Int
  }

  struct Range: Decodable, Sendable {
    var least: Int?
    var greatest: Int?

    enum CodingKeys: String, CodingKey {
      case least = "min_val"
      case greatest = "max_val"
    }
  }

  var module: ModuleSchema
  var ranges: [String: Range]
  var schemaVersion: Version
  var torchVersion: String?

  enum CodingKeys: String, CodingKey {
    case module = "graph_module"
    case ranges = "range_constraints"
    case schemaVersion = "schema_version"
    case torchVersion = "torch_version"
  }
}

struct ModuleSchema: Decodable, Sendable {
  var graph: GraphSchema
  var signature: SignatureSchema
}

struct GraphSchema: Decodable, Sendable {
  var inputs: [ArgumentSchema]
  var outputs: [ArgumentSchema]
  var nodes: [NodeSchema]
  var tensors: [String: TensorMeta]

  enum CodingKeys: String, CodingKey {
    case inputs, outputs, nodes
    case tensors = "tensor_values"
  }
}

struct NodeSchema: Decodable, Sendable {
  struct Input: Decodable, Sendable {
    var name: String
    var argument: ArgumentSchema

    enum CodingKeys: String, CodingKey {
      case name
      case argument = "arg"
    }
  }

  var target: String
  var inputs: [Input]
  var outputs: [ArgumentSchema]
  var metadata: [String: String]?

  /// The names of the results.
  var results: [String] {
    outputs.flatMap { output -> [String] in
      switch output {
      case .tensor(let name), .symbol(let name): [name]
      case .list(let elements):
        elements.compactMap { if case .tensor(let name) = $0 { name } else { nil } }
      default: []
      }
    }
  }
}

/// What a node is given or gives: a union with one field.
indirect enum ArgumentSchema: Decodable, Sendable {
  case none
  case tensor(String)
  case bool(Bool)
  case integer(Int)
  case float(Double)
  case string(String)
  /// The name of an integer that is known only at run time.
  case symbol(String)
  case elementType(Int)
  case list([ArgumentSchema])
  /// A device, a layout or a memory format, which decide nothing here.
  case place
  /// A part of the program that a node runs.
  case graph(GraphSchema)
  case unsupported(String)

  private struct Key: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  private struct Name: Decodable {
    var name: String
  }

  private struct Part: Decodable {
    var graph: GraphSchema
  }

  /// A number, as JSON has it or as text where JSON has none: `Infinity`.
  private struct Number: Decodable {
    var value: Double

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let value = try? container.decode(Double.self) {
        self.value = value
      } else {
        let text = try container.decode(String.self)
        value = Double(text) ?? .nan
      }
    }
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    guard let key = container.allKeys.first else {
      self = .none
      return
    }
    switch key.stringValue {
    case "as_none": self = .none
    case "as_tensor": self = .tensor(try container.decode(Name.self, forKey: key).name)
    case "as_tensors":
      self = .list(try container.decode([Name].self, forKey: key).map { .tensor($0.name) })
    case "as_optional_tensors", "as_optional_tensor", "as_sym_int", "as_sym_float", "as_sym_bool":
      if let list = try? container.decode([ArgumentSchema].self, forKey: key) {
        self = .list(list)
      } else {
        self = try container.decode(ArgumentSchema.self, forKey: key)
      }
    case "as_sym_ints", "as_sym_floats", "as_sym_bools":
      self = .list(try container.decode([ArgumentSchema].self, forKey: key))
    case "as_name": self = .symbol(try container.decode(String.self, forKey: key))
    case "as_bool": self = .bool(try container.decode(Bool.self, forKey: key))
    case "as_bools":
      self = .list(try container.decode([Bool].self, forKey: key).map { .bool($0) })
    case "as_int": self = .integer(try container.decode(Int.self, forKey: key))
    case "as_ints":
      self = .list(try container.decode([Int].self, forKey: key).map { .integer($0) })
    case "as_float": self = .float(try container.decode(Number.self, forKey: key).value)
    case "as_floats":
      self = .list(try container.decode([Number].self, forKey: key).map { .float($0.value) })
    case "as_string": self = .string(try container.decode(String.self, forKey: key))
    case "as_strings":
      self = .list(try container.decode([String].self, forKey: key).map { .string($0) })
    case "as_scalar_type": self = .elementType(try container.decode(Int.self, forKey: key))
    case "as_memory_format", "as_layout", "as_device": self = .place
    case "as_graph": self = .graph(try container.decode(Part.self, forKey: key).graph)
    default: self = .unsupported(key.stringValue)
    }
  }
}

struct SignatureSchema: Decodable, Sendable {
  var inputs: [InputSpec]
  var outputs: [OutputSpec]

  enum CodingKeys: String, CodingKey {
    case inputs = "input_specs"
    case outputs = "output_specs"
  }
}

/// What an input of the graph is.
enum InputSpec: Decodable, Sendable {
  case user
  /// The name of a weight, buffer or constant.
  case constant(String)
  case unsupported(String)

  private struct Content: Decodable {
    struct Spec: Decodable {
      var parameter_name: String?
      var buffer_name: String?
      var tensor_constant_name: String?
    }

    var user_input: Anything?
    var parameter: Spec?
    var buffer: Spec?
    var tensor_constant: Spec?
  }

  private struct Anything: Decodable {}

  init(from decoder: any Decoder) throws {
    let content = try Content(from: decoder)
    let specs = [content.parameter, content.buffer, content.tensor_constant].compactMap(\.self)
    if let spec = specs.first,
      let name = spec.parameter_name ?? spec.buffer_name ?? spec.tensor_constant_name
    {
      self = .constant(name)
    } else if content.user_input != nil {
      self = .user
    } else {
      self = .unsupported("a constant input, an object or a token")
    }
  }
}

/// What an output of the graph is.
enum OutputSpec: Decodable, Sendable {
  case user
  /// A side effect: a buffer or an input that is changed.
  case mutation(String)

  private struct Content: Decodable {
    struct Anything: Decodable {}

    struct Mutation: Decodable {
      var buffer_name: String?
      var user_input_name: String?
    }

    var user_output: Anything?
    var buffer_mutation: Mutation?
    var user_input_mutation: Mutation?
  }

  init(from decoder: any Decoder) throws {
    let content = try Content(from: decoder)
    if content.user_output != nil {
      self = .user
    } else if let mutation = content.buffer_mutation ?? content.user_input_mutation {
      self = .mutation(mutation.buffer_name ?? mutation.user_input_name ?? "?")
    } else {
      self = .mutation("a gradient, a loss or a token")
    }
  }
}

struct WeightsSchema: Decodable, Sendable {
  struct Weight: Decodable, Sendable {
    var pathName: String
    var usePickle: Bool
    var tensorMeta: TensorMeta?

    enum CodingKeys: String, CodingKey {
      case pathName = "path_name"
      case usePickle = "use_pickle"
      case tensorMeta = "tensor_meta"
    }
  }

  var config: [String: Weight]
}

struct TensorMeta: Decodable, Sendable {
  var dtype: Int
  var sizes: [SizeSchema]
  var strides: [SizeSchema]
  var storageOffset: SizeSchema

  enum CodingKeys: String, CodingKey {
    case dtype, sizes, strides
    case storageOffset = "storage_offset"
  }

  /// PyTorch's types that have no counterpart, by their numbers in `torch._export.serde.schema`.
  private static let foreignTypes = [
    9: "complex32", 10: "complex64", 11: "complex128", 28: "uint16", 29: "float8_e4m3fn",
    30: "float8_e5m2", 31: "float8_e4m3fnuz", 32: "float8_e5m2fnuz", 33: "float8_e8m0fnu",
    34: "uint32", 35: "uint64",
  ]

  func elementType(at place: String) throws(Diagnostic) -> DType {
    guard let type = DType(torchNumber: dtype) else {
      throw Diagnostic(
        .unsupportedFormat,
        Self.foreignTypes[dtype].map { "the element type \($0)" }
          ?? "an element type of number \(dtype) in PyTorch's schema",
        at: place,
        hint: "supported are \(DType.allCases.map(\.rawValue).joined(separator: ", "))"
      )
    }
    return type
  }
}

extension DType {
  /// The type of a number in PyTorch's schema.
  init?(torchNumber number: Int) {
    switch number {
    case 1: self = .uint8
    case 2: self = .int8
    case 3: self = .int16
    case 4: self = .int32
    case 5: self = .int64
    case 6: self = .float16
    case 7: self = .float32
    case 8: self = .float64
    case 12: self = .bool
    case 13: self = .bfloat16
    default: return nil
    }
  }
}

/// An extent: a number, or an expression over symbols as text.
enum SizeSchema: Decodable, Hashable, Sendable {
  case number(Int)
  case expression(String, hint: Int?)

  private struct Content: Decodable {
    struct Expression: Decodable {
      struct Hint: Decodable {
        var as_int: Int?
      }

      var expr_str: String
      var hint: Hint?
    }

    var as_int: Int?
    var as_expr: Expression?
  }

  init(from decoder: any Decoder) throws {
    let content = try Content(from: decoder)
    if let number = content.as_int {
      self = .number(number)
    } else if let expression = content.as_expr {
      self = .expression(expression.expr_str, hint: expression.hint?.as_int)
    } else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "an extent of unknown form")
      )
    }
  }

  func number(at place: String) throws(Diagnostic) -> Int {
    if case .number(let number) = self { return number }
    throw Diagnostic(.corruptFile, "a stored tensor with a symbolic extent", at: place)
  }
}
