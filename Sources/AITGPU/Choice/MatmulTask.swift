import AITGraph
import AITKernels

/// The sizes of a product at one point of its range.
struct MatmulSize: Hashable, Sendable {
  var batch: Int
  var rows: Int
  var columns: Int
  var depth: Int

  /// The tiles that blocks compute.
  func tiles(_ m: Int, _ n: Int) -> Int {
    ((rows + m - 1) / m) * ((columns + n - 1) / n) * batch
  }
}

extension MatmulSize: CustomStringConvertible {
  var description: String {
    (batch == 1 ? "" : "\(batch) x ") + "\(rows) x \(columns) x \(depth)"
  }
}

/// A product as the choice of its kernels sees it.
struct MatmulTask: Sendable {
  /// 16-bit floats, by their name in the graph.
  let element: String
  /// The axis along which A and B are contiguous: `k` or `mn`.
  let majors: (a: String, b: String)
  /// What addresses and strides are multiples of, in elements.
  let alignments: (a: Int, b: Int)
  let columnMultiple: Int
  let isConstantB: Bool
  let hasEmptySums: Bool
  /// What is computed for each element of the result besides the sum.
  let epilogueOperations: Int
  /// Bytes that move for each element of the result: outputs, and operands that vary along both axes.
  let epilogueBytes: Int
  /// The epilogue and its operands, as a hash.
  let epilogue: String
  let extents: (batch: Dimension, rows: Dimension, columns: Dimension, depth: Dimension)
  /// Whether A is no matrix in memory, but gathered by the kernel: a convolution.
  var isGathered = false
  /// Whether the copy engine can gather it.
  var isOfPixels = false

  /// Whether the copy engine can fetch the operands: 16-byte strides and something to fetch.
  var suitsHopper: Bool {
    alignments.a == 8 && alignments.b == 8 && !hasEmptySums && (!isGathered || isOfPixels)
  }
  /// Whether at most 16 rows may take a kernel of their own.
  var suitsFewRows: Bool { majors == ("k", "k") && !hasEmptySums && !isGathered }

  /// The symbols' values where there are so many rows: those that rows are a multiple of follow, the
  /// others are at their bounds.
  func values(rows: Int) -> [String: Int] {
    var values: [String: Int] = [:]
    let all = [extents.batch, extents.rows, extents.columns, extents.depth]
    for symbol in all.reduce(into: Set<Symbol>(), { $0.formUnion($1.symbols) }) {
      values[symbol.name] = symbol.bounds.upperBound
    }
    if let scaled = extents.rows.scaledSymbol {
      values[scaled.symbol.name] = max(1, rows / scaled.scale)
    }
    return values
  }

  /// The sizes where there are so many rows.
  func size(rows: Int) -> MatmulSize {
    let values = values(rows: rows)
    func value(_ extent: Dimension) -> Int { extent.evaluate(values) ?? extent.upperBound }
    return MatmulSize(
      batch: value(extents.batch),
      rows: rows,
      columns: value(extents.columns),
      depth: value(extents.depth)
    )
  }

  private var bounds: ClosedRange<Int> {
    let most = max(1, extents.rows.upperBound)
    return min(max(1, extents.rows.range.lowerBound), most)...most
  }

  /// The numbers of rows at which kernels are compared, ascending; the last is the bound.
  ///
  /// They are the edges of tiles where these are few, then eight for each doubling, powers of two
  /// among them. Each stands for those above the one before.
  var points: [Int] {
    let most = bounds.upperBound
    var points = [8, 16, 32, 64]
    while let last = points.last, last < most {
      let power = 1 << (Int.bitWidth - 1 - last.leadingZeroBitCount)
      points.append(last + max(64, power / 8))
    }
    return points.filter { bounds.contains($0) && $0 < most } + [most]
  }

  /// The numbers of rows that are worth measuring: the bound, and ever smaller parts of it.
  var measuredPoints: [Int] {
    let parts = [1, 2, 4, 16, 64].map { bounds.upperBound / $0 }.filter(bounds.contains)
    return Set(parts).sorted()
  }

  /// What a measurement belongs to, as text: all that the time of a kernel depends on but the GPU.
  func problem(rows: Int) -> String {
    let size = size(rows: rows)
    return [
      "matmul", element, "a:\(majors.a)\(alignments.a)", "b:\(majors.b)\(alignments.b)",
      isConstantB ? "constant" : "varying", "columns:\(columnMultiple)", "epilogue:\(epilogue)",
      "batch:\(size.batch)", "m:\(size.rows)", "n:\(size.columns)", "k:\(size.depth)",
    ].joined(separator: " ")
  }
}
