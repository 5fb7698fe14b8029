import AITFrontend
import AITGraph

extension AtenOperator {
  /// Norms, powers and products of matrices.
  static let algebra: [String: AtenOperator] = [
    "linalg_norm": .one { (call) throws(Diagnostic) in
      let x = try call.subject()
      let axes = try call.optionalIntegers("dim")
      guard call.has("ord") else {
        return x.norm(order: 2, axes: axes, keepsDimensions: try call.bool("keepdim"))
      }
      let along = axes ?? Array(0..<x.rank)
      guard along.count == 2 else {
        return x.norm(
          order: try call.number("ord"),
          axes: along,
          keepsDimensions: try call.bool("keepdim")
        )
      }
      return try matrixNorm(x, along, call)
    },
    "linalg_matrix_norm": .one { (call) throws(Diagnostic) in
      let axes = try call.integers("dim", default: [-2, -1])
      return try matrixNorm(try call.subject(), axes, call)
    },
    "linalg_matrix_power": .one { (call) throws(Diagnostic) in
      let (x, times) = (try call.subject(), try call.integer("n"))
      guard x.rank >= 2, (0...64).contains(times) else { throw call.unsupported("by \(times)") }
      if times == 0 {
        let row = Tensor.arange(x.extent(-2), .int64).unsqueeze(axis: 1)
        let eye = (row .== Tensor.arange(x.extent(-1), .int64)).cast(to: x.dtype)
        return eye.expand(x.shape.dimensions)
      }
      var (result, power, rest) = (nil as Tensor?, x, times)
      while rest > 0 {
        if rest % 2 == 1 { result = result.map { matmul($0, power) } ?? power }
        rest /= 2
        if rest > 0 { power = matmul(power, power) }
      }
      return result ?? x
    },
    "linalg_multi_dot": .one { (call) throws(Diagnostic) in
      try chain(try call.tensors("tensors"), call)
    },
    "chain_matmul": .one { (call) throws(Diagnostic) in
      try chain(try call.tensors("matrices"), call)
    },
    "addbmm": .one { (call) throws(Diagnostic) in
      let product = matmul(try call.tensor("batch1"), try call.tensor("batch2")).sum(axes: [0])
      return try sum(try call.subject(), product, call)
    },
    "addr": .one { (call) throws(Diagnostic) in
      let product = try call.tensor("vec1").unsqueeze(axis: 1) * (try call.tensor("vec2"))
      return try sum(try call.subject(), product, call)
    },
    "kron": .one { (call) throws(Diagnostic) in
      let (x, y) = (try call.subject(), try call.tensor("other"))
      let rank = max(x.rank, y.rank)
      let ones = { (count: Int) in [Dimension](repeating: 1, count: count) }
      let first = ones(rank - x.rank) + x.shape.dimensions
      let second = ones(rank - y.rank) + y.shape.dimensions
      let product =
        x.reshape(first.flatMap { [$0, 1] }) * y.reshape(second.flatMap { [1, $0] })
      return product.reshape(zip(first, second).map { $0 * $1 })
    },
    "block_diag": .one { (call) throws(Diagnostic) in
      let all = try call.tensors("tensors").map { x in
        x.rank == 0 ? x.reshape([1, 1]) : x.rank == 1 ? x.unsqueeze(axis: 0) : x
      }
      let width = all.map { $0.extent(1) }.reduce(0, +)
      var left: Dimension = 0
      var rows: [Tensor] = []
      for x in all {
        rows.append(x.pad([left, width - left - x.extent(1)]))
        left = left + x.extent(1)
      }
      return concatenate(rows, axis: 0)
    },
  ]

  private static func matrixNorm(_ x: Tensor, _ axes: [Int], _ call: AtenCall)
    throws(Diagnostic) -> Tensor
  {
    let keeps = try call.bool("keepdim")
    guard axes.count == 2 else { throw call.unsupported("along \(axes.count) axes") }
    var (rows, columns) = (
      try x.shape.normalizedAxis(axes[0]), try x.shape.normalizedAxis(axes[1])
    )
    if case .string(let name) = call["ord"] {
      guard name == "fro" else { throw call.unsupported("'\(name)'") }
      return x.norm(order: 2, axes: axes, keepsDimensions: keeps)
    }
    guard call.has("ord") else { return x.norm(order: 2, axes: axes, keepsDimensions: keeps) }
    let order = try call.number("ord")
    guard abs(order) == 1 || order.isInfinite else {
      throw call.unsupported("of order \(order)", hint: "supported are 'fro', ±1 and ±inf")
    }
    if order.isInfinite { swap(&rows, &columns) }
    let sums = abs(x).sum(axes: [rows], keepsDimensions: true)
    let norm =
      order > 0
      ? sums.max(axes: [columns], keepsDimensions: true)
      : sums.min(axes: [columns], keepsDimensions: true)
    return keeps ? norm : norm.squeeze(axes: [rows, columns])
  }

  private static func chain(_ matrices: [Tensor], _ call: AtenCall) throws(Diagnostic) -> Tensor {
    guard let first = matrices.first else { throw call.unsupported("of nothing") }
    return matrices.dropFirst().reduce(first) { matmul($0, $1) }
  }

  /// `beta · x + alpha · product`.
  private static func sum(_ x: Tensor, _ product: Tensor, _ call: AtenCall) throws(Diagnostic)
    -> Tensor
  {
    let (beta, alpha) = (try call.number("beta", default: 1), try call.number("alpha", default: 1))
    let term = alpha == 1 ? product : (product * alpha).cast(to: product.dtype)
    if beta == 0 { return term }
    return (beta == 1 ? x : (x * beta).cast(to: x.dtype)) + term
  }
}
