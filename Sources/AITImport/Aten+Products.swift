import AITFrontend
import AITGraph

extension AtenOperator {
  static let products: [String: AtenOperator] = [
    "linear": .one { (call) throws(Diagnostic) in
      linear(
        try call.subject(),
        try call.tensor("weight"),
        bias: try call.optionalTensor("bias")
      )
    },
    "matmul": .one { (call) throws(Diagnostic) in
      matmul(try call.subject(), try call.tensor("other"))
    },
    "mm": .one { (call) throws(Diagnostic) in
      matmul(try call.subject(), try call.tensor("mat2"))
    },
    "bmm": .one { (call) throws(Diagnostic) in
      matmul(try call.subject(), try call.tensor("mat2"))
    },
    "mv": .one { (call) throws(Diagnostic) in
      matmul(try call.subject(), try call.tensor("vec"))
    },
    "dot": .one { (call) throws(Diagnostic) in
      // vdot's is called other.
      matmul(try call.subject(), try call.tensor(call.has("tensor") ? "tensor" : "other"))
    },
    "addmm": .one { (call) throws(Diagnostic) in try added(call, "mat1", "mat2") },
    "baddbmm": .one { (call) throws(Diagnostic) in try added(call, "batch1", "batch2") },
    "addmv": .one { (call) throws(Diagnostic) in try added(call, "mat", "vec") },
    "inner": .one { (call) throws(Diagnostic) in
      let (x, y) = (try call.subject(), try call.tensor("other"))
      if x.rank == 0 || y.rank == 0 { return x * y }
      return try contracted(x, y, [x.rank - 1], [y.rank - 1], call)
    },
    "tensordot": .one { (call) throws(Diagnostic) in
      let (x, y) = (try call.subject(), try call.tensor("other"))
      return try contracted(
        x,
        y,
        try call.integers("dims_self"),
        try call.integers("dims_other"),
        call
      )
    },
    "linalg_vecdot": .one { (call) throws(Diagnostic) in
      let axis = try call.integer("dim", default: -1)
      return (try call.tensor("x") * call.tensor("y")).sum(axes: [axis])
    },
    "outer": .one { (call) throws(Diagnostic) in
      try call.subject().unsqueeze(axis: 1) * (try call.tensor("vec2"))
    },
    "einsum": .one { (call) throws(Diagnostic) in
      try Einsum(try call.string("equation"), try call.tensors("tensors"), call).result()
    },
    "scaled_dot_product_attention": plainAttention,
    "_scaled_dot_product_attention_math": chosenAttention(mask: "attn_mask"),
    "_scaled_dot_product_flash_attention": chosenAttention(mask: "attn_mask"),
    "_scaled_dot_product_flash_attention_for_cpu": chosenAttention(mask: "attn_mask"),
    "_scaled_dot_product_efficient_attention": chosenAttention(mask: "attn_bias"),
    "_scaled_dot_product_cudnn_attention": chosenAttention(mask: "attn_bias"),
  ]

  /// The sum of products over axes of one and of the other.
  private static func contracted(
    _ x: Tensor,
    _ y: Tensor,
    _ first: [Int],
    _ second: [Int],
    _ call: AtenCall
  ) throws(Diagnostic) -> Tensor {
    var (left, right): ([Int], [Int]) = ([], [])
    for axis in first { left.append(try x.shape.normalizedAxis(axis)) }
    for axis in second { right.append(try y.shape.normalizedAxis(axis)) }
    guard left.count == right.count, Set(left).count == left.count,
      Set(right).count == right.count
    else { throw call.unsupported("over the axes \(first) and \(second)") }
    let rows = (0..<x.rank).filter { !left.contains($0) }
    let columns = (0..<y.rank).filter { !right.contains($0) }
    let inner = left.map { x.extent($0) }.reduce(1, *)
    let a = x.permute(rows + left).reshape([rows.map { x.extent($0) }.reduce(1, *), inner])
    let b = y.permute(right + columns).reshape([inner, columns.map { y.extent($0) }.reduce(1, *)])
    return matmul(a, b).reshape(rows.map { x.extent($0) } + columns.map { y.extent($0) })
  }

  private static func added(_ call: AtenCall, _ first: String, _ second: String)
    throws(Diagnostic) -> Tensor
  {
    addMM(
      try call.subject(),
      try call.tensor(first),
      try call.tensor(second),
      beta: try call.number("beta", default: 1),
      alpha: try call.number("alpha", default: 1)
    )
  }

  private static let plainAttention = one { (call) throws(Diagnostic) in
    try attention(call, mask: "attn_mask")
  }

  /// Attention by one of the functions that PyTorch chooses for its devices, of whose results all but the
  /// first are for training.
  private static func chosenAttention(mask: String) -> AtenOperator {
    AtenOperator { (call) throws(Diagnostic) in
      let statistics = AtenValue.unavailable("the statistics of \(call.target)")
      return [.tensor(try attention(call, mask: mask))] + Array(repeating: statistics, count: 8)
    }
  }

  /// Attention, where the mask has one of several names.
  private static func attention(_ call: AtenCall, mask: String) throws(Diagnostic) -> Tensor {
    guard try call.number("dropout_p", default: 0) == 0 else {
      throw call.unsupported("with dropout", hint: "export the module in eval mode")
    }
    let (key, value) = (try call.tensor("key"), try call.tensor("value"))
    let lengths = [try key.checkedExtent(-2), try value.checkedExtent(-2)]
    // PyTorch sees no difference while it exports.
    guard lengths[0] == lengths[1] || lengths.allSatisfy(\.isConstant) else {
      throw call.unsupported(
        "of \(lengths[0]) keys and \(lengths[1]) values",
        hint: "name both lengths the same in dynamic_shapes: torch.export.Dim(\"length\")"
      )
    }
    return scaledDotProductAttention(
      try call.tensor("query"),
      key,
      value,
      mask: try call.optionalTensor(mask),
      scale: try call.optionalNumber("scale"),
      isCausal: try call.bool("is_causal"),
      groupsHeads: try call.bool("enable_gqa")
    )
  }
}

/// Sums of products by Einstein's notation, as products of matrices.
///
/// Two operands at a time: letters of both that the result keeps are a batch, letters of one alone its
/// rows or columns, the others are summed over. Source: `torch.einsum`.
private struct Einsum {
  private let call: AtenCall
  private let operands: [(letters: [Character], tensor: Tensor)]
  private let output: [Character]

  init(_ equation: String, _ tensors: [Tensor], _ call: AtenCall) throws(Diagnostic) {
    self.call = call
    let text = equation.filter { $0 != " " }
    let sides = text.split(separator: ">", omittingEmptySubsequences: false)
    let left = sides[0].last == "-" ? sides[0].dropLast() : sides[0]
    let terms = left.split(separator: ",", omittingEmptySubsequences: false).map(Array.init)
    guard sides.count <= 2, terms.count == tensors.count else {
      throw call.unsupported("of '\(equation)'")
    }
    // What an ellipsis stands for has letters of its own, the last axes the same in all terms.
    let dots = Array("...")
    let ranks = zip(terms, tensors).map { term, tensor in
      term.contains(".") ? tensor.rank - (term.count - dots.count) : 0
    }
    let rest = (0..<max(ranks.max() ?? 0, 0)).compactMap { UnicodeScalar(0x2460 + $0) }
      .map(Character.init)
    func spelt(_ term: [Character], _ rank: Int) -> [Character]? {
      guard let start = term.firstIndex(of: ".") else { return term }
      guard rank >= 0, rank <= rest.count, start + 3 <= term.count,
        Array(term[start..<(start + 3)]) == dots
      else { return nil }
      return term[..<start] + rest.suffix(rank) + term[(start + 3)...]
    }
    var operands: [(letters: [Character], tensor: Tensor)] = []
    for (index, (term, tensor)) in zip(terms, tensors).enumerated() {
      guard let letters = spelt(term, ranks[index]), letters.count == tensor.rank else {
        throw call.unsupported("of '\(equation)' with an operand \(tensor.type)")
      }
      operands.append(try Self.diagonal(letters, tensor, call))
    }
    self.operands = operands
    if sides.count == 2 {
      guard let letters = spelt(Array(sides[1]), rest.count) else {
        throw call.unsupported("of '\(equation)'")
      }
      output = letters
    } else {
      // Those of the ellipsis, and letters that stand once, in order.
      let all = terms.flatMap(\.self).filter { $0 != "." }
      output = rest + Set(all).filter { letter in all.count { $0 == letter } == 1 }.sorted()
    }
  }

  /// A tensor whose letters stand once: of axes of one letter the diagonal.
  private static func diagonal(_ letters: [Character], _ tensor: Tensor, _ call: AtenCall)
    throws(Diagnostic) -> ([Character], Tensor)
  {
    for (first, letter) in letters.enumerated() {
      guard let second = letters[(first + 1)...].firstIndex(of: letter) else { continue }
      guard let extent = tensor.extent(first).constant, tensor.extent(second).constant == extent
      else { throw call.unsupported("of a diagonal of \(tensor.type)") }
      let rest = letters.indices.filter { $0 != first && $0 != second }
      let moved = tensor.permute(rest + [first, second])
      let outer = rest.map { tensor.extent($0) }
      // One further in each row.
      let flat = moved.reshape(outer + [Dimension(extent * extent)])
      let taken = flat.slice(axis: rest.count, by: extent + 1)
      return try diagonal(rest.map { letters[$0] } + [letter], taken, call)
    }
    return (letters, tensor)
  }

  func result() throws(Diagnostic) -> Tensor {
    guard var (letters, tensor) = operands.first else { throw call.unsupported("of nothing") }
    for index in operands.indices.dropFirst() {
      let needed = Set(output + operands[(index + 1)...].flatMap(\.letters))
      (letters, tensor) = product(letters, tensor, operands[index], keeping: needed)
    }
    let summed = letters.indices.filter { !output.contains(letters[$0]) }
    if !summed.isEmpty {
      tensor = tensor.sum(axes: summed)
      letters = letters.filter(output.contains)
    }
    guard Set(letters) == Set(output), letters.count == output.count else {
      throw call.unsupported("whose result repeats letters")
    }
    let axes = output.compactMap { letters.firstIndex(of: $0) }
    return axes == Array(axes.indices) ? tensor : tensor.permute(axes)
  }

  private func product(
    _ letters: [Character],
    _ tensor: Tensor,
    _ other: (letters: [Character], tensor: Tensor),
    keeping needed: Set<Character>
  ) -> ([Character], Tensor) {
    let shared = letters.filter { other.letters.contains($0) }
    let batch = shared.filter(needed.contains)
    let inner = shared.filter { !needed.contains($0) }
    let rows = letters.filter { !shared.contains($0) }
    let columns = other.letters.filter { !shared.contains($0) }
    let a = grouped(letters, tensor, [batch, rows, inner])
    let b = grouped(other.letters, other.tensor, [batch, inner, columns])
    var extents: [Character: Dimension] = [:]
    for (letter, extent) in zip(letters, tensor.shape.dimensions) { extents[letter] = extent }
    for (letter, extent) in zip(other.letters, other.tensor.shape.dimensions) {
      // An extent of 1 broadcasts.
      if extents[letter] == nil || extents[letter] == 1 { extents[letter] = extent }
    }
    let result = batch + rows + columns
    return (result, matmul(a, b).reshape(result.map { extents[$0] ?? 1 }))
  }

  /// A tensor with its letters joined to one axis for each group.
  private func grouped(_ letters: [Character], _ tensor: Tensor, _ groups: [[Character]]) -> Tensor
  {
    let order = groups.flatMap { $0 }.compactMap { letters.firstIndex(of: $0) }
    let permuted = order == Array(order.indices) ? tensor : tensor.permute(order)
    let extents = groups.map { group in
      group.compactMap { letters.firstIndex(of: $0) }.map { tensor.extent($0) }.reduce(1, *)
    }
    return permuted.reshape(extents)
  }
}
