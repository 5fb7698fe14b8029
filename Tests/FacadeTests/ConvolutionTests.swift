import AITFacade
import AITGraph
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

@Suite("Convolutions by AITemplate's names")
struct ConvolutionEntryTests {
  let batch = Dimension.symbol("batch", 1...4)

  /// One element of a convolution of an image by a filter, over any number of spatial axes.
  private func convolved(
    _ x: Numbers,
    _ w: Numbers,
    at index: [Int],
    stride: Int,
    pad: Int,
    dilate: Int = 1,
    groups: Int = 1
  ) -> Double {
    let filter = index[index.count - 1]
    let channels = w.shape[w.shape.count - 1]
    let first = filter / (w.shape[0] / groups) * channels
    return Numbers(Array(w.shape[1...])) { tap in
      var place = [index[0]]
      for axis in 1..<(index.count - 1) {
        let position = index[axis] * stride + tap[axis - 1] * dilate - pad
        guard (0..<x.shape[axis]).contains(position) else { return 0 }
        place.append(position)
      }
      return x[place + [first + tap[tap.count - 1]]] * w[[filter] + tap]
    }.elements.reduce(0, +)
  }

  private func numbers(_ stride: Int, _ pad: Int, _ dilate: Int = 1) -> [String: FacadeArgument] {
    ["stride": .integer(stride), "pad": .integer(pad), "dilate": .integer(dilate)]
  }

  @Test("strides, paddings, dilations and groups")
  func plain() throws {
    let entry = Entry()
    let (x, X) = entry.random([2, 7, 6, 4], as: [batch, 7, 6, 4])
    let (w, W) = entry.random([6, 3, 3, 4])
    let (g, G) = entry.random([6, 3, 3, 2])
    try entry.check(
      "conv2d",
      numbers(2, 1).merging(["x": x, "w": w]) { $1 },
      Numbers([2, 4, 3, 6]) { convolved(X, W, at: $0, stride: 2, pad: 1) }
    )
    try entry.check(
      "conv2d",
      numbers(1, 2, 2).merging(["x": x, "w": g, "group": .integer(2)]) { $1 },
      Numbers([2, 7, 6, 6]) { convolved(X, G, at: $0, stride: 1, pad: 2, dilate: 2, groups: 2) }
    )
    try entry.check(
      "conv2d",
      [
        "stride": .list([.integer(1), .integer(1)]), "pad": .list([.integer(1), .integer(1)]),
        "x": x, "w": w,
      ],
      Numbers([2, 7, 6, 6]) { convolved(X, W, at: $0, stride: 1, pad: 1) }
    )
  }

  @Test("what follows a convolution")
  func epilogues() throws {
    func hardSwish(_ y: Double) -> Double { y * min(max(y + 3, 0), 6) / 6 }
    let functions: [String: (hasResidual: Bool, apply: @Sendable (Double) -> Double)] = [
      "conv2d_bias": (false, { $0 }),
      "conv2d_bias_relu": (false, { max($0, 0) }),
      "conv2d_bias_sigmoid": (false, { 1 / (1 + exp(-$0)) }),
      "conv2d_bias_hardswish": (false, { $0 * min(max($0 + 3, 0), 6) / 6 }),
      "conv2d_bias_add": (true, { $0 }),
      "conv2d_bias_add_relu": (true, { max($0, 0) }),
      "conv2d_bias_add_hardswish": (true, { $0 * min(max($0 + 3, 0), 6) / 6 }),
      "conv2d_bias_few_channels": (false, { $0 }),
      "conv2d_bias_relu_few_channels": (false, { max($0, 0) }),
      "conv2d_bias_hardswish_few_channels": (false, { $0 * min(max($0 + 3, 0), 6) / 6 }),
    ]
    for (name, function) in functions {
      let entry = Entry()
      let (x, X) = entry.random([2, 5, 5, 3], as: [batch, 5, 5, 3])
      let (w, W) = entry.random([4, 3, 3, 3])
      let (b, B) = entry.random([4])
      let (r, R) = entry.random([2, 3, 3, 4], as: [batch, 3, 3, 4])
      var arguments = numbers(2, 1).merging(["x": x, "w": w, "b": b]) { $1 }
      if function.hasResidual { arguments["r"] = r }
      try entry.check(
        name,
        arguments,
        Numbers([2, 3, 3, 4]) { i in
          let y = convolved(X, W, at: i, stride: 2, pad: 1) + B[i[3]]
          return function.apply(function.hasResidual ? y + R[i] : y)
        }
      )
    }
  }

  @Test("channels by themselves")
  func depthwise() throws {
    let entry = Entry()
    let (x, X) = entry.random([2, 5, 4, 3], as: [batch, 5, 4, 3])
    let (w, W) = entry.random([3, 3, 3, 1])
    let (b, B) = entry.random([3])
    let arguments = numbers(1, 1).merging(["x": x, "w": w, "group": .integer(3)]) { $1 }
    func y(_ i: [Int]) -> Double { convolved(X, W, at: i, stride: 1, pad: 1, groups: 3) }
    try entry.check("conv2d_depthwise", arguments, Numbers([2, 5, 4, 3], y))
    try entry.check(
      "conv2d_depthwise_bias",
      arguments.merging(["b": b]) { $1 },
      Numbers([2, 5, 4, 3]) { y($0) + B[$0[3]] }
    )
    expectDiagnostic(
      .shapeMismatch,
      "conv2d_depthwise",
      arguments.merging(["group": .integer(1)]) { $1 }
    )
  }

  @Test("three spatial axes")
  func spatial() throws {
    let entry = Entry()
    let (x, X) = entry.random([1, 4, 5, 4, 2])
    let (w, W) = entry.random([3, 2, 3, 3, 2])
    let (b, B) = entry.random([3])
    let arguments = numbers(1, 1).merging(["x": x, "w": w]) { $1 }
    let shape = [1, 5, 5, 4, 3]
    func y(_ i: [Int]) -> Double { convolved(X, W, at: i, stride: 1, pad: 1) }
    try entry.check("conv3d", arguments, Numbers(shape, y))
    try entry.check(
      "conv3d_bias",
      arguments.merging(["b": b]) { $1 },
      Numbers(shape) { y($0) + B[$0[4]] }
    )
    let (d, D) = entry.random([2, 3, 3, 3, 1])
    let (e, E) = entry.random([2])
    let each = numbers(1, 1).merging(["x": x, "w": d, "group": .integer(2)]) { $1 }
    func z(_ i: [Int]) -> Double { convolved(X, D, at: i, stride: 1, pad: 1, groups: 2) }
    try entry.check("depthwise_conv3d", each, Numbers([1, 4, 5, 4, 2], z))
    try entry.check(
      "depthwise_conv3d",
      each.merging(["bias": .bool(false)]) { $1 },
      Numbers([1, 4, 5, 4, 2], z)
    )
    try entry.check(
      "depthwise_conv3d",
      each.merging(["bias": e]) { $1 },
      Numbers([1, 4, 5, 4, 2]) { z($0) + E[$0[4]] }
    )
  }

  @Test("images spread by filters", arguments: [1, 2])
  func transposed(_ groups: Int) throws {
    let entry = Entry()
    let (x, X) = entry.random([2, 3, 4, 4], as: [batch, 3, 4, 4])
    let (w, W) = entry.random([4, 3, 3, 3])
    let (b, B) = entry.random([3 * groups])
    let shape = [2, 5, 7, 3 * groups]
    // Every element of x adds a filter to what is 2 rows and columns further for each of its own.
    func y(_ i: [Int]) -> Double {
      let (group, filter) = (i[3] / 3, i[3] % 3)
      return sum(3) { row in
        sum(4) { column in
          let tap = [i[1] + 1 - 2 * row, i[2] + 1 - 2 * column]
          guard tap.allSatisfy((0..<3).contains) else { return 0 }
          return sum(4 / groups) { channel in
            let source = group * 4 / groups + channel
            return X[i[0], row, column, source] * W[source, tap[0], tap[1], filter]
          }
        }
      }
    }
    let arguments = numbers(2, 1).merging(["x": x, "w": w, "group": .integer(groups)]) { $1 }
    try entry.check("transposed_conv2d", arguments, Numbers(shape, y))
    try entry.check(
      "transposed_conv2d_bias",
      arguments.merging(["b": b]) { $1 },
      Numbers(shape) { y($0) + B[$0[3]] }
    )
    try entry.check(
      "transposed_conv2d_bias_relu",
      arguments.merging(["b": b]) { $1 },
      Numbers(shape) { max(y($0) + B[$0[3]], 0) }
    )
  }

  @Test("what does not fit is refused")
  func refusals() {
    let x = typed("x", [1, 5, 5, 4])
    let w = typed("w", [6, 3, 3, 4])
    expectDiagnostic(
      .rankMismatch,
      "conv2d",
      numbers(1, 1).merging(["x": typed("x", [5, 5, 4]), "w": w]) { $1 }
    )
    expectDiagnostic(
      .shapeMismatch,
      "conv2d",
      numbers(1, 1).merging(["x": x, "w": typed("w", [6, 3, 3, 3])]) { $1 }
    )
    expectDiagnostic(
      .shapeMismatch,
      "conv2d_bias",
      numbers(1, 1).merging(["x": x, "w": w, "b": typed("b", [5])]) { $1 }
    )
  }
}
