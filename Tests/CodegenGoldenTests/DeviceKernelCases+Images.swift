extension DeviceKernelCases {
  /// Channels-last images.
  static let images: [Case] = [
    (
      "pool.cuda.image",
      """
      symbol batch: 1...64
      input x: float16[batch, 112, 112, 64]
      input bias: float16[64]
      y = pool(x, bias) {kind: "maximum", size: [3, 3], stride: [2, 2], low: [1, 1], high: [1, 1], \
      epilogue: (x0: float16, x1: float16) { t2 = add(x0, x1); return t2 }} \
      : float16[batch, 56, 56, 64]
      output y = y
      """
    ),
    (
      "resize.cuda.image",
      """
      symbol batch: 1...8
      symbol height: 8...128
      input x: bfloat16[batch, height, 64, 128]
      y = resize(x) {mode: "linear", output: [2*height, 128]} \
      : bfloat16[batch, 2*height, 128, 128]
      output y = y
      """
    ),
    (
      "roi_align.cuda.boxes",
      """
      symbol boxes: 0...1000
      input x: float16[2, 50, 68, 256]
      input corners: float32[boxes, 4]
      input images: int64[boxes]
      y = roi_align(x, corners, images) {output: [7, 7], sampling: 2, scale: 0.0625} \
      : float16[boxes, 7, 7, 256]
      output y = y
      """
    ),
  ]

  /// Order and running results along an axis.
  static let ordering: [Case] = [
    (
      "top_k.cuda.vocabulary",
      """
      symbol batch: 1...64
      input x: float16[batch, 32000]
      values, positions = top_k(x) {count: [50], axis: 1} : float16[batch, 50], int64[batch, 50]
      output values = values
      output positions = positions
      """
    ),
    (
      "nms.cuda.boxes",
      """
      symbol batch: 1...8
      input boxes: float16[batch, 1000, 4]
      input scores: float16[batch, 1000]
      kept, counts = nms(boxes, scores) {count: [100], overlap: 0.5} : int64[batch, 100], int64[batch]
      output kept = kept
      output counts = counts
      """
    ),
    (
      "scatter.cuda.cache",
      """
      symbol batch: 1...16
      input cache: bfloat16[batch, 2048, 512]
      input index: int64[batch, 1, 512]
      input step: bfloat16[batch, 1, 512]
      y = scatter(cache, index, step) {kind: "replace", axis: 1} : bfloat16[batch, 2048, 512]
      output y = y
      """
    ),
    (
      "scan.cuda.row",
      """
      symbol batch: 1...64
      input x: float32[batch, 4096]
      y = scan(x) {kind: "sum", axis: 1} : float32[batch, 4096]
      output y = y
      """
    ),
    (
      "scan.cuda.columns",
      """
      symbol batch: 1...64
      input x: bool[batch, 128, 768]
      y = scan(x) {kind: "sum", axis: 1, exclusive: true} : int64[batch, 128, 768]
      output y = y
      """
    ),
    (
      "recurrence.cuda.lstm",
      """
      symbol steps: 1...512
      symbol batch: 1...64
      input gates: float16[steps, batch, 2048]
      input hidden: float16[batch, 512]
      input memory: float16[batch, 512]
      input weights: float16[2048, 512]
      states, last, kept = recurrence(gates, hidden, memory, weights) {cell: "lstm"} \
      : float16[steps, batch, 512], float16[batch, 512], float16[batch, 512]
      output states = states
      output last = last
      output kept = kept
      """
    ),
  ]
}
