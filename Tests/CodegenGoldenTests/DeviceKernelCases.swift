/// Graphs whose kernels for GPUs are tested.
enum DeviceKernelCases {
  typealias Case = (name: String, graph: String)

  /// Those of operators but products and rows.
  static let kept =
    reductions + movements + groups + images + ordering + convolutions
    + attention

  private static let convolutions: [Case] = [
    (
      "convolution.cuda.residual",
      """
      symbol batch: 1...8
      input x: float32[batch, 14, 14, 48]
      input residual: float32[batch, 7, 7, 40]
      constant w: float32[40, 3, 3, 24]
      constant b: float32[40]
      y = convolution(x, w, b, residual) {stride: [2, 2], padding: [1, 1], groups: 2, \
      epilogue: (x0: float32, x1: float32, x2: float32) \
      { t3 = add(x0, x1); t4 = add(t3, x2); t5 = relu(t4); return t5 }} : float32[batch, 7, 7, 40]
      output y = y
      """
    ),
    (
      "convolution.cuda.product",
      """
      symbol batch: 1...8
      input x: float16[batch, 28, 28, 64]
      input residual: float16[batch, 28, 28, 128]
      constant w: float16[128, 3, 3, 64]
      constant b: float16[128]
      y = convolution(x, w, b, residual) {stride: [1, 1], padding: [1, 1], \
      epilogue: (x0: float16, x1: float16, x2: float16) \
      { t3 = add(x0, x1); t4 = add(t3, x2); t5 = relu(t4); return t5 }} : float16[batch, 28, 28, 128]
      output y = y
      """
    ),
    (
      "convolution.cuda.depthwise",
      """
      symbol batch: 1...8
      input x: float16[batch, 14, 14, 48]
      constant w: float16[48, 3, 3, 1]
      y = convolution(x, w) {stride: [1, 1], padding: [1, 1], groups: 48} : float16[batch, 14, 14, 48]
      output y = y
      """
    ),
  ]

  private static let attention: [Case] = [
    (
      "attention.cuda.heads",
      """
      symbol batch: 1...8
      symbol length: 1...512
      input q: float16[batch, length, 512]
      input k: float16[batch, length, 128]
      input v: float16[batch, length, 128]
      input mask: float32[batch, 1, 1, length]
      q4 = reshape(q) {shape: [batch, length, 8, 64]}
      k4 = reshape(k) {shape: [batch, length, 2, 64]}
      v4 = reshape(v) {shape: [batch, length, 2, 64]}
      qh = permute(q4) {permutation: [0, 2, 1, 3]} : float16[batch, 8, length, 64]
      kh = permute(k4) {permutation: [0, 2, 1, 3]} : float16[batch, 2, length, 64]
      vh = permute(v4) {permutation: [0, 2, 1, 3]} : float16[batch, 2, length, 64]
      y = attention(qh, kh, vh, mask) {scale: 0.125, causal: true} : float16[batch, 8, length, 64]
      z = permute(y) {permutation: [0, 2, 1, 3]} : float16[batch, length, 8, 64]
      output z = z
      """
    )
  ]

  private static let reductions: [Case] = [
    (
      "reduce.cuda.rows",
      """
      symbol batch: 1...64
      input x: float16[batch, 8, 4096]
      input scale: float16[batch, 8, 1]
      input bias: float32[8]
      y, scaled = reduce(x, scale, bias) {kind: "mean", axes: [2], \
      prologue: (x0: float16, x1: float16) { t2 = multiply(x0, x1); return t2 }, \
      exposes_prologue: true, \
      epilogue: (x0: float16, x1: float32) \
      { t2 = cast(x0, float32); t3 = add(t2, x1); return t3 }} \
      : float32[batch, 8], float16[batch, 8, 4096] @both
      output y = y
      output scaled = scaled
      """
    ),
    (
      "reduce.cuda.across",
      """
      symbol batch: 1...4096
      input x: bfloat16[batch, 33, 100]
      y = reduce(x) {kind: "maximum", axes: [0], keep_dimensions: true} : bfloat16[1, 33, 100]
      output y = y
      """
    ),
    (
      "reduce.cuda.all",
      """
      symbol batch: 1...1024
      input x: float32[batch, 1000, 1000]
      y = reduce(x) {kind: "product", axes: [0, 1, 2]} : float32[]
      output y = y
      """
    ),
    (
      "reduce.cuda.mixed",
      """
      symbol batch: 1...8
      input x: float32[batch, 3, 40, 5, 7]
      y = reduce(x) {kind: "minimum", axes: [0, 2, 4]} : float32[3, 5]
      output y = y
      """
    ),
    (
      "arg_reduce.cuda.vocabulary",
      """
      symbol batch: 1...64
      input x: float16[batch, 32000]
      y = arg_reduce(x) {maximum: true, axis: 1} : int64[batch]
      output y = y
      """
    ),
  ]

  /// Only compiled: reducers along the columns and across them.
  static let reducers: [Case] = reducerCases.map { reducer($0, $1, $2, $3) }

  private static let reducerCases: [(kind: String, type: String, axis: Int, rest: String)] = [
    ("sum", "uint8", 1, ""), ("sum", "float32", 0, ""), ("product", "int32", 0, ""),
    ("mean", "float64", 1, ""), ("maximum", "bool", 0, ""), ("minimum", "int64", 1, ""),
    ("any", "float16", 0, ""), ("all", "int8", 1, ""), ("variance", "float16", 0, ""),
    ("variance", "float64", 1, ", correction: 0.0"), ("norm", "float32", 1, ", order: 3.5"),
    ("norm", "bfloat16", 0, ", order: inf"), ("norm", "float64", 0, ", order: 0.5"),
    ("norm", "float16", 1, ""), ("log_sum_exp", "float16", 0, ""),
    ("log_sum_exp", "float64", 1, ""),
  ]

  private static func reducer(_ kind: String, _ type: String, _ axis: Int, _ rest: String) -> Case {
    let isNumber = type.hasPrefix("float") || type.hasPrefix("bfloat")
    let result =
      switch kind {
      case "any", "all": "bool"
      case "sum", "product": isNumber ? type : "int64"
      default: type
      }
    let graph = """
      symbol batch: 1...100000
      input x: \(type)[batch, 1000]
      y = reduce(x) {kind: "\(kind)", axes: [\(axis)]\(rest)} \
      : \(result)[\(axis == 0 ? "1000" : "batch")]
      output y = y
      """
    return ("reduce.\(kind).\(type).\(axis)", graph)
  }

  private static let movements: [Case] = [
    (
      "index_select.cuda.embedding",
      """
      symbol batch: 1...8
      symbol length: 1...512
      input tokens: int64[batch, length]
      constant table: float16[30522, 768]
      y = index_select(table, tokens) {axis: 0} : float16[batch, length, 768]
      output y = y
      """
    ),
    (
      "gather.cuda.columns",
      """
      symbol batch: 1...8
      input x: float32[batch, 11]
      input index: int32[batch, 3]
      y = gather(x, index) {axis: 1} : float32[batch, 3]
      output y = y
      """
    ),
    (
      "pad.cuda.image",
      """
      symbol batch: 1...8
      input x: bfloat16[batch, 2, 5, 7]
      y = pad(x) {low: [0, 0, 1, 1], high: [0, 0, 1, 1], value: -inf} : bfloat16[batch, 2, 7, 9]
      output y = y
      """
    ),
    (
      "arange.cuda.halves",
      """
      y = arange() {start: -1.5, step: 0.5, count: [1000], dtype: bfloat16} : bfloat16[1000]
      output y = y
      """
    ),
  ]

  private static let groups: [Case] = [
    (
      "group_norm.cuda.image",
      """
      symbol batch: 1...8
      input x: float16[batch, 320, 64, 64]
      constant weight: float16[320]
      constant bias: float16[320]
      y = group_norm(x, weight, bias) {groups: 32, epsilon: 1e-05, \
      epilogue: (x0: float16) { t1 = sigmoid(x0); t2 = multiply(x0, t1); return t2 }} \
      : float16[batch, 320, 64, 64]
      output y = y
      """
    )
  ]
}
