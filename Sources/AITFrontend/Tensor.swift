import AITGraph

/// A value of a program that is being written: its element type and shape are known, its elements
/// are not.
///
/// Operations on tensors record what is to be computed; `Graph(name:outputs:)` turns the record into
/// a graph to compile. They follow PyTorch's functions of the same names in broadcasting, type
/// promotion and meaning.
///
/// A mistake, such as shapes that do not fit, does not stop the program: the result carries a
/// ``diagnostic`` with the line of the call, everything computed from it carries the same one, and
/// building the graph throws it.
///
/// ```swift
/// let x = Tensor.input("X", [.symbol("batch", 1...64), 512], .float32)
/// let y = softmax(x * 0.5, axis: -1).named("Y")
/// let graph = try Graph(name: "demo", outputs: [y])
/// ```
public struct Tensor {
  let expression: Expression
  let result: Int
  /// The name that the tensor has as an output of a graph.
  public private(set) var name: String?

  init(_ expression: Expression, _ result: Int) {
    self.expression = expression
    self.result = result
  }

  // MARK: - Sources

  /// An input of the program.
  ///
  /// - Parameters:
  ///   - name: the name by which the compiled library knows it; dots become underscores.
  ///   - shape: the extents, numbers or symbols such as `.symbol("batch", 1...64)`.
  ///   - dtype: the element type.
  ///   - file: where the call stands.
  ///   - line: where the call stands.
  /// - Returns: the input; failing with `size-limit` if the shape is too large.
  public static func input(
    _ name: String,
    _ shape: Shape,
    _ dtype: DType,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    let callSite = CallSite.resolved(file, line)
    let type = TensorType(dtype, shape)
    do {
      try type.checkSize()
    } catch {
      return .failing(error, callSite)
    }
    return Tensor(Expression(.input(name: name), [type], callSite), 0)
  }

  /// A tensor whose elements are known when compiling.
  ///
  /// - Parameters:
  ///   - data: the elements.
  ///   - name: if given, the compiled library offers the constant by this name to be set anew.
  ///   - file: where the call stands.
  ///   - line: where the call stands.
  /// - Returns: the constant, of the type of the data.
  public static func constant(
    _ data: TensorData,
    name: String? = nil,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    let callSite = CallSite.resolved(file, line)
    return Tensor(Expression(.constant(data, name: name), [data.type], callSite), 0)
  }

  /// A weight of the program that belongs to no module, whose elements are set in the compiled
  /// library.
  ///
  /// - Parameters:
  ///   - name: the name by which the library offers it; dots become underscores.
  ///   - shape: the extents.
  ///   - dtype: the element type.
  ///   - file: where the call stands.
  ///   - line: where the call stands.
  /// - Returns: the constant.
  public static func weight(
    _ name: String,
    _ shape: [Int],
    _ dtype: DType,
    file: String = #fileID,
    line: Int = #line
  ) -> Tensor {
    let callSite = CallSite.resolved(file, line)
    return Tensor(
      Expression(.weight(name: name), [TensorType(dtype, Shape(shape))], callSite),
      0
    )
  }

  // MARK: - Properties

  /// The element type.
  public var dtype: DType { type.dtype }

  /// The extents; empty for a tensor that carries a ``diagnostic``.
  public var shape: Shape { type.shape }

  /// The number of axes; 0 for a tensor that carries a ``diagnostic``.
  public var rank: Int { type.rank }

  /// Element type and shape.
  public var type: TensorType { expression.types[result] }

  /// The problem that made the tensor, or one it was computed from, impossible.
  public var diagnostic: Diagnostic? {
    if case .failure(let diagnostic) = expression.kind { diagnostic } else { nil }
  }

  /// The extent along an axis, counted from the end if negative.
  ///
  /// The axis must exist. The extent is 1 for a tensor that carries a ``diagnostic``.
  public func extent(_ axis: Int) -> Dimension {
    guard diagnostic == nil else { return 1 }
    precondition(
      (-rank..<rank).contains(axis),
      "extent of axis \(axis) of a tensor of shape \(shape)"
    )
    return shape[axis < 0 ? axis + rank : axis]
  }

  /// Returns the tensor with a name.
  ///
  /// As an output of a graph the tensor is known by it. A tensor inside the graph lends the name to
  /// its node, after the path of the module in whose call it was made.
  public func named(_ name: String) -> Tensor {
    expression.givenNames[result] = name
    var copy = self
    copy.name = name
    return copy
  }
}

extension Tensor: CustomStringConvertible {
  /// The type, or the problem: `float16[batch, 512]`.
  public var description: String { diagnostic?.description ?? type.description }
}
