import AITFrontend
import AITGraph

extension FacadeOperator {
  /// Zeros behind the elements of the last axis.
  static let paddings: [FacadeOperator] = [
    FacadeOperator(
      "pad_last_dim",
      "x, of ndim axes, with zeros up to an extent of out_dim along the last",
      attributes: [.integer("ndim"), .integer("out_dim")],
      [.tensor("x")]
    ) { (call) throws(Diagnostic) in
      let rank = try call.integer("ndim")
      let x = try call.tensor("x", rank: rank...rank)
      return [try padded(x, to: try call.integer("out_dim"), call)]
    },
    channelPadding("nhwc3to4", "[N, H, W, 3]", rank: 4, to: 4),
    channelPadding("nhwc3to8", "[N, H, W, 3]", rank: 4, to: 8),
    channelPadding("ndhwc3to8", "[N, D, H, W, 3]", rank: 5, to: 8),
  ]

  private static func channelPadding(_ name: String, _ shape: String, rank: Int, to extent: Int)
    -> FacadeOperator
  {
    FacadeOperator(name, "x \(shape) with zeros up to \(extent) channels", [.tensor("x")]) {
      (call) throws(Diagnostic) in
      [try padded(try call.tensor("x", rank: rank...rank), to: extent, call)]
    }
  }

  private static func padded(_ x: Tensor, to extent: Int, _ call: FacadeCall) throws(Diagnostic)
    -> Tensor
  {
    let amount = Dimension(extent) - x.extent(-1)
    guard amount.lowerBound > 0 else {
      throw call.failure(
        .shapeMismatch,
        "'x' is \(x.type), to be padded to \(extent)",
        hint: "the last axis has a smaller extent"
      )
    }
    return x.pad([0, amount])
  }
}
