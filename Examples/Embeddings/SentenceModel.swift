// The network: BERT's encoder, the mean of what it says of each token, and a vector of length 1.
//
// The names are those of the weights' file, so that these find their place by name alone.
import AITemplate

/// The sizes of a BERT; those of `all-MiniLM-L6-v2` unless others are given.
struct BertSizes {
  var vocabulary = 30522
  var positions = 512
  var width = 384
  var layers = 6
  var heads = 12
  var hidden = 1536
  var epsilon = 1e-12
}

/// What the network first knows of each token: its word, its place, and which text it belongs to.
final class BertEmbeddings: Module {
  @ModuleInfo(key: "word_embeddings") var words: Embedding
  @ModuleInfo(key: "position_embeddings") var positions: Embedding
  @ModuleInfo(key: "token_type_embeddings") var types: Embedding
  @ModuleInfo(key: "LayerNorm") var norm: LayerNorm

  init(_ sizes: BertSizes) {
    _words.wrappedValue = Embedding(sizes.vocabulary, sizes.width)
    _positions.wrappedValue = Embedding(sizes.positions, sizes.width)
    _types.wrappedValue = Embedding(2, sizes.width)
    _norm.wrappedValue = LayerNorm(sizes.width, epsilon: sizes.epsilon)
  }

  func callAsFunction(_ ids: Tensor) -> Tensor {
    // [T, E] broadcasts over the batch; every token is of the first text.
    let places = positions.weight.tensor.slice(axis: 0, to: ids.extent(1))
    return norm(words(ids) + places + types.weight.tensor[0])
  }
}

/// Attention and two linear layers, each with a residual and a normalisation after it.
final class BertLayer: Module {
  @ModuleInfo(key: "attention.self.query") var query: Linear
  @ModuleInfo(key: "attention.self.key") var key: Linear
  @ModuleInfo(key: "attention.self.value") var value: Linear
  @ModuleInfo(key: "attention.output.dense") var attended: Linear
  @ModuleInfo(key: "attention.output.LayerNorm") var attendedNorm: LayerNorm
  @ModuleInfo(key: "intermediate.dense") var expand: Linear
  @ModuleInfo(key: "output.dense") var contract: Linear
  @ModuleInfo(key: "output.LayerNorm") var norm: LayerNorm
  private let heads: Int

  init(_ sizes: BertSizes) {
    let width = sizes.width
    heads = sizes.heads
    _query.wrappedValue = Linear(width, width)
    _key.wrappedValue = Linear(width, width)
    _value.wrappedValue = Linear(width, width)
    _attended.wrappedValue = Linear(width, width)
    _attendedNorm.wrappedValue = LayerNorm(width, epsilon: sizes.epsilon)
    _expand.wrappedValue = Linear(width, sizes.hidden)
    _contract.wrappedValue = Linear(sizes.hidden, width)
    _norm.wrappedValue = LayerNorm(width, epsilon: sizes.epsilon)
  }

  /// x is `[B, T, E]`; `counts` is `[B, 1, 1, T]`, and tells which tokens may be attended to.
  func callAsFunction(_ x: Tensor, counts: Tensor) -> Tensor {
    let attention = scaledDotProductAttention(
      split(query(x)),
      split(key(x)),
      split(value(x)),
      mask: counts
    )
    let joined = attention.transpose(1, 2).flatten(start: 2)
    let y = attendedNorm(attended(joined) + x)
    return norm(contract(gelu(expand(y))) + y)
  }

  /// `[B, T, heads · D]` to `[B, heads, T, D]`.
  private func split(_ x: Tensor) -> Tensor {
    let width = x.extent(2).constant ?? heads
    return x.unflatten(axis: 2, [Dimension(heads), Dimension(width / heads)]).transpose(1, 2)
  }
}

/// BERT, and of its last layer one vector for each text.
final class SentenceModel: Module {
  let embeddings: BertEmbeddings
  @ModuleInfo(key: "encoder.layer") var layers: [BertLayer]

  init(_ sizes: BertSizes = BertSizes()) {
    embeddings = BertEmbeddings(sizes)
    _layers.wrappedValue = (0..<sizes.layers).map { _ in BertLayer(sizes) }
  }

  /// The embeddings of a batch of texts.
  ///
  /// - Parameters:
  ///   - ids: `[B, T]` of int64.
  ///   - mask: `[B, T]` of int64, 1 for the ids that are text and 0 for those that fill up.
  /// - Returns: `[B, E]`, rows of length 1: their products are cosines.
  func callAsFunction(_ ids: Tensor, mask: Tensor) -> Tensor {
    let counts = (mask .!= 0).unsqueeze(axis: 1).unsqueeze(axis: 2)
    let encoded = layers.reduce(embeddings(ids)) { $1($0, counts: counts) }
    let weights = mask.cast(to: .float32).unsqueeze(axis: 2)
    let mean = (encoded * weights).sum(axis: 1) / maximum(weights.sum(axis: 1), 1e-9)
    let length = mean.square().sum(axis: 1, keepsDimensions: true).sqrt()
    return mean / maximum(length, 1e-12)
  }

  /// The model's output for inputs of any size within bounds.
  func output() -> Tensor {
    let shape: Shape = [.symbol("batch", 1...64), .symbol("tokens", 2...256)]
    let ids = Tensor.input("input_ids", shape, .int64)
    let mask = Tensor.input("attention_mask", shape, .int64)
    return self(ids, mask: mask).named("embedding")
  }
}
