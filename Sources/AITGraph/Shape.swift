/// The extents of a tensor, outermost first.
public struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral {
  /// The extents.
  public var dimensions: [Dimension]

  /// Creates a shape from its extents.
  public init(_ dimensions: [Dimension]) { self.dimensions = dimensions }

  /// Creates a shape of known extents.
  public init(_ extents: [Int]) { dimensions = extents.map { Dimension($0) } }

  /// Creates a shape from its extents.
  public init(arrayLiteral elements: Dimension...) { dimensions = elements }

  /// The number of axes.
  public var rank: Int { dimensions.count }

  /// The product of the extents.
  public var elementCount: Dimension { dimensions.reduce(1, *) }

  /// The extents, if none depends on a symbol.
  public var constants: [Int]? {
    let known = dimensions.compactMap(\.constant)
    return known.count == rank ? known : nil
  }

  /// The symbols the extents depend on.
  public var symbols: Set<Symbol> {
    dimensions.reduce(into: []) { $0.formUnion($1.symbols) }
  }

  /// The extent along an axis.
  public subscript(axis: Int) -> Dimension {
    get { dimensions[axis] }
    set { dimensions[axis] = newValue }
  }

  /// The extents for given symbol values; nil if one cannot be evaluated.
  public func evaluate(_ values: [String: Int]) -> [Int]? {
    let extents = dimensions.compactMap { $0.evaluate(values) }
    return extents.count == rank ? extents : nil
  }

  /// Returns an axis counted from 0, where a negative one counts from the end.
  package func normalizedAxis(_ axis: Int) throws(Diagnostic) -> Int {
    guard axis >= -rank && axis < rank else {
      throw Diagnostic(
        .axisOutOfRange,
        "axis \(axis) of a tensor of rank \(rank) with shape \(self)",
        hint: rank == 0
          ? "a tensor of rank 0 has no axes" : "axes run from \(-rank) to \(rank - 1)"
      )
    }
    return axis < 0 ? axis + rank : axis
  }

  /// Returns axes counted from 0, each at most once, in the order given.
  package func normalizedAxes(_ axes: [Int]) throws(Diagnostic) -> [Int] {
    var result: [Int] = []
    for axis in axes {
      let normalized = try normalizedAxis(axis)
      guard !result.contains(normalized) else {
        throw Diagnostic(
          .invalidAttribute,
          "axis \(axis) is named twice in \(axes)",
          hint: "name each axis once"
        )
      }
      result.append(normalized)
    }
    return result
  }

  /// Returns the shape in which tensors meet by NumPy's rule: aligned at the last axis, extents
  /// equal or 1.
  package static func broadcasting(_ shapes: [Shape]) throws(Diagnostic) -> Shape {
    let rank = shapes.map(\.rank).max() ?? 0
    var result: [Dimension] = Array(repeating: 1, count: rank)
    for shape in shapes {
      for (axis, extent) in shape.dimensions.enumerated() {
        let target = axis + rank - shape.rank
        if result[target] == extent || extent == 1 { continue }
        guard result[target] == 1 else {
          throw Diagnostic(
            .shapeMismatch,
            "shapes \(shapes.map(\.description).joined(separator: " and ")) do not broadcast: "
              + "axis \(target - rank) has extents \(result[target]) and \(extent)",
            hint: "extents must be equal, or one of them 1"
          )
        }
        result[target] = extent
      }
    }
    return Shape(result)
  }
}

extension Shape: CustomStringConvertible {
  /// The extents in brackets: `[batch, 512]`.
  public var description: String {
    "[\(dimensions.map(\.description).joined(separator: ", "))]"
  }
}

/// Where the elements of a tensor lie: an offset and one stride per axis, all in elements.
package struct Layout: Hashable, Sendable {
  /// The position of the first element.
  package var offset: Dimension
  /// The distance between neighbours along each axis; 0 repeats, negative runs backwards.
  package var strides: [Dimension]

  package init(offset: Dimension = 0, strides: [Dimension]) {
    self.offset = offset
    self.strides = strides
  }

  /// The dense row-major layout of a shape.
  package init(rowMajor shape: Shape) {
    offset = 0
    strides = Array(repeating: 1, count: shape.rank)
    var stride: Dimension = 1
    for axis in (0..<shape.rank).reversed() {
      strides[axis] = stride
      stride = stride * shape[axis]
    }
  }

  /// Whether a tensor of this layout lies as a dense row-major one would.
  ///
  /// Axes of extent 1 do not count: their stride is never used.
  package func isRowMajor(_ shape: Shape) -> Bool {
    let dense = Layout(rowMajor: shape)
    return zip(strides, dense.strides).enumerated().allSatisfy { axis, pair in
      pair.0 == pair.1 || shape[axis] == 1
    }
  }
}

/// The type of a value: element type, extents, and how the elements lie in memory.
public struct TensorType: Hashable, Sendable {
  /// The element type.
  public var dtype: DType
  /// The extents.
  public var shape: Shape
  /// Where the elements lie; nil is dense row-major, which all graph inputs and outputs are.
  package var layout: Layout?

  /// Creates the type of a dense row-major tensor.
  public init(_ dtype: DType, _ shape: Shape) {
    self.dtype = dtype
    self.shape = shape
  }

  /// The number of axes.
  public var rank: Int { shape.rank }

  /// The number of bytes of the elements.
  package var sizeInBytes: Dimension { shape.elementCount * Dimension(dtype.sizeInBytes) }

  /// Throws unless the sizes stay in a range in which no index arithmetic can overflow.
  package func checkSize() throws(Diagnostic) {
    guard shape.rank <= 16 else {
      throw Diagnostic(
        .sizeLimit,
        "a tensor of rank \(shape.rank)",
        hint: "the greatest rank is 16"
      )
    }
    for extent in shape.dimensions where extent.lowerBound < 0 {
      throw Diagnostic(
        .sizeLimit,
        "extent \(extent) may be negative (as low as \(extent.lowerBound))",
        hint: "narrow the bounds of its symbols"
      )
    }
    guard sizeInBytes.upperBound <= 1 << 46 else {
      throw Diagnostic(
        .sizeLimit,
        "a tensor \(self) may take \(sizeInBytes.upperBound) bytes; the limit is 64 TiB",
        hint: "narrow the bounds of its symbols"
      )
    }
  }
}

extension TensorType: CustomStringConvertible {
  /// The type as text: `float16[batch, 512]`.
  public var description: String { "\(dtype.rawValue)\(shape)" }
}
