import AITGraph
import AITOperators
import AITPasses
import Testing

@Suite struct ConcatSimplificationTests {
  @Test func cancelsCutsAndJoins() throws {
    try expect(
      ConcatSimplification(),
      on: """
        symbol n: 1...8
        input x: float32[n, 8]
        input y: float32[n, 3]
        input none: float32[n, 0]
        a = slice(x) {starts: [0, 0], sizes: [n, 2]}
        b = slice(x) {starts: [0, 2], sizes: [n, 6]}
        c = concat(a, b) {axis: 1}
        d = concat(c, none, y) {axis: 1}
        z = slice(d) {starts: [0, 8], sizes: [n, 3]}
        p = slice(d) {starts: [0, 1], sizes: [n, 2]}
        s = slice(d) {starts: [0, 7], sizes: [n, 2]}
        output Z = z
        output P = p
        output S = s
        """,
      becomes: """
        symbol n: 1...8
        input x: float32[n, 8]
        input y: float32[n, 3]
        input none: float32[n, 0]
        d = concat(x, y) {axis: 1} : float32[n, 11]
        s = slice(d) {starts: [0, 7], sizes: [n, 2]} : float32[n, 2]
        p = slice(x) {starts: [0, 1], sizes: [n, 2]} : float32[n, 2]
        output Z = y
        output P = p
        output S = s
        """
    )
  }

  @Test func growsWholesFromTheirBeginnings() throws {
    try expect(
      ConcatSimplification(),
      on: """
        input w: float32[2, 3]
        input x: float32[2, 4]
        input y: float32[2, 5]
        input z: float32[2, 6]
        c = concat(w, x, y, z) {axis: 1}
        a = concat(w, x) {axis: 1}
        b = concat(w, x, y) {axis: 1}
        other = concat(x, w, y) {axis: 1}
        output A = a
        output B = b
        output C = c
        output OTHER = other
        """,
      becomes: """
        input w: float32[2, 3]
        input x: float32[2, 4]
        input y: float32[2, 5]
        input z: float32[2, 6]
        a = concat(w, x) {axis: 1} : float32[2, 7]
        other = concat(x, w, y) {axis: 1} : float32[2, 12]
        b = concat(a, y) {axis: 1} : float32[2, 12]
        c = concat(b, z) {axis: 1} : float32[2, 18]
        output A = a
        output B = b
        output C = c
        output OTHER = other
        """
    )
  }

  @Test func readsWholePartsFromSeamToSeam() throws {
    try expect(
      ConcatSimplification(),
      on: """
        symbol n: 1...8
        input x: float32[n, 2]
        input y: float32[1, 2]
        input z: float32[n, 2]
        c = concat(x, y, z) {axis: 0}
        s = slice(c) {starts: [n, 1], sizes: [n + 1, 1]}
        output S = s
        """,
      becomes: """
        symbol n: 1...8
        input x: float32[n, 2]
        input y: float32[1, 2]
        input z: float32[n, 2]
        y_slice = slice(y) {starts: [0, 1], sizes: [1, 1]} : float32[1, 1]
        z_slice = slice(z) {starts: [0, 1], sizes: [n, 1]} : float32[n, 1]
        s = concat(y_slice, z_slice) {axis: 0} : float32[n + 1, 1]
        output S = s
        """
    )
  }

  @Test func looksIntoPads() throws {
    try expect(
      ConcatSimplification(),
      on: """
        input x: float32[4, 5]
        p = pad(x) {low: [1, 0], high: [0, 2]}
        i = slice(p) {starts: [2, 1], sizes: [3, 2]}
        o = slice(p) {starts: [0, 0], sizes: [2, 2]}
        output I = i
        output O = o
        """,
      becomes: """
        input x: float32[4, 5]
        p = pad(x) {low: [1, 0], high: [0, 2], value: 0.0} : float32[5, 7]
        o = slice(p) {starts: [0, 0], sizes: [2, 2]} : float32[2, 2]
        i = slice(x) {starts: [1, 1], sizes: [3, 2]} : float32[3, 2]
        output I = i
        output O = o
        """
    )
  }
}
