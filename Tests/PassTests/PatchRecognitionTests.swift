import AITGraph
import AITOperators
import AITPasses
import Testing

@Suite struct PatchRecognitionTests {
  @Test func patchesOfAnImageAreRows() throws {
    try expect(
      PatchRecognition(),
      on: """
        symbol n: 1...4
        input x: float32[n, 12, 20, 3]
        constant w: float32[8, 4, 2, 3]
        y = convolution(x, w) {stride: [4, 2]}
        output Y = y
        """,
      becomes: """
        symbol n: 1...4
        input x: float32[n, 12, 20, 3]
        constant w: float32[8, 4, 2, 3]
        x_reshape = reshape(x) {shape: [n, 3, 4, 10, 2, 3]} : float32[n, 3, 4, 10, 2, 3]
        x_reshape_permute = permute(x_reshape) {permutation: [0, 1, 3, 2, 4, 5]} : float32[n, 3, 10, 4, 2, 3]
        x_reshape_permute_reshape = reshape(x_reshape_permute) {shape: [n, 3, 10, 24]} : float32[n, 3, 10, 24]
        w_reshape = reshape(w) {shape: [8, 24]} : float32[8, 24]
        y = matmul(x_reshape_permute_reshape, w_reshape) {transpose_b: true} : float32[n, 3, 10, 8]
        output Y = y
        """
    )
  }

  /// As PyTorch has images and filters, whose elements keep their order: the filters are a matrix.
  @Test func channelsStayFirst() throws {
    try expect(
      PatchRecognition(),
      ViewSimplification(),
      on: """
        input x: float32[2, 3, 20]
        constant w: float32[8, 3, 4]
        i = permute(x) {permutation: [0, 2, 1]}
        f = permute(w) {permutation: [0, 2, 1]}
        y = convolution(i, f) {stride: [4]}
        output Y = y
        """,
      becomes: """
        input x: float32[2, 3, 20]
        constant w: float32[8, 3, 4]
        f_permute_reshape = reshape(w) {shape: [8, 12]} : float32[8, 12]
        x_reshape = reshape(x) {shape: [2, 3, 5, 4]} : float32[2, 3, 5, 4]
        i_reshape_permute = permute(x_reshape) {permutation: [0, 2, 1, 3]} : float32[2, 5, 3, 4]
        i_reshape_permute_reshape = reshape(i_reshape_permute) {shape: [2, 5, 12]} : float32[2, 5, 12]
        y = matmul(i_reshape_permute_reshape, f_permute_reshape) {transpose_b: true} : float32[2, 5, 8]
        output Y = y
        """
    )
  }

  /// Windows that overlap, that leave something out, that are padded; many channels; groups.
  @Test func leavesTheRest() throws {
    let before = """
      input x: float32[2, 12, 13, 3]
      input c: float32[2, 12, 12, 16]
      input g: float32[2, 12, 12, 4]
      constant w: float32[8, 4, 4, 3]
      constant v: float32[8, 4, 4, 16]
      constant u: float32[8, 4, 4, 2]
      constant t: float32[8, 4, 1, 3]
      a = convolution(x, w) {stride: [4, 3]}
      b = convolution(x, w) {stride: [4, 4]}
      d = convolution(x, t) {stride: [4, 1], padding: [0, 0, 1, 1]}
      e = convolution(c, v) {stride: [4, 4]}
      h = convolution(g, u) {stride: [4, 4], groups: 2}
      output A = a
      output B = b
      output D = d
      output E = e
      output H = h
      """
    try expect(PatchRecognition(), on: before, becomes: before)
  }
}
