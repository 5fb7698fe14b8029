/// Layers called one after the other; PyTorch's `Sequential`.
///
/// The layers' keys are their positions: `0.weight`. A list of layers that are not simply called in
/// turn needs no container: any array in a property will do.
open class Sequential: Module, UnaryLayer {
  /// The layers, in the order in which they are called.
  @ModuleInfo(key: "") public private(set) var layers: [any UnaryLayer]

  /// Creates a sequence of layers.
  public convenience init(_ layers: any UnaryLayer...) { self.init(layers) }

  /// Creates a sequence of layers.
  public init(_ layers: [any UnaryLayer]) {
    _layers.wrappedValue = layers
    super.init()
  }

  /// Returns the result of the last layer.
  open func forward(_ x: Tensor) -> Tensor { layers.reduce(x) { $1($0) } }
}
