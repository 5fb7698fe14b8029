import AITFrontend
import AITGraph

extension AtenOperator {
  /// One step of a recurrent layer.
  static let cells: [String: AtenOperator] = [
    "lstm_cell": .many { (call) throws(Diagnostic) in
      let states = try call.tensors("hx")
      guard states.count == 2 else { throw call.unsupported("of \(states.count) states") }
      let (first, second) = try gates(call, states[0])
      let parts = (first + second).chunk(4, axis: -1)
      let kept = sigmoid(parts[1]) * states[1]
      let cell = kept + sigmoid(parts[0]) * tanh(parts[2])
      return [sigmoid(parts[3]) * tanh(cell), cell]
    },
    "gru_cell": .one { (call) throws(Diagnostic) in
      let state = try call.tensor("hx")
      let (first, second) = try gates(call, state)
      let (x, h) = (first.chunk(3, axis: -1), second.chunk(3, axis: -1))
      let (reset, update) = (sigmoid(x[0] + h[0]), sigmoid(x[1] + h[1]))
      let new = tanh(x[2] + reset * h[2])
      return new + update * (state - new)
    },
    "rnn_tanh_cell": .one { (call) throws(Diagnostic) in
      let (first, second) = try gates(call, try call.tensor("hx"))
      return tanh(first + second)
    },
    "rnn_relu_cell": .one { (call) throws(Diagnostic) in
      let (first, second) = try gates(call, try call.tensor("hx"))
      return relu(first + second)
    },
  ]

  private static func gates(_ call: AtenCall, _ state: Tensor) throws(Diagnostic) -> (
    Tensor, Tensor
  ) {
    (
      linear(try call.subject(), try call.tensor("w_ih"), bias: try call.optionalTensor("b_ih")),
      linear(state, try call.tensor("w_hh"), bias: try call.optionalTensor("b_hh"))
    )
  }

  /// Sums, means and maxima of bags of embeddings; products of two operands by a third.
  static let bags: [String: AtenOperator] = [
    "embedding_bag": bag,
    "_embedding_bag": bag,
    "_embedding_bag_forward_only": bag,
    "bilinear": .one { (call) throws(Diagnostic) in
      let (x, y) = (try call.tensor("input1"), try call.tensor("input2"))
      let weight = try call.tensor("weight")
      let (count, rows, columns) = (weight.extent(0), weight.extent(1), weight.extent(2))
      let flat = weight.permute([1, 0, 2]).reshape([rows, count * columns])
      let outer = Array(x.shape.dimensions.dropLast())
      let partial = matmul(x, flat).reshape(outer + [count, columns])
      let result = (partial * y.unsqueeze(axis: -2)).sum(axes: [-1])
      return try call.optionalTensor("bias").map { result + $0 } ?? result
    },
    "_trilinear": .one { (call) throws(Diagnostic) in
      var product: Tensor?
      for index in 1...3 {
        var x = try call.tensor("i\(index)")
        for axis in try call.integers("expand\(index)").sorted() { x = x.unsqueeze(axis: axis) }
        product = product.map { $0 * x } ?? x
      }
      guard let product else { throw call.unsupported("of nothing") }
      return product.sum(axes: try call.integers("sumdim"))
    },
  ]

  private static let bag = AtenOperator { (call) throws(Diagnostic) in
    let (table, indices) = (try call.tensor("weight"), try call.tensor("indices").flatten())
    var offsets = try call.tensor("offsets")
    if try call.bool("include_last_offset") {
      offsets = offsets.slice(axis: 0, to: offsets.extent(0) - 1)
    }
    let count = offsets.extent(0)
    let places = Tensor.arange(indices.extent(0), offsets.dtype)
    // The bag of an index is the last that begins at it or before.
    let isBegun = offsets .<= places.unsqueeze(axis: 1)
    var bags = isBegun.cast(to: .int64).sum(axes: [1]) - 1
    if let padding = try call.optionalInteger("padding_idx"), padding >= 0 {
      // What does not count goes into a bag that nobody reads.
      bags = `where`(indices .== padding, number(count, .int64), bags)
    }
    var rows = embedding(indices, table: table)
    if let weights = try call.optionalTensor("per_sample_weights") {
      rows = rows * weights.flatten().unsqueeze(axis: 1)
    }
    let empty = Tensor.zeros([count + 1, table.extent(1)], table.dtype)
    let result: Tensor
    switch try call.integer("mode", default: 0) {
    case 0: result = empty.scatterSlices(axis: 0, bags, rows, .add)
    case 1:
      let sizes = Tensor.zeros([count + 1], table.dtype)
        .scatter(axis: 0, bags, .full(like: bags, 1, table.dtype), .add)
      result =
        empty.scatterSlices(axis: 0, bags, rows, .add)
        / sizes.clamp(min: 1).unsqueeze(axis: 1)
    default: result = empty.scatterSlices(axis: 0, bags, rows, .maximum, includesSelf: false)
    }
    let unavailable = AtenValue.unavailable("the positions of \(call.target)")
    return [.tensor(result.slice(axis: 0, to: count))] + Array(repeating: unavailable, count: 3)
  }
}
