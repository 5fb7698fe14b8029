import AITFrontend
import AITGraph

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension AtenOperator {
  /// Parts along axes that their names say, and tensors of positions and windows.
  static let parts: [String: AtenOperator] = [
    "tensor_split": .many { (call) throws(Diagnostic) in
      try split(call, along: try call.integer("dim", default: 0))
    },
    "hsplit": .many { (call) throws(Diagnostic) in
      try split(call, along: try call.subject().rank == 1 ? 0 : 1)
    },
    "vsplit": .many { (call) throws(Diagnostic) in try split(call, along: 0) },
    "dsplit": .many { (call) throws(Diagnostic) in try split(call, along: 2) },
    "sum_to_size": .one { (call) throws(Diagnostic) in
      let (x, extents) = (try call.subject(), try call.dimensions("size"))
      let lead = x.rank - extents.count
      guard lead >= 0 else { throw call.unsupported("of \(x.type) to \(extents)") }
      let ones = extents.indices.filter { extents[$0] == 1 }.map { $0 + lead }
      let axes = Array(0..<lead) + ones
      return axes.isEmpty ? x : x.sum(axes: axes, keepsDimensions: true).reshape(extents)
    },
    "cartesian_prod": .one { (call) throws(Diagnostic) in
      let all = try call.tensors("tensors")
      if all.count == 1 { return all[0] }
      let extents = all.map { $0.extent(0) }
      let count = extents.reduce(1, *)
      let columns = all.indices.map { index in
        var shape = [Dimension](repeating: 1, count: all.count)
        shape[index] = extents[index]
        return all[index].reshape(shape).expand(extents).reshape([count])
      }
      return stack(columns, axis: 1)
    },
    "diagflat": .one { (call) throws(Diagnostic) in
      let x = try call.subject().flatten()
      let offset = try call.integer("offset", default: 0)
      let size = x.extent(0) + Dimension(abs(offset))
      let row = Tensor.arange(size, .int64).unsqueeze(axis: 1)
      let isKept = (Tensor.arange(size, .int64) - row) .== offset
      let padding: [Dimension] =
        offset >= 0 ? [Dimension(offset), 0] : [0, Dimension(-offset)]
      // Along columns, so that element i lies in column i, or `offset` further.
      return `where`(isKept, x.pad(padding), 0).cast(to: x.dtype)
    },
    "tril_indices": .one { (call) throws(Diagnostic) in try triangle(call, isLower: true) },
    "triu_indices": .one { (call) throws(Diagnostic) in try triangle(call, isLower: false) },
    "hann_window": window { (x, _) in 0.5 - 0.5 * cos(2 * Double.pi * x) },
    "hamming_window": window { (x, call) throws(Diagnostic) in
      try call.number("alpha", default: 0.54)
        - (try call.number("beta", default: 0.46)) * cos(2 * Double.pi * x)
    },
    "blackman_window": window { (x, _) in
      0.42 - 0.5 * cos(2 * Double.pi * x) + 0.08 * cos(4 * Double.pi * x)
    },
    "bartlett_window": window { (x, _) in x < 0.5 ? 2 * x : 2 - 2 * x },
    "empty_permuted": .one { (call) throws(Diagnostic) in
      .full(Shape(try call.dimensions("size")), 0, try call.elementType() ?? .float32)
    },
    "put": .one { (call) throws(Diagnostic) in
      let (x, index) = (try call.subject().flatten(), try call.tensor("index").flatten())
      return x.scatterSlices(
        axis: 0,
        try positive(index, x.extent(0)),
        try call.tensor("source").flatten(),
        try call.bool("accumulate") ? .add : .replace
      ).reshape(try call.subject().shape.dimensions)
    },
  ]

  private static func split(_ call: AtenCall, along axis: Int) throws(Diagnostic) -> [Tensor] {
    let x = try call.subject()
    let extent = try x.checkedExtent(axis)
    if call.has("indices") {
      var bounds: [Dimension] = [0]
      for index in try call.dimensions("indices") {
        bounds.append(index.upperBound < 0 ? index + extent : index)
      }
      return zip(bounds, bounds.dropFirst() + [extent]).map { start, end in
        x.slice(axis: axis, from: start, to: end)
      }
    }
    let count = try call.integer("sections")
    guard count > 0, let size = extent.constant else {
      throw call.unsupported("of \(x.type) in \(count)")
    }
    try call.checkCount(count)
    // The first parts are larger by one.
    let sizes = (0..<count).map { Dimension(size / count + ($0 < size % count ? 1 : 0)) }
    return x.split(sizes: sizes, axis: axis)
  }

  /// Rows and columns of a triangle, as PyTorch orders them.
  private static func triangle(_ call: AtenCall, isLower: Bool) throws(Diagnostic) -> Tensor {
    let (rows, columns) = (try call.integer("row"), try call.integer("col"))
    let offset = try call.integer("offset", default: 0)
    guard rows >= 0, columns >= 0, rows <= 1 << 12, columns <= 1 << 12, rows * columns <= 1 << 20
    else {
      throw call.unsupported("of \(rows) by \(columns)")
    }
    var (first, second): ([Int64], [Int64]) = ([], [])
    for row in 0..<rows {
      for column in 0..<columns
      where isLower ? column - row <= offset : column - row >= offset {
        first.append(Int64(row))
        second.append(Int64(column))
      }
    }
    let dtype = try call.elementType() ?? .int64
    return .constant(TensorData(dtype, [2, first.count], integers: first + second))
  }

  /// A window for signals, a function of the position from 0 to 1.
  private static func window(
    _ function: @escaping @Sendable (Double, AtenCall) throws(Diagnostic) -> Double
  ) -> AtenOperator {
    .one { (call) throws(Diagnostic) in
      let count = try call.integer("window_length")
      guard (0...1 << 16).contains(count) else { throw call.unsupported("of \(count)") }
      let isPeriodic = try call.bool("periodic", default: true)
      let length = isPeriodic ? Double(count) : Double(max(count - 1, 1))
      var values: [Double] = []
      for position in 0..<count {
        values.append(count == 1 ? 1 : try function(Double(position) / length, call))
      }
      return .constant(TensorData(try call.elementType() ?? .float32, [count], values))
    }
  }
}
