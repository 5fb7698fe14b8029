import AITFrontend
import AITGraph

/// The model of the tutorial.
final class SimpleModel: Module {
  let dense1: Linear, dense2: Linear, layernorm: LayerNorm
  init(hidden: Int) {
    dense1 = Linear(hidden, 4 * hidden, specialization: .fastGELU)
    dense2 = Linear(4 * hidden, hidden)
    layernorm = LayerNorm(hidden)
  }
  func callAsFunction(_ input: Tensor) -> Tensor { layernorm(dense2(dense1(input)) + input) }
}
