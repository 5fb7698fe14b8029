import AITGraph

/// A weight of a module: a constant of the program, known by its path in the tree of modules.
///
/// Its elements may be given before compiling, by ``Module/bind(_:strict:)``, or to the compiled
/// library.
public final class Parameter {
  /// The extents.
  public let shape: [Int]
  /// The element type; nil until it is decided.
  ///
  /// Unless it is given, the first floating-point tensor that the parameter is used with decides;
  /// where there is none, it is `float32`.
  public internal(set) var dtype: DType?
  /// The elements, if they are known.
  public private(set) var data: TensorData?
  let owners = Owners()

  /// Creates a parameter whose elements are set later.
  ///
  /// - Parameters:
  ///   - shape: the extents.
  ///   - dtype: the element type; nil to take that of the first tensor it is used with.
  public init(_ shape: [Int], dtype: DType? = nil) {
    self.shape = shape
    self.dtype = dtype
  }

  /// Creates a parameter with its elements.
  public init(_ data: TensorData) {
    shape = data.shape
    dtype = data.dtype
    self.data = data
  }

  /// The parameter as a tensor; decides the type if it is open.
  public var tensor: Tensor { tensor(as: .float32) }

  /// Returns the parameter as a tensor for use with another, whose type it takes if its own is open
  /// and the other's is floating-point.
  public func tensor(matching x: Tensor) -> Tensor {
    if x.diagnostic != nil { return x }
    return tensor(as: x.dtype.isFloatingPoint ? x.dtype : .float32)
  }

  private func tensor(as fallback: DType) -> Tensor {
    let decided = dtype ?? fallback
    dtype = decided
    let type = TensorType(decided, Shape(shape))
    let expression = Expression(.parameter(self), [type], Scope.current?.callSite)
    expression.givenNames[0] = path
    return Tensor(expression, 0)
  }

  /// Gives the parameter its elements, which are converted to its element type.
  ///
  /// - Throws: `weight-mismatch` if the extents differ, or the types are of different categories.
  public func bind(_ data: TensorData) throws(Diagnostic) {
    guard data.shape == shape else {
      throw Diagnostic(
        .weightMismatch,
        "the parameter has the shape \(shape), its data \(data.shape)",
        at: path.map { "parameter '\($0)'" }
      )
    }
    if let dtype, dtype.category != data.dtype.category {
      throw Diagnostic(
        .weightMismatch,
        "the parameter is \(dtype.rawValue), its data \(data.dtype.rawValue)",
        at: path.map { "parameter '\($0)'" }
      )
    }
    self.data = data
  }

  /// The dotted path in the tree of modules; nil outside of any module.
  var path: String? { owners.path(of: ObjectIdentifier(self)) }
}

/// The modules that hold a module or a parameter, weakly, in the order in which they took it.
final class Owners {
  private struct Owner {
    weak var module: Module?
  }

  private var list: [Owner] = []

  /// The first owner that is still there.
  var first: Module? { list.lazy.compactMap(\.module).first }

  func add(_ module: Module) {
    list.removeAll { $0.module == nil }
    if !list.contains(where: { $0.module === module }) { list.append(Owner(module: module)) }
  }

  /// The path of what is owned from the root above its first owner.
  ///
  /// Where that does not hold it, as after a change of a property, it is the path from the root of
  /// the outermost module whose call is under way.
  func path(of identity: ObjectIdentifier) -> String? {
    first?.root.pathInTree(of: identity) ?? Scope.current?.outermost.root.pathInTree(of: identity)
  }
}
