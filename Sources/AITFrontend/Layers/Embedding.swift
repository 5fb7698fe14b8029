import AITGraph

/// Looks up rows of a table; PyTorch's `Embedding`.
///
/// The index is `[…]` of int32 or int64, the table `[V, D]`, the result `[…, D]`. The table is
/// float32 unless a type is given, here or by ``Module/converted(to:)``. A position outside the table
/// fails the run.
open class Embedding: Module, UnaryLayer {
  /// `[V, D]`.
  public let weight: Parameter

  /// Creates the layer.
  ///
  /// - Parameters:
  ///   - rowCount: V, the number of rows.
  ///   - width: D, the extent of a row.
  ///   - dtype: the element type of the table; nil for float32.
  public init(_ rowCount: Int, _ width: Int, dtype: DType? = nil) {
    weight = Parameter([rowCount, width], dtype: dtype)
    super.init()
  }

  open override var detail: String { "\(weight.shape[0]), \(weight.shape[1])" }

  /// Returns the rows at the positions of an index.
  open func forward(_ index: Tensor) -> Tensor {
    embedding(index, table: weight.tensor).representingModule()
  }

  /// Returns the product of x `[…, D]` with the transposed table, `[…, V]`: the output layer of
  /// language models that share the table.
  public func asLinear(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
    scoped(file: file, line: line) { linear(x, weight.tensor(matching: x)) }
  }
}
