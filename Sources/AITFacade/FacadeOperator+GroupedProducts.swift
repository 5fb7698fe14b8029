import AITFrontend
import AITGraph

extension FacadeOperator {
  /// Several independent products; with `output_stride_dim` their results in one tensor.
  static let groupedProducts: [FacadeOperator] = [
    groupedProduct("group_gemm_rcr", "a · bᵀ", hasBias: false) { $0 },
    groupedProduct("group_gemm_rcr_bias", "a · bᵀ + bias", hasBias: true) { $0 },
    groupedProduct("group_gemm_rcr_bias_relu", "relu(a · bᵀ + bias)", hasBias: true) { relu($0) },
    groupedProduct("group_gemm_rcr_bias_sigmoid", "sigmoid(a · bᵀ + bias)", hasBias: true) {
      sigmoid($0)
    },
  ]

  private static func groupedProduct(
    _ name: String,
    _ formula: String,
    hasBias: Bool,
    _ function: @escaping @Sendable (Tensor) -> Tensor
  ) -> FacadeOperator {
    FacadeOperator(
      name,
      "\(formula) for each group of a [..., M, K], b [N, K]\(hasBias ? ", bias [N]" : ""); "
        + "joined along the axis output_stride_dim if that is given",
      [
        FacadeParameter("operand_groups", .any),
        FacadeParameter("output_stride_dim", .integer, default: FacadeParameter.Default.none),
      ],
      results: .list,
      joiningParameter: "output_stride_dim"
    ) { (call) throws(Diagnostic) in
      var results: [Tensor] = []
      let groups = try call.tensorGroups("operand_groups", of: hasBias ? 3 : 2)
      for (index, group) in groups.enumerated() {
        try call.check("operand_groups[\(index)][0]", group[0], rank: 2...Int.max)
        try call.check("operand_groups[\(index)][1]", group[1], rank: 2...2)
        var y = try AITFacade.product(group[0], group[1], transposeB: true)
        if hasBias {
          try call.check(
            "operand_groups[\(index)][2]",
            group[2],
            TensorType(y.dtype, [y.extent(-1)])
          )
          y = y + group[2]
        }
        results.append(function(y))
      }
      guard let axis = try call.optionalInteger("output_stride_dim") else { return results }
      return [AITFrontend.concatenate(results, axis: axis)]
    }
  }
}
