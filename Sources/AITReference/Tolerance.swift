import AITGraph

/// How far a result may lie from the reference, by element type and number of terms summed.
///
/// The bound is on the normalised error ‖found − expected‖ / ‖expected‖ (Euclidean norms over all
/// elements). Integers and truth values must be equal.
package enum Tolerance {
  /// The bound for one operator.
  ///
  /// The bounds are a small multiple of the type's rounding error and hold for sums of up to
  /// `termsWithinBound` terms. Beyond, float32 sums grow with the square root of the count: rounding
  /// errors of random sign. Half-precision sums accumulate in float32 and are rounded once.
  package static func bound(_ dtype: DType, reductionLength: Int = 1) -> Double {
    let growth = max(1, Double(reductionLength) / termsWithinBound).squareRoot()
    return switch dtype {
    case .float64: 1e-12 * growth
    case .float32: 1e-5 * growth
    case .float16: 2e-3
    case .bfloat16: 1.5e-2
    case .bool, .uint8, .int8, .int16, .int32, .int64: 0
    }
  }

  /// The bound for a product whose factors may be rounded to tf32.
  ///
  /// Each errs by 2^-11 at most, 2^-12 on average, in either direction: 3e-4 of random numbers.
  package static let tensorFloat = 1e-3

  /// 2^16 terms in any order err by some 2^8 · 2^-24 = 1.5e-5 at worst, and far less as a rule.
  private static let termsWithinBound = 65536.0

  /// The bound for a whole model: errors of operators in a row add up as independent ones do.
  package static func bound(_ dtype: DType, operatorCount: Int, reductionLength: Int = 1) -> Double
  {
    bound(dtype, reductionLength: reductionLength) * Double(max(1, operatorCount)).squareRoot()
  }
}

/// The outcome of comparing a result with the reference; prints as one line.
package struct Comparison: Sendable, CustomStringConvertible {
  /// Why the result is refused; nil if it is as it should be.
  package let problem: String?
  /// The normalised error over the finite elements; 0 for integers that are equal.
  package let error: Double
  /// The bound that the error was held to.
  package let bound: Double
  /// The largest difference of two elements, and its position in row-major order.
  package let worst: (difference: Double, index: Int)?
  /// What the result was compared with, if that is not the reference as it stands.
  package var remark: String?

  /// Whether the result is as it should be.
  package var isEqual: Bool { problem == nil }

  /// "equal: error 3.1e-07 of 1e-05", or what is wrong.
  package var description: String {
    guard let problem else {
      return "equal: error \(error) of \(bound)" + (remark.map { "; \($0)" } ?? "")
    }
    guard let worst else { return problem }
    return "\(problem); worst difference \(worst.difference) at element \(worst.index)"
  }
}

/// Compares a result with the reference.
///
/// Types and extents must agree. NaN and infinities must stand in the same places, infinities with
/// the same sign, but for the positions in `disputed`, which are not compared. Finite elements are
/// held to a bound on the normalised error: that of the table unless given.
package func compare(
  _ found: TensorData,
  _ expected: TensorData,
  bound: Double? = nil,
  reductionLength: Int = 1,
  disputed: Set<Int> = []
) -> Comparison {
  let bound = bound ?? Tolerance.bound(expected.dtype, reductionLength: reductionLength)
  func refuse(_ problem: String) -> Comparison {
    Comparison(problem: problem, error: .infinity, bound: bound, worst: nil)
  }
  guard found.type == expected.type else {
    return refuse("found \(found.type), expected \(expected.type)")
  }
  guard expected.dtype.isFloatingPoint else {
    let (left, right) = (found.integers, expected.integers)
    guard let index = left.indices.first(where: { left[$0] != right[$0] && !disputed.contains($0) })
    else { return Comparison(problem: nil, error: 0, bound: 0, worst: nil) }
    return refuse("element \(index) is \(left[index]), expected \(right[index])")
  }
  let (left, right) = (found.doubles, expected.doubles)
  var (errorSquares, normSquares) = (0.0, 0.0)
  var worst: (difference: Double, index: Int)?
  // Scaled by the largest magnitude, so that no square overflows or vanishes.
  let largest = right.reduce(0) { $1.isFinite ? max($0, $1.magnitude) : $0 }
  let scale = largest == 0 ? 1 : largest
  for index in left.indices where !disputed.contains(index) {
    let (a, b) = (left[index], right[index])
    if !b.isFinite || !a.isFinite {
      let isSame = a == b || (a.isNaN && b.isNaN)
      guard isSame else { return refuse("element \(index) is \(a), expected \(b)") }
      continue
    }
    let difference = (a - b).magnitude
    if difference > worst?.difference ?? 0 { worst = (difference, index) }
    errorSquares += (difference / scale) * (difference / scale)
    normSquares += (b / scale) * (b / scale)
  }
  // Against nothing but zeros there is no norm: the difference itself is held to the bound.
  let error =
    normSquares == 0 ? errorSquares.squareRoot() : (errorSquares / normSquares).squareRoot()
  let problem = error <= bound ? nil : "error \(error) exceeds \(bound)"
  return Comparison(problem: problem, error: error, bound: bound, worst: worst)
}
