import AITGraph

/// Returns its operand; PyTorch's `Identity`.
open class Identity: Module, UnaryLayer {
  /// Returns the operand.
  open func forward(_ x: Tensor) -> Tensor { x }
}

/// Returns its operand, as dropout does at inference; PyTorch's `Dropout`.
open class Dropout: Module, UnaryLayer {
  /// The share of elements that training leaves out.
  public let probability: Double

  /// Creates the layer.
  public init(_ probability: Double = 0.5) {
    self.probability = probability
    super.init()
  }

  open override var detail: String { "\(probability)" }

  /// Returns the operand.
  open func forward(_ x: Tensor) -> Tensor { x }
}

/// Joins axes into one; PyTorch's `Flatten`.
open class Flatten: Module, UnaryLayer {
  /// The first axis that is joined.
  public let start: Int
  /// The last axis that is joined.
  public let end: Int

  /// Creates the layer.
  public init(start: Int = 1, end: Int = -1) {
    self.start = start
    self.end = end
    super.init()
  }

  open override var detail: String { "start: \(start), end: \(end)" }

  /// Returns the tensor with the axes joined.
  open func forward(_ x: Tensor) -> Tensor {
    x.flatten(start: start, end: end).representingModule()
  }
}

/// Gives the elements other extents, one of which may be -1 and takes the rest; AITemplate's
/// `Reshape` and `View`.
open class Reshape: Module, UnaryLayer {
  /// The extents of the result.
  public let extents: [Dimension]

  /// Creates the layer.
  public init(_ extents: [Dimension]) {
    self.extents = extents
    super.init()
  }

  /// Creates the layer.
  public convenience init(_ extents: Dimension...) { self.init(extents) }

  open override var detail: String { extents.map(\.description).joined(separator: ", ") }

  /// Returns the elements under the other extents.
  open func forward(_ x: Tensor) -> Tensor { x.reshape(extents).representingModule() }
}
