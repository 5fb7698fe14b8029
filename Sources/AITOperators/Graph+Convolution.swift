import AITGraph

extension Graph {
  /// Convolves an image `[N, D1…Dk, C]` by a weight `[O, F1…Fk, C/G]`, and adds a bias `[O]`; see
  /// `Convolution`.
  ///
  /// Lists with one element stand for all spatial axes. One tap without stride and padding is a
  /// matrix product.
  package mutating func convolution(
    _ x: ValueID,
    _ weight: ValueID,
    bias: ValueID? = nil,
    stride: [Int] = [1],
    padding: [Convolution.Padding] = [Convolution.Padding(0, 0)],
    dilation: [Int] = [1],
    groups: Int = 1,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    let rank = self[weight].type.rank - 2
    let op = Convolution(
      stride: Self.repeated(stride, rank),
      padding: Self.repeated(padding, rank),
      dilation: Self.repeated(dilation, rank),
      groups: groups
    )
    return try convolve(x, weight, bias, op, name ?? "convolution")
  }

  /// Spreads each element of an image `[N, D1…Dk, C]` by a weight `[C, O/G, F1…Fk]`, and adds what
  /// meets, and a bias `[O]`.
  ///
  /// PyTorch's `conv_transpose1d`, `conv_transpose2d` and `conv_transpose3d`.
  /// The result is `[N, E1…Ek, O]` with
  /// `E = (D − 1) · stride − 2 · padding + dilation · (F − 1) + outputPadding + 1`: a convolution with
  /// the flipped weight, of an image with `stride − 1` zeros between its elements. Lists with one
  /// number stand for all spatial axes. `invalid-attribute` unless `outputPadding` is below the
  /// stride or the dilation.
  package mutating func transposedConvolution(
    _ x: ValueID,
    _ weight: ValueID,
    bias: ValueID? = nil,
    stride: [Int] = [1],
    padding: [Int] = [0],
    outputPadding: [Int] = [0],
    dilation: [Int] = [1],
    groups: Int = 1,
    name: String? = nil
  ) throws(Diagnostic) -> ValueID {
    let type = self[weight].type
    let rank = type.rank - 2
    let stride = Self.repeated(stride, rank)
    let padding = Self.repeated(padding, rank)
    let more = Self.repeated(outputPadding, rank)
    let dilation = Self.repeated(dilation, rank)
    let known = type.shape.dimensions.compactMap(\.constant)
    guard (1...3).contains(rank), known.count == type.rank, groups >= 1,
      known[0].isMultiple(of: groups),
      [stride, padding, more, dilation].allSatisfy({ $0.count == rank }),
      (0..<rank).allSatisfy({ 0 <= more[$0] && more[$0] < max(stride[$0], dilation[$0]) })
    else {
      throw Diagnostic(
        .invalidAttribute,
        "transposed convolution by \(type) in \(groups) groups with stride \(stride), padding "
          + "\(padding), output padding \(more), dilation \(dilation)",
        hint: "the weight is [C, O / groups, …] of known extents, with a number for each spatial "
          + "axis, and an output padding below the stride or the dilation"
      )
    }
    let op = Convolution(
      stride: stride.map { _ in 1 },
      padding: (0..<rank).map { axis in
        let before = dilation[axis] * (known[axis + 2] - 1) - padding[axis]
        return Convolution.Padding(before, before + more[axis])
      },
      dilation: dilation,
      inputDilation: stride,
      groups: groups
    )
    // [C, O/G, F…] as [G, C/G, O/G, F…], then [G, O/G, F…, C/G], then [O, F…, C/G].
    let taps = Array(type.shape.dimensions.dropFirst(2))
    let (channels, filters) = (Dimension(known[0] / groups), type.shape[1])
    let grouped =
      groups == 1
      ? weight : try reshape(weight, [Dimension(groups), channels, filters] + taps)
    let permuted = try permute(
      grouped,
      groups == 1
        ? [1] + Array(2..<(rank + 2)) + [0] : [0, 2] + Array(3..<(rank + 3)) + [1]
    )
    let joined =
      groups == 1
      ? permuted : try reshape(permuted, [Dimension(groups) * filters] + taps + [channels])
    let flipped = try flip(joined, axes: Array(1...rank))
    return try convolve(x, flipped, bias, op, name ?? "transposed_convolution")
  }

  private static func repeated<Element>(_ list: [Element], _ rank: Int) -> [Element] {
    list.count == 1 && rank > 1 ? Array(repeating: list[0], count: rank) : list
  }

  private mutating func convolve(
    _ x: ValueID,
    _ weight: ValueID,
    _ bias: ValueID?,
    _ op: Convolution,
    _ name: String
  ) throws(Diagnostic) -> ValueID {
    guard let bias else { return try addProduct(x, weight, op, name) }
    let filters = self[weight].type.shape[0]
    guard self[bias].type.shape == [filters] else {
      throw Diagnostic(
        .shapeMismatch,
        "convolution with a bias \(self[bias].type), expected [\(filters)]"
      )
    }
    let sums = try addProduct(x, weight, op, "\(name)_product")
    return try add(.value(sums), .value(bias), name: name)
  }

  private mutating func addProduct(
    _ x: ValueID,
    _ weight: ValueID,
    _ op: Convolution,
    _ name: String
  ) throws(Diagnostic) -> ValueID {
    // What is wrong is said by the operator in either case.
    let shape = self[weight].type.shape
    let result = try op.inferTypes([self[x].type, self[weight].type])
    let taps = shape.dimensions.dropFirst().dropLast()
    guard op.groups == 1, taps.allSatisfy({ $0 == 1 }),
      (op.stride + op.inputDilation).allSatisfy({ $0 == 1 }),
      op.padding.allSatisfy({ $0.before == 0 && $0.after == 0 }), !result.isEmpty
    else { return try addResult(op, [x, weight], name: name) }
    let matrix = try reshape(weight, [shape[0], shape[shape.rank - 1]])
    return try addResult(MatMul(transposeB: true), [x, matrix], name: name)
  }
}
