import AITFrontend
import AITGraph

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The tensors and dimensions that a caller holds, by number.
///
/// Numbers are never given twice, so that one which was released is an error and not another object.
final class ObjectTable: @unchecked Sendable {
  // Unchecked: whoever has it holds the lock.
  private static let shared = ObjectTable()
  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

  private var tensors: [Int: Tensor] = [:]
  private var dimensions: [Dimension] = []
  private var dimensionNumbers: [Dimension: Int] = [:]
  private var nextTensor = 1

  private init() { pthread_mutex_init(lock, nil) }

  /// Returns what the body makes of the objects, which no other thread sees meanwhile.
  static func withObjects<Result>(_ body: (ObjectTable) throws(Diagnostic) -> Result)
    throws(Diagnostic) -> Result
  {
    pthread_mutex_lock(shared.lock)
    defer { pthread_mutex_unlock(shared.lock) }
    return try body(shared)
  }

  // MARK: - Tensors

  func tensor(_ number: Int) throws(Diagnostic) -> Tensor {
    guard let tensor = tensors[number] else {
      throw Diagnostic(.invalidArgument, "there is no tensor \(number), or no more")
    }
    return tensor
  }

  /// Keeps a tensor until it is released, and says what is known of it.
  func add(_ tensor: Tensor) throws(Diagnostic) -> TensorReply {
    if let diagnostic = tensor.diagnostic { throw diagnostic }
    let number = nextTensor
    nextTensor += 1
    tensors[number] = tensor
    return TensorReply(
      tensor: number,
      dtype: tensor.dtype.rawValue,
      shape: tensor.shape.dimensions.map(describe)
    )
  }

  func release(tensors numbers: [Int]) {
    for number in numbers { tensors[number] = nil }
  }

  // MARK: - Dimensions

  func dimension(_ number: Int) throws(Diagnostic) -> Dimension {
    guard dimensions.indices.contains(number) else {
      throw Diagnostic(.invalidArgument, "there is no dimension \(number)")
    }
    return dimensions[number]
  }

  /// What is known of a dimension; equal ones have one number, for as long as the process lives.
  func describe(_ dimension: Dimension) -> DimensionReply {
    if let value = dimension.constant { return DimensionReply(i: value) }
    let number: Int
    if let known = dimensionNumbers[dimension] {
      number = known
    } else {
      number = dimensions.count
      dimensions.append(dimension)
      dimensionNumbers[dimension] = number
    }
    return DimensionReply(
      dimension: number,
      text: "\(dimension)",
      lower: dimension.lowerBound,
      upper: dimension.upperBound
    )
  }
}
