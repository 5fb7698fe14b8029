import AITFrontend
import AITGraph

extension AtenOperator {
  /// Losses, of which the mean (1), the sum (2) or nothing (0) is taken.
  static let losses: [String: AtenOperator] = [
    "mse_loss": ofDifference { (d, _) in square(d) },
    "l1_loss": ofDifference { (d, _) in abs(d) },
    "smooth_l1_loss": ofDifference { (d, call) throws(Diagnostic) in
      let (size, beta) = (abs(d), try call.number("beta", default: 1))
      return beta == 0 ? size : `where`(size .< beta, d * d * (0.5 / beta), size - 0.5 * beta)
    },
    "huber_loss": ofDifference { (d, call) throws(Diagnostic) in
      let (size, delta) = (abs(d), try call.number("delta", default: 1))
      return `where`(size .<= delta, d * d * 0.5, (size - 0.5 * delta) * delta)
    },
    "soft_margin_loss": loss { (call) throws(Diagnostic) in
      log1p(exp(-(try call.tensor("target")) * (try call.subject())))
    },
    "binary_cross_entropy": loss { (call) throws(Diagnostic) in
      let (x, target) = (try call.subject(), try call.tensor("target"))
      let values =
        (target - 1) * log1p(-x).clamp(min: -100.0) - target * log(x).clamp(min: -100.0)
      return try weighted(values, call)
    },
    "binary_cross_entropy_with_logits": loss { (call) throws(Diagnostic) in
      let (x, target) = (try call.subject(), try call.tensor("target"))
      var logarithm = logSigmoid(x)
      if let weight = try call.optionalTensor("pos_weight") {
        logarithm = logarithm * ((weight - 1) * target + 1)
      }
      return try weighted((1 - target) * x - logarithm, call)
    },
    "kl_div": loss { (call) throws(Diagnostic) in
      let (x, target) = (try call.subject(), try call.tensor("target"))
      if try call.bool("log_target") { return exp(target) * (target - x) }
      return xlogy(target, target, log(target)) - target * x
    },
    "poisson_nll_loss": loss { (call) throws(Diagnostic) in
      let (x, target) = (try call.tensor("input"), try call.tensor("target"))
      var values = exp(x) - target * x
      if try !call.bool("log_input", default: true) {
        values = x - target * log(x + (try call.number("eps", default: 1e-8)))
      }
      guard try call.bool("full") else { return values }
      // Stirling's formula for the logarithm of the target's factorial.
      let rest = target * log(target) - target + 0.5 * log(target * (2 * Double.pi))
      return values + `where`(target .> 1, rest, 0)
    },
    "margin_ranking_loss": loss { (call) throws(Diagnostic) in
      let distance = try call.tensor("input1") - (try call.tensor("input2"))
      let margin = try call.number("margin", default: 0)
      return (-(try call.tensor("target")) * distance + margin).clamp(min: 0)
    },
    "hinge_embedding_loss": loss { (call) throws(Diagnostic) in
      let (x, target) = (try call.subject(), try call.tensor("target"))
      let far = ((try call.number("margin", default: 1)) - x).clamp(min: 0)
      return `where`(target .!= 1, far, 0) + `where`(target .!= -1, x, 0)
    },
    "cosine_embedding_loss": loss { (call) throws(Diagnostic) in
      let (a, b) = (try call.tensor("input1"), try call.tensor("input2"))
      let target = try call.tensor("target")
      let axes = [a.rank - 1]
      let (first, second) = (square(a).sum(axes: axes), square(b).sum(axes: axes))
      let cosine = (a * b).sum(axes: axes) / sqrt((first + 1e-12) * (second + 1e-12))
      let apart = (cosine - (try call.number("margin", default: 0))).clamp(min: 0)
      return `where`(target .== 1, 1 - cosine, 0) + `where`(target .== -1, apart, 0)
    },
    "triplet_margin_loss": loss { (call) throws(Diagnostic) in
      let (anchor, positive) = (try call.tensor("anchor"), try call.tensor("positive"))
      let negative = try call.tensor("negative")
      let order = try call.number("p", default: 2)
      let least = try call.number("eps", default: 1e-6)
      let distance = { (a: Tensor, b: Tensor) in (a - b + least).norm(order: order, axes: [-1]) }
      var away = distance(anchor, negative)
      if try call.bool("swap") {
        away = minimum(away, distance(positive, negative))
      }
      let margin = try call.number("margin", default: 1)
      return (distance(anchor, positive) - away + margin).clamp(min: 0)
    },
    "multi_margin_loss": loss { (call) throws(Diagnostic) in
      let (x, target) = (try call.subject(), try call.tensor("target"))
      let index = target.unsqueeze(axis: -1)
      let chosen = (x.rank == 1 ? index.flatten() : index)
      var values = (x - x.gather(axis: -1, chosen) + (try call.number("margin", default: 1)))
        .clamp(min: 0)
      if try call.number("p", default: 1) == 2 { values = square(values) }
      if let weight = try call.optionalTensor("weight") {
        values =
          values * weight.indexSelect(axis: 0, chosen.flatten()).reshape(chosen.shape.dimensions)
      }
      let classes = Tensor.arange(x.extent(-1), chosen.dtype)
      return `where`(classes .== chosen, 0, values).mean(axes: [-1])
    },
    "nll_loss": negativeLikelihood,
    "nll_loss2d": negativeLikelihood,
    "nll_loss_nd": negativeLikelihood,
    "nll_loss_forward": negativeLikelihood,
    "nll_loss2d_forward": negativeLikelihood,
    "cross_entropy_loss": .one { (call) throws(Diagnostic) in try crossEntropy(call) },
    "pairwise_distance": .one { (call) throws(Diagnostic) in
      let difference = try call.tensor("x1") - (try call.tensor("x2"))
      return (difference + (try call.number("eps", default: 1e-6))).norm(
        order: try call.number("p", default: 2),
        axes: [-1],
        keepsDimensions: try call.bool("keepdim")
      )
    },
    "dist": .one { (call) throws(Diagnostic) in
      let difference = try call.subject() - (try call.tensor("other"))
      return difference.norm(order: try call.number("p", default: 2))
    },
  ]

  /// `x · logarithm` of y, 0 where x is.
  static func xlogy(_ x: Tensor, _ y: Tensor, _ logarithm: Tensor) -> Tensor {
    `where`((x .== 0).logicalAnd(y.isNaN().logicalNot()), 0, x * logarithm)
  }

  private static func loss(
    _ values: @escaping @Sendable (AtenCall) throws(Diagnostic) -> Tensor
  ) -> AtenOperator {
    .one { (call) throws(Diagnostic) in try reduced(try values(call), call) }
  }

  private static func ofDifference(
    _ function: @escaping @Sendable (Tensor, AtenCall) throws(Diagnostic) -> Tensor
  ) -> AtenOperator {
    loss { (call) throws(Diagnostic) in
      try function(try call.subject() - (try call.tensor("target")), call)
    }
  }

  private static func reduced(_ values: Tensor, _ call: AtenCall) throws(Diagnostic) -> Tensor {
    switch try call.integer("reduction", default: 1) {
    case 0: values
    case 1: values.mean()
    default: values.sum()
    }
  }

  private static func weighted(_ values: Tensor, _ call: AtenCall) throws(Diagnostic) -> Tensor {
    try call.optionalTensor("weight").map { values * $0 } ?? values
  }

  // MARK: - Classes

  /// What is taken of `[N, C, …]`, or `[C]`, at the classes `[N, …]`.
  private struct Classes {
    let axis: Int
    let target: Tensor
    let isIgnored: Tensor
    /// Of each target, 0 where it is ignored.
    let weight: Tensor

    init(_ x: Tensor, _ call: AtenCall) throws(Diagnostic) {
      axis = x.rank == 1 ? 0 : 1
      let given = try call.tensor("target")
      isIgnored = given .== (try call.integer("ignore_index", default: -100))
      target = `where`(isIgnored, 0, given)
      var weight = Tensor.full(like: target, 1, x.dtype)
      if let weights = try call.optionalTensor("weight") {
        weight = weights.indexSelect(axis: 0, target.flatten()).reshape(target.shape.dimensions)
      }
      self.weight = `where`(isIgnored, 0, weight).cast(to: x.dtype)
    }

    func losses(_ x: Tensor) -> Tensor {
      let index = target.unsqueeze(axis: axis)
      let found = x.gather(axis: axis, index).reshape(target.shape.dimensions)
      return `where`(isIgnored, 0, -found * weight).cast(to: x.dtype)
    }

    /// The mean is over the weights.
    func reduced(_ losses: Tensor, _ reduction: Int) -> Tensor {
      switch reduction {
      case 0: losses
      case 1: losses.sum() / weight.sum()
      default: losses.sum()
      }
    }
  }

  private static let negativeLikelihood = AtenOperator { (call) throws(Diagnostic) in
    let x = try call.subject()
    let classes = try Classes(x, call)
    let reduction = try call.integer("reduction", default: 1)
    let loss = classes.reduced(classes.losses(x), reduction)
    return [.tensor(loss), .tensor(classes.weight.sum())]
  }

  private static func crossEntropy(_ call: AtenCall) throws(Diagnostic) -> Tensor {
    let (x, target) = (try call.subject(), try call.tensor("target"))
    let axis = x.rank == 1 ? 0 : 1
    let smoothing = try call.number("label_smoothing", default: 0)
    let reduction = try call.integer("reduction", default: 1)
    let likelihood = logSoftmax(x, axis: axis)
    let count = try x.checkedExtent(axis)
    guard let classCount = count.constant, classCount > 0 else {
      throw call.unsupported("of \(x.type), whose classes are not known")
    }
    var perClass = likelihood
    if let weight = try call.optionalTensor("weight") {
      let shape = (0..<x.rank).map { $0 == axis ? count : Dimension(1) }
      perClass = likelihood * weight.reshape(shape)
    }
    if target.dtype.isFloatingPoint {
      // Probabilities of all classes.
      let smooth =
        smoothing > 0 ? target * (1 - smoothing) + smoothing / Double(classCount) : target
      let losses = -(perClass * smooth).sum(axes: [axis])
      return reduction == 0 ? losses : reduction == 1 ? losses.mean() : losses.sum()
    }
    let classes = try Classes(x, call)
    let loss = classes.reduced(classes.losses(likelihood), reduction)
    guard smoothing > 0 else { return loss }
    let all = `where`(classes.isIgnored, 0, -perClass.sum(axes: [axis])).cast(to: x.dtype)
    let rest = classes.reduced(all, reduction)
    return loss * (1 - smoothing) + rest * (smoothing / Double(classCount))
  }
}
