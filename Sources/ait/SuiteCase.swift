import AITGraph

/// One piece of work of a suite: a graph of several copies of it, so that no copy finds its operands
/// in a cache.
struct SuiteCase: Codable, Sendable {
  /// What a copy computes.
  enum Kind: String, Codable {
    /// `x · wᵀ` and what is fused into it.
    case matmul
    case layerNorm = "layer_norm"
    case softmax
    /// `x · w + x`, with one factor for each column.
    case scaledSum = "scaled_sum"
    /// The tanh form of GELU.
    case gelu
  }

  /// What follows a product.
  enum Epilogue: String, Codable {
    case none
    case biasGELU = "bias_gelu"
    case biasResidual = "bias_residual"
  }

  let name: String
  let group: String
  let kind: Kind
  let dtype: String
  let m: Int
  let n: Int
  let k: Int
  let epilogue: Epilogue
  let copies: Int
  /// Of one copy.
  let flops: Double
  /// Of one copy: each operand read once, each result written once.
  let bytes: Double

  /// Operands beyond the level-2 caches that GPUs have (50 MB), several times over.
  private static let workingSetInBytes = 200e6

  init(
    _ group: String,
    _ kind: Kind,
    _ dtype: DType,
    m: Int,
    n: Int,
    k: Int = 0,
    _ epilogue: Epilogue = .none
  ) {
    let size = Double(dtype.sizeInBytes)
    let (rows, columns, depth) = (Double(m), Double(n), Double(k))
    let isProduct = kind == .matmul
    let extents = isProduct ? "\(m)x\(n)x\(k)" : "\(m)x\(n)"
    let fused = epilogue == .none ? "" : "_\(epilogue.rawValue)"
    name = "\(isProduct ? "matmul" : kind.rawValue)_\(extents)\(fused)_\(dtype.rawValue)"
    self.group = group
    self.kind = kind
    self.dtype = dtype.rawValue
    (self.m, self.n, self.k) = (m, n, k)
    self.epilogue = epilogue
    flops = isProduct ? 2 * rows * columns * depth : 0
    let residual = epilogue == .biasResidual ? rows * columns : 0
    bytes =
      size
      * (isProduct
        ? rows * depth + columns * depth + rows * columns + residual : 2 * rows * columns)
    copies = min(64, max(2, Int((Self.workingSetInBytes / bytes).rounded(.up))))
  }

  /// The graph's text.
  var graph: String {
    var lines = ["graph \(name) {"]
    for copy in 0..<copies { lines += isProduct ? product(copy) : rows(copy) }
    return lines.joined(separator: "\n") + "\n}\n"
  }

  private var isProduct: Bool { kind == .matmul }

  private func product(_ i: Int) -> [String] {
    let result = "\(dtype)[\(m), \(n)]"
    var lines = [
      "  input x\(i): \(dtype)[\(m), \(k)]", "  constant w\(i): \(dtype)[\(n), \(k)]",
    ]
    if epilogue == .biasResidual { lines.append("  input r\(i): \(result)") }
    if epilogue != .none { lines.append("  constant b\(i): \(dtype)[\(n)]") }
    lines.append("  p\(i) = matmul(x\(i), w\(i)) {transpose_b: true} : \(result)")
    switch epilogue {
    case .none: return lines + ["  output y\(i) = p\(i)"]
    case .biasGELU:
      lines.append(
        "  z\(i) = pointwise(p\(i), b\(i)) {body: (p: \(dtype), b: \(dtype)) "
          + "{ s = add(p, b); g = fast_gelu(s); return g }} : \(result)"
      )
    case .biasResidual:
      lines.append(
        "  z\(i) = pointwise(p\(i), b\(i), r\(i)) {body: (p: \(dtype), b: \(dtype), r: \(dtype)) "
          + "{ s = add(p, b); t = add(s, r); return t }} : \(result)"
      )
    }
    return lines + ["  output y\(i) = z\(i)"]
  }

  private func rows(_ i: Int) -> [String] {
    let type = "\(dtype)[\(m), \(n)]"
    var lines = ["  input x\(i): \(type)"]
    switch kind {
    case .layerNorm:
      lines += [
        "  constant w\(i): \(dtype)[\(n)]", "  constant b\(i): \(dtype)[\(n)]",
        "  z\(i) = layer_norm(x\(i), w\(i), b\(i)) {epsilon: 1e-05} : \(type)",
      ]
    case .softmax: lines.append("  z\(i) = softmax(x\(i)) {axis: 1} : \(type)")
    case .scaledSum:
      lines += [
        "  constant w\(i): \(dtype)[\(n)]",
        "  z\(i) = pointwise(x\(i), w\(i)) {body: (x: \(dtype), w: \(dtype)) "
          + "{ p = multiply(x, w); s = add(p, x); return s }} : \(type)",
      ]
    case .gelu, .matmul:
      lines.append(
        "  z\(i) = pointwise(x\(i)) {body: (x: \(dtype)) { g = fast_gelu(x); return g }} : \(type)"
      )
    }
    return lines + ["  output y\(i) = z\(i)"]
  }
}

/// Work whose time is held against that of other libraries.
enum Suite: String, CaseIterable, Sendable {
  /// Products of models as they are used, of powers of two, and of odd sizes.
  case matmul
  /// What memory bounds, on more than 256 MB.
  case rows

  var cases: [SuiteCase] {
    [DType.float16, .bfloat16].flatMap { self == .matmul ? Self.products($0) : Self.rows($0) }
  }

  private static func products(_ dtype: DType) -> [SuiteCase] {
    func product(_ group: String, _ m: Int, _ n: Int, _ k: Int, _ epilogue: SuiteCase.Epilogue)
      -> SuiteCase
    {
      SuiteCase(group, .matmul, dtype, m: m, n: n, k: k, epilogue)
    }
    // Rows of activations: BERT at batch 1 and 32, length 128; ViT at batch 1 and 32, 197 patches.
    var cases: [SuiteCase] = []
    for (group, rows) in [("bert", [128, 4096]), ("vit", [197, 6304])] {
      for m in rows {
        cases += [
          product(group, m, 2304, 768, .biasGELU), product(group, m, 768, 768, .biasResidual),
          product(group, m, 3072, 768, .biasGELU), product(group, m, 768, 3072, .biasResidual),
        ]
      }
    }
    // A Llama of width 4096, grouped queries and an inner width of 14336.
    for m in [512, 2048] {
      cases += [
        product("prefill", m, 6144, 4096, .biasGELU),
        product("prefill", m, 4096, 4096, .biasResidual),
        product("prefill", m, 14336, 4096, .biasGELU),
        product("prefill", m, 4096, 14336, .biasResidual),
      ]
    }
    for m in [1, 8, 16] {
      cases += [
        product("decode", m, 6144, 4096, .biasGELU), product("decode", m, 14336, 4096, .biasGELU),
        product("decode", m, 4096, 14336, .biasResidual),
      ]
    }
    cases += [
      product("tutorial", 1024, 2048, 512, .biasGELU),
      product("tutorial", 1024, 512, 2048, .biasResidual),
    ]
    for size in [256, 512, 1024, 2048, 4096] {
      cases.append(
        product("powers", size, size, size, size % 1024 == 0 ? .biasGELU : .biasResidual)
      )
    }
    cases += [
      product("odd", 33, 65, 129, .biasGELU), product("odd", 300, 257, 515, .biasResidual),
      product("odd", 777, 1000, 1000, .biasGELU), product("odd", 1023, 1023, 1023, .biasResidual),
      product("odd", 1500, 1336, 2008, .biasGELU), product("odd", 64, 50257, 768, .biasGELU),
    ]
    for m in [1, 16, 4096] { cases.append(product("plain", m, 4096, 4096, .none)) }
    return cases + [product("plain", 8192, 8192, 8192, .none)]
  }

  private static func rows(_ dtype: DType) -> [SuiteCase] {
    [SuiteCase.Kind.layerNorm, .softmax, .scaledSum, .gelu].flatMap { kind in
      [(32768, 4096), (131072, 1024), (174763, 768)].map { m, n in
        SuiteCase(kind.rawValue, kind, dtype, m: m, n: n)
      }
    }
  }
}
