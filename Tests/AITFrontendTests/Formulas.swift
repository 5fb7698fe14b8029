#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

// Activations written out, in Double.

func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
func relu(_ x: Double) -> Double { max(x, 0) }
func silu(_ x: Double) -> Double { x * sigmoid(x) }
func gelu(_ x: Double) -> Double { x / 2 * (1 + erf(x / 2.0.squareRoot())) }
func hyperbolicTangent(_ x: Double) -> Double { tanh(x) }
func naturalLogarithm(_ x: Double) -> Double { log(x) }
func exponential(_ x: Double) -> Double { exp(x) }

func fastGELU(_ x: Double) -> Double {
  x / 2 * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
}

func softplus(_ x: Double) -> Double { log(1 + exp(x)) }

func softmax(_ row: [Double]) -> [Double] {
  let largest = row.max() ?? 0
  let exponentials = row.map { exp($0 - largest) }
  let sum = exponentials.reduce(0, +)
  return exponentials.map { $0 / sum }
}
