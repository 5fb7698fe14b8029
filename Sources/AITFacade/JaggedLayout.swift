import AITFrontend
import AITGraph

/// Where the rows of a jagged tensor lie: sequences of sequences, one behind the other.
///
/// Offsets say where each sequence begins and the last one ends: `[B + 1]` for the outermost level,
/// and one more than there are rows in the level above for each further one. The padded form has an
/// axis of the greatest length for each level; longer sequences are cut.
struct JaggedLayout {
  let offsets: [Tensor]
  /// The greatest length of each level.
  let lengths: [Dimension]
  /// The number of sequences of the outermost level.
  let batch: Dimension

  /// The parameters that follow AITemplate's, which its jagged tensors carry along.
  static let parameters: [FacadeParameter] = [
    .tensors("offsets"), FacadeParameter("max_lengths", .dimensions),
  ]
  /// What they are, for the documentation of entries.
  static let parameterNote =
    "offsets are the jagged tensor's, outermost level first, and max_lengths its greatest lengths"

  /// - Throws: `rank-mismatch` or `dtype-mismatch` if the offsets are no rows of integers.
  init(offsets: [Tensor], lengths: [Dimension]) throws(Diagnostic) {
    guard let first = offsets.first, offsets.count == lengths.count else {
      throw Diagnostic(
        .wrongInputCount,
        "\(offsets.count) tensors of offsets for \(lengths.count) jagged axes",
        hint: "there is one for each level, and at least one level"
      )
    }
    for tensor in offsets {
      guard tensor.rank == 1, tensor.dtype == .int32 || tensor.dtype == .int64,
        tensor.dtype == first.dtype
      else {
        throw Diagnostic(
          tensor.rank == 1 ? .dtypeMismatch : .rankMismatch,
          "offsets \(tensor.type)",
          hint: "offsets have one axis; all are int32, or all int64"
        )
      }
    }
    self.offsets = offsets
    self.lengths = lengths
    batch = first.extent(0) - 1
  }

  /// The layout that a call's further arguments describe.
  init(_ call: FacadeCall, levelCount: Int? = nil) throws(Diagnostic) {
    let offsets = try call.tensors("offsets")
    if let levelCount, offsets.count != levelCount {
      throw call.failure(
        .wrongInputCount,
        "\(offsets.count) jagged axes, expected \(levelCount)"
      )
    }
    try self.init(offsets: offsets, lengths: try call.dimensions("max_lengths"))
  }

  private var dtype: DType { offsets[0].dtype }

  /// For each place of the padded form `[B, lengths…]`: which row stands there, and whether one does.
  func positions() throws(Diagnostic) -> (row: Tensor, isPresent: Tensor) {
    var row = Tensor.arange(batch, dtype)
    var isPresent: Tensor?
    for (level, length) in lengths.enumerated() {
      // An absent sequence is one from 0 to 0: offsets begin with 0.
      let start = isPresent.map { Tensor.where($0, row, 0) } ?? row
      let end = isPresent.map { Tensor.where($0, row + 1, 0) } ?? row + 1
      let starts = offsets[level].indexSelect(axis: 0, start).unsqueeze(axis: -1)
      let ends = offsets[level].indexSelect(axis: 0, end).unsqueeze(axis: -1)
      let place = Tensor.arange(length, dtype)
      row = starts + place
      isPresent = place .< ends - starts
    }
    guard let isPresent, row.diagnostic == nil else {
      throw row.diagnostic ?? Diagnostic(.wrongInputCount, "a jagged tensor of no levels")
    }
    return (row, isPresent)
  }

  /// The padded form `[B, lengths…, D…]` of rows `[T, D…]`, with a value where there is no row.
  func padded(_ x: Tensor, with value: Double) throws(Diagnostic) -> Tensor {
    let (row, isPresent) = try positions()
    let inner = Array(x.shape.dimensions[1...])
    // Absent places read row 0, which a tensor without rows does not have.
    let rows =
      x.extent(0).lowerBound > 0
      ? x : concatenate([x, .zeros(Shape([1] + inner), x.dtype)])
    let y = rows.indexSelect(axis: 0, Tensor.where(isPresent, row, 0))
    return Self.choose(isPresent, y, value)
  }

  /// The rows `[T, D…]` of a padded form `[B, lengths…, D…]`; 0 for rows that were cut.
  func jagged(_ x: Tensor, totalLength: Dimension) throws(Diagnostic) -> Tensor {
    let dense = try matching(x, axis: 0, batch)
    var row = Tensor.arange(totalLength, dtype)
    let last = offsets[offsets.count - 1]
    var isPresent = row .< last[-1]
    // From the innermost level outwards: the sequence that a row lies in, and the place within it.
    var places: [Tensor] = []
    for (level, length) in zip(offsets, lengths).reversed() {
      let ends = level[1...]
      let sequence = (ends .<= row.unsqueeze(axis: -1)).sum(axis: 1).cast(to: dtype)
      let place = row - level.indexSelect(axis: 0, sequence)
      isPresent = isPresent & Self.isLess(place, length)
      places.insert(place.cast(to: .int64), at: 0)
      row = sequence
    }
    var index = row.cast(to: .int64)
    for (place, length) in zip(places, lengths) {
      switch number(length, .int64) {
      case let count as Tensor: index = index * count + place
      default: index = index * (length.constant ?? 1) + place
      }
    }
    let inner = Array(dense.shape.dimensions[(lengths.count + 1)...])
    let count = Shape(Array(dense.shape.dimensions[...lengths.count])).elementCount
    let flat = dense.reshape([count] + inner)
    let rows =
      count.lowerBound > 0 ? flat : concatenate([flat, .zeros(Shape([1] + inner), x.dtype)])
    return Self.choose(
      isPresent,
      rows.indexSelect(axis: 0, Tensor.where(isPresent, index, 0)),
      0
    )
  }

  private static func isLess(_ place: Tensor, _ length: Dimension) -> Tensor {
    switch number(length, .int64) {
    case let count as Tensor: place .< count
    default: place .< (length.constant ?? 0)
    }
  }

  /// The elements where a place of the first axes is present, the value elsewhere.
  private static func choose(_ isPresent: Tensor, _ x: Tensor, _ value: Double) -> Tensor {
    let ones = Array<Dimension>(repeating: 1, count: Swift.max(0, x.rank - isPresent.rank))
    let condition = isPresent.reshape(isPresent.shape.dimensions + ones)
    return Tensor.where(condition, x, value).cast(to: x.dtype)
  }
}
