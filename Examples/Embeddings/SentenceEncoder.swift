// Text in, vectors out: the tokenizer and the compiled library together.
import AITText
import AITemplate

/// A compiled model with its tokenizer.
struct SentenceEncoder {
  let tokenizer: WordPieceTokenizer
  let module: CompiledModule

  /// The texts of one run; more do not make it faster.
  private static let batchSize = 32

  /// Loads the library of a model; compiles it first if there is none.
  ///
  /// - Parameters:
  ///   - folder: where `model.safetensors` and `vocab.txt` are; the library is made there too.
  ///   - library: a library to load instead, such as one that `ait compile` made of PyTorch's program.
  ///   - target: what is compiled for.
  /// - Throws: `Diagnostic` for files that are not there or are others, and without a compiler.
  init(folder: String, library: String?, target: String) async throws {
    tokenizer = try WordPieceTokenizer(contentsOf: "\(folder)/vocab.txt", maximumLength: 256)
    if let library {
      module = try CompiledModule(contentsOf: library)
      return
    }
    let model = SentenceModel()
    let output = model.output()
    let weights = try Weights.load("\(folder)/model.safetensors")
    // The file holds a pooler too, which sentences do without.
    let options = WeightMapping.Options(allowsUnexpected: true)
    module = try await compile(
      output,
      for: Target(target),
      in: folder,
      named: "minilm",
      constants: weights.mapped(to: model, options: options)
    )
  }

  /// The embeddings of texts, each of length 1, in the order of the texts.
  func encode(_ texts: [String]) throws -> [[Float]] {
    let rows = texts.map { tokenizer.encode($0) }
    // Texts of one length side by side, so that little is filled up.
    let order = rows.indices.sorted { (rows[$0].count, $0) < (rows[$1].count, $1) }
    var embeddings = [[Float]](repeating: [], count: texts.count)
    for start in stride(from: 0, to: order.count, by: Self.batchSize) {
      let part = order[start..<min(start + Self.batchSize, order.count)]
      let batch = tokenizer.batch(part.map { rows[$0] })
      let result = try module.run(["input_ids": batch.ids, "attention_mask": batch.mask])
      guard let vectors = result.values.first, vectors.shape.count == 2 else { continue }
      let width = vectors.shape[1]
      let elements = vectors.doubles
      for (row, index) in part.enumerated() {
        embeddings[index] = elements[row * width..<(row + 1) * width].map { Float($0) }
      }
    }
    return embeddings
  }
}

/// The cosine of the angle between two vectors of length 1.
func similarity(_ a: [Float], _ b: [Float]) -> Double {
  zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
}
