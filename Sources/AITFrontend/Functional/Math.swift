// The functions of `Tensor+Math.swift` in the form `exp(x)`.

/// The magnitude of each element.
public func abs(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.abs(file: file, line: line)
}

/// -1, 0 or 1 by the sign of each element.
public func sign(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.sign(file: file, line: line)
}

/// The square of each element.
public func square(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.square(file: file, line: line)
}

/// One divided by each element.
public func reciprocal(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.reciprocal(file: file, line: line)
}

/// The greatest whole number that is not above each element.
public func floor(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.floor(file: file, line: line)
}

/// The least whole number that is not below each element.
public func ceil(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.ceil(file: file, line: line)
}

/// Each element rounded to a whole number, halves to the even one.
public func round(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.round(file: file, line: line)
}

/// Each element without its fraction.
public func trunc(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.trunc(file: file, line: line)
}

/// e to the power of each element.
public func exp(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.exp(file: file, line: line)
}

/// 2 to the power of each element.
public func exp2(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.exp2(file: file, line: line)
}

/// e to the power of each element, less 1, exact near 0.
public func expm1(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.expm1(file: file, line: line)
}

/// The natural logarithm of each element.
public func log(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.log(file: file, line: line)
}

/// The logarithm of each element to base 2.
public func log2(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.log2(file: file, line: line)
}

/// The logarithm of each element to base 10.
public func log10(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.log10(file: file, line: line)
}

/// The natural logarithm of 1 plus each element, exact near 0.
public func log1p(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.log1p(file: file, line: line)
}

/// The square root of each element.
public func sqrt(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.sqrt(file: file, line: line)
}

/// One divided by the square root of each element.
public func rsqrt(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.rsqrt(file: file, line: line)
}

/// The sine of each element.
public func sin(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.sin(file: file, line: line)
}

/// The cosine of each element.
public func cos(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.cos(file: file, line: line)
}

/// The tangent of each element.
public func tan(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.tan(file: file, line: line)
}

/// The arc sine of each element.
public func asin(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.asin(file: file, line: line)
}

/// The arc cosine of each element.
public func acos(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.acos(file: file, line: line)
}

/// The arc tangent of each element.
public func atan(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.atan(file: file, line: line)
}

/// The hyperbolic sine of each element.
public func sinh(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.sinh(file: file, line: line)
}

/// The hyperbolic cosine of each element.
public func cosh(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.cosh(file: file, line: line)
}

/// The hyperbolic tangent of each element.
public func tanh(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.tanh(file: file, line: line)
}

/// The error function of each element.
public func erf(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.erf(file: file, line: line)
}

/// 1 less the error function of each element, exact where that is near 1.
public func erfc(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.erfc(file: file, line: line)
}

/// The inverse hyperbolic sine of each element.
public func asinh(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.asinh(file: file, line: line)
}

/// The inverse hyperbolic cosine of each element; NaN below 1.
public func acosh(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.acosh(file: file, line: line)
}

/// The inverse hyperbolic tangent of each element.
public func atanh(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.atanh(file: file, line: line)
}

/// The fraction of each element, with its sign.
public func frac(_ x: Tensor, file: String = #fileID, line: Int = #line) -> Tensor {
  x.frac(file: file, line: line)
}
