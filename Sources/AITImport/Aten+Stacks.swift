import AITFrontend
import AITGraph

extension AtenOperator {
  /// Tensors brought to a rank or a shape, and stacked along axes that their names say.
  static let stacks: [String: AtenOperator] = [
    "ravel": unary { $0.flatten() },
    "atleast_1d": raised(to: 1),
    "atleast_2d": raised(to: 2),
    "atleast_3d": raised(to: 3),
    "hstack": .one { (call) throws(Diagnostic) in
      let all = try call.tensors("tensors").map { atLeast(1, $0) }
      return concatenate(all, axis: all.first?.rank == 1 ? 0 : 1)
    },
    "vstack": .one { (call) throws(Diagnostic) in
      concatenate(try call.tensors("tensors").map { atLeast(2, $0) }, axis: 0)
    },
    "dstack": .one { (call) throws(Diagnostic) in
      concatenate(try call.tensors("tensors").map { atLeast(3, $0) }, axis: 2)
    },
    "column_stack": .one { (call) throws(Diagnostic) in
      let all = try call.tensors("tensors")
      return concatenate(
        all.map { $0.rank < 2 ? $0.reshape([$0.shape.elementCount, 1]) : $0 },
        axis: 1
      )
    },
    "broadcast_tensors": .many { (call) throws(Diagnostic) in
      let all = try call.tensors("tensors")
      let shape = try Shape.broadcasting(all.map(\.shape))
      return all.map { $0.expand(shape.dimensions) }
    },
    "meshgrid": .many { (call) throws(Diagnostic) in
      let all = try call.tensors("tensors").map { $0.flatten() }
      // By columns and rows, as images are counted, the first two axes change places.
      let isSwapped = try call.string("indexing", default: "ij") == "xy" && all.count > 1
      let order = isSwapped ? [1, 0] + all.indices.dropFirst(2) : Array(all.indices)
      let extents = order.map { all[$0].extent(0) }
      return all.indices.map { index in
        var shape = [Dimension](repeating: 1, count: all.count)
        shape[order[index]] = all[index].extent(0)
        return all[index].reshape(shape).expand(extents)
      }
    },
    "fliplr": unary { $0.flip(axes: [1]) },
    "flipud": unary { $0.flip(axes: [0]) },
    "rot90": .one { (call) throws(Diagnostic) in
      let (x, axes) = (try call.subject(), try call.integers("dims", default: [0, 1]))
      guard axes.count == 2 else { throw call.unsupported("along \(axes.count) axes") }
      switch ((try call.integer("k", default: 1)) % 4 + 4) % 4 {
      case 1: return x.flip(axes: [axes[1]]).transpose(axes[0], axes[1])
      case 2: return x.flip(axes: axes)
      case 3: return x.flip(axes: [axes[0]]).transpose(axes[0], axes[1])
      default: return x
      }
    },
  ]

  /// An operator of a tensor, or of a list of them.
  private static func raised(to rank: Int) -> AtenOperator {
    .many { (call) throws(Diagnostic) in
      if call.has("tensors") { return try call.tensors("tensors").map { atLeast(rank, $0) } }
      return [atLeast(rank, try call.subject())]
    }
  }

  /// A tensor with axes of 1: `[n]` is a row `[1, n]`, and `[1, n, 1]`; `[m, n]` is `[m, n, 1]`.
  private static func atLeast(_ rank: Int, _ x: Tensor) -> Tensor {
    guard x.rank < rank else { return x }
    switch (rank, x.rank) {
    case (_, 0): return x.reshape([Dimension](repeating: 1, count: rank))
    case (2, _): return x.unsqueeze(axis: 0)
    case (_, 1): return x.reshape([1, x.extent(0), 1])
    default: return x.unsqueeze(axis: 2)
    }
  }

  static let diagonals: [String: AtenOperator] = [
    "linalg_diagonal": .one { (call) throws(Diagnostic) in
      try diagonal(
        call,
        try call.integer("offset", default: 0),
        try call.integer("dim1", default: -2),
        try call.integer("dim2", default: -1)
      )
    },
    "diagonal": .one { (call) throws(Diagnostic) in
      try diagonal(
        call,
        try call.integer("offset", default: 0),
        try call.integer("dim1", default: 0),
        try call.integer("dim2", default: 1)
      )
    },
    "diag": .one { (call) throws(Diagnostic) in
      let offset = try call.integer("diagonal", default: 0)
      return try call.subject().rank == 1
        ? try embedded(call, offset) : try diagonal(call, offset, 0, 1)
    },
    "diag_embed": .one { (call) throws(Diagnostic) in
      let rank = try call.subject().rank + 1
      let first = try call.integer("dim1", default: -2)
      let second = try call.integer("dim2", default: -1)
      guard (first + rank) % rank == rank - 2, (second + rank) % rank == rank - 1 else {
        throw call.unsupported("along other axes than the last")
      }
      return try embedded(call, try call.integer("offset", default: 0))
    },
    "trace": .one { (call) throws(Diagnostic) in try diagonal(call, 0, 0, 1).sum() },
  ]

  /// The elements whose column is their row and an offset: every `columns + 1`-th of the matrix's.
  private static func diagonal(_ call: AtenCall, _ offset: Int, _ first: Int, _ second: Int)
    throws(Diagnostic) -> Tensor
  {
    let x = try call.subject()
    let (first, second) = (
      try x.shape.normalizedAxis(first), try x.shape.normalizedAxis(second)
    )
    guard first != second, let rows = x.extent(first).constant,
      let columns = x.extent(second).constant, abs(offset) <= 1 << 32
    else { throw call.unsupported("of \(x.type) along the axes \(first) and \(second)") }
    let count = max(0, offset >= 0 ? min(rows, columns - offset) : min(rows + offset, columns))
    let rest = (0..<x.rank).filter { $0 != first && $0 != second }
    let outer = rest.map { x.extent($0) }
    let flat = x.permute(rest + [first, second]).reshape(outer + [Dimension(rows * columns)])
    guard count > 0 else { return flat.slice(axis: -1, to: 0) }
    let start = offset >= 0 ? offset : -offset * columns
    return flat.slice(
      axis: -1,
      from: Dimension(start),
      to: Dimension(start + (count - 1) * (columns + 1) + 1),
      by: columns + 1
    )
  }

  /// Matrices of zeros with a tensor's last axis on a diagonal.
  private static func embedded(_ call: AtenCall, _ offset: Int) throws(Diagnostic) -> Tensor {
    let x = try call.subject()
    guard x.rank > 0, abs(offset) <= 1 << 32 else { throw call.unsupported("of \(x.type)") }
    let padded = x.pad([0, Dimension(abs(offset))])
    let size = padded.extent(-1)
    let row = Tensor.arange(size, .int64).unsqueeze(axis: 1)
    let isKept = (Tensor.arange(size, .int64) - row) .== offset
    // Above the diagonal element i lies in the row i, below in the column i.
    let values = padded.unsqueeze(axis: offset >= 0 ? -1 : -2)
    return `where`(isKept, values, 0).cast(to: x.dtype)
  }

  static let differences: [String: AtenOperator] = [
    "trapezoid": trapezoid { $0.sum(axes: [$1]) },
    "cumulative_trapezoid": trapezoid { $0.cumulativeSum(axis: $1) },
    "diff": .one { (call) throws(Diagnostic) in
      let axis = try call.integer("dim", default: -1)
      var x = try call.subject()
      let parts = [try call.optionalTensor("prepend"), x, try call.optionalTensor("append")]
        .compactMap(\.self)
      if parts.count > 1 { x = concatenate(parts, axis: axis) }
      let order = try call.integer("n", default: 1)
      guard (0...64).contains(order) else { throw call.unsupported("of order \(order)") }
      for _ in 0..<order {
        let extent = try x.checkedExtent(axis)
        guard extent.lowerBound > 0 else { throw call.unsupported("of \(x.type)") }
        let (next, last) = (x.slice(axis: axis, from: 1), x.slice(axis: axis, to: extent - 1))
        x = try apply(x.dtype == .bool ? .notEqual : .subtract, [next, last])
      }
      return x
    },
    "cosine_similarity": .one { (call) throws(Diagnostic) in
      let (x, y) = (try call.tensor("x1"), try call.tensor("x2"))
      let shape = try Shape.broadcasting([x.shape, y.shape]).dimensions
      let axis = try call.integer("dim", default: 1)
      let least = try call.number("eps", default: 1e-8)
      let (a, b) = (x.expand(shape), y.expand(shape))
      let first = a.norm(axes: [axis], keepsDimensions: true).clamp(min: least)
      let second = b.norm(axes: [axis], keepsDimensions: true).clamp(min: least)
      return ((a / first) * (b / second)).sum(axes: [axis])
    },
    "cdist": distances,
    "_cdist_forward": distances,
    "logaddexp": .one { (call) throws(Diagnostic) in
      let (x, y) = (try call.subject(), try call.tensor("other"))
      let larger = try apply(.maximum, [x, y])
      // Equal infinities have no difference.
      let distance = `where`(x .== y, 0, -abs(x - y))
      return larger + log1p(exp(distance))
    },
    "linalg_cross": .one { (call) throws(Diagnostic) in
      let (x, y) = (try call.subject(), try call.tensor("other"))
      let shape = try Shape.broadcasting([x.shape, y.shape]).dimensions
      let axis = try Shape(shape).normalizedAxis(try call.integer("dim", default: -1))
      let order = Tensor.constant(TensorData(.int64, [3], integers: [1, 2, 0]))
      let next: (Tensor) -> Tensor = { $0.indexSelect(axis: axis, order) }
      let (a, b) = (x.expand(shape), y.expand(shape))
      // The component i of a × b is that of a · next(b) − next(a) · b one further.
      return next(a * next(b) - next(a) * b)
    },
  ]

  /// The areas between neighbours at equal steps, brought together.
  private static func trapezoid(_ gather: @escaping @Sendable (Tensor, Int) -> Tensor)
    -> AtenOperator
  {
    .one { (call) throws(Diagnostic) in
      let (y, axis) = (try call.tensor("y"), try call.integer("dim", default: -1))
      let extent = try y.checkedExtent(axis)
      guard !call.has("x"), extent.lowerBound > 0 else {
        throw call.unsupported("at given positions, or of \(y.type)")
      }
      let sums = y.slice(axis: axis, from: 1) + y.slice(axis: axis, to: extent - 1)
      return gather(sums, try y.shape.normalizedAxis(axis))
        * ((try call.number("dx", default: 1)) / 2)
    }
  }

  /// Distances of all rows of one to all rows of the other.
  private static let distances = one { (call) throws(Diagnostic) in
    let (x, y) = (try call.tensor("x1"), try call.tensor("x2"))
    guard x.rank >= 2, y.rank >= 2 else { throw call.unsupported("of \(x.type), \(y.type)") }
    let distance = x.unsqueeze(axis: -2) - y.unsqueeze(axis: -3)
    return distance.norm(order: try call.number("p", default: 2), axes: [-1])
  }
}
