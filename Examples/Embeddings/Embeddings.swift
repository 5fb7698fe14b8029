// Sentence embeddings: text in, vectors out, without Python or PyTorch.
//
//   make embeddings                                    fetches the model, checks it, answers three queries
//   .build/release/Embeddings nearest "a cup of tea"   the sentences that mean the nearest
//   .build/release/Embeddings encode FILE -o e.safetensors
import AITText
import AITemplate
import ArgumentParser

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

@main
struct Embeddings: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Embeddings of sentences by all-MiniLM-L6-v2, compiled by AITemplate.",
    subcommands: [Nearest.self, Encode.self, Check.self, Tokens.self]
  )
}

/// Where the model is, and what it is compiled for.
struct ModelOptions: ParsableArguments {
  @Option(help: "The folder with model.safetensors and vocab.txt, as fetch.sh leaves it.")
  var model = "out/minilm"

  @Option(help: "A library to use instead of compiling the model, such as one made by ait compile.")
  var library: String?

  @Option(help: "What to compile for.")
  var target = "cpu:native"

  func load() async throws -> SentenceEncoder {
    try await SentenceEncoder(folder: model, library: library, target: target)
  }
}

/// The lines of a file that hold anything but spaces.
func lines(of path: String) throws -> [String] {
  guard let file = fopen(path, "r") else {
    throw Diagnostic(.unreadableFile, "cannot open the file", at: path)
  }
  defer { fclose(file) }
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 1 << 16)
  while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
    bytes += buffer[..<count]
  }
  return String(decoding: bytes, as: UTF8.self)
    .split(whereSeparator: \.isNewline)
    .map(String.init)
    .filter { !$0.allSatisfy(\.isWhitespace) }
}

/// `Embeddings nearest`: for each query, the sentences that mean the nearest.
struct Nearest: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "For each query, the sentences of a file that mean the nearest."
  )

  @OptionGroup var options: ModelOptions

  @Option(help: "A file with one sentence on each line.")
  var sentences = "Examples/Embeddings/sentences.txt"

  @Option(name: [.customShort("n"), .long], help: "How many sentences are shown for each query.")
  var count = 5

  @Argument(help: "The queries; read from the standard input, line by line, if there are none.")
  var queries: [String] = []

  func run() async throws {
    let texts = try lines(of: sentences)
    let encoder = try await options.load()
    let clock = ContinuousClock()
    let start = clock.now
    let index = try encoder.encode(texts)
    let table = SimilarityTable(texts: texts, embeddings: index, count: max(1, count))
    print("\(texts.count) sentences encoded in \((clock.now - start).milliseconds) ms")
    if queries.isEmpty {
      while let line = readLine() {
        guard !line.allSatisfy(\.isWhitespace) else { continue }
        try answer([line], encoder, table)
      }
    } else {
      try answer(queries, encoder, table)
    }
  }

  private func answer(_ queries: [String], _ encoder: SentenceEncoder, _ table: SimilarityTable)
    throws
  {
    for (query, embedding) in zip(queries, try encoder.encode(queries)) {
      print(table.text(for: query, embedding), terminator: "")
    }
  }
}

/// `Embeddings encode`: the embeddings of a file's lines, for other programs.
struct Encode: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write the embeddings of a file's lines to a .safetensors file."
  )

  @OptionGroup var options: ModelOptions

  @Argument(help: "A file with one sentence on each line.")
  var sentences = "Examples/Embeddings/sentences.txt"

  @Option(name: .shortAndLong, help: "Where the tensor 'embeddings' goes.")
  var output = "out/minilm/embeddings.safetensors"

  func run() async throws {
    let texts = try lines(of: sentences)
    let embeddings = try await options.load().encode(texts)
    let tensor = TensorData(
      Array(embeddings.joined()),
      shape: [texts.count, embeddings.first?.count ?? 0]
    )
    try Safetensors.write([("embeddings", tensor)], to: output)
    print("\(texts.count) embeddings in \(output)")
  }
}

/// `Embeddings check`: against what sentence-transformers gave for the first sentences.
struct Check: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare with the embeddings that sentence-transformers gave; fails below 0.9999."
  )

  @OptionGroup var options: ModelOptions

  @Option(help: "A file with one sentence on each line.")
  var sentences = "Examples/Embeddings/sentences.txt"

  @Option(help: "A file with the tensor 'embeddings': a row for each of the first sentences.")
  var expected = "Examples/Embeddings/expected.safetensors"

  func run() async throws {
    let recorded = try Safetensors.read(expected).tensor(named: "embeddings")
    let texts = try lines(of: sentences)
    guard recorded.shape.count == 2, recorded.shape[0] > 0, recorded.shape[0] <= texts.count else {
      throw Diagnostic(
        .shapeMismatch,
        "embeddings \(recorded.shape) for \(texts.count) sentences",
        at: expected
      )
    }
    let width = recorded.shape[1]
    let rows = recorded.doubles.map { Float($0) }
    let found = try await options.load().encode(Array(texts.prefix(recorded.shape[0])))
    let cosines = found.enumerated().map { row, embedding in
      similarity(embedding, Array(rows[row * width..<(row + 1) * width]))
    }
    let least = cosines.reduce(1) { min($0, $1) }
    print("\(cosines.count) sentences, least cosine to sentence-transformers: \(least)")
    guard least >= 0.9999 else { throw ExitCode(2) }
  }
}

/// `Embeddings tokens`: what the tokenizer makes of lines.
struct Tokens: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the ids and the tokens of the standard input's lines."
  )

  @Option(help: "The vocabulary, one token on each line.")
  var vocabulary = "out/minilm/vocab.txt"

  @Flag(help: "Print the ids alone.")
  var ids = false

  func run() throws {
    let tokenizer = try WordPieceTokenizer(contentsOf: vocabulary, maximumLength: 256)
    while let line = readLine() {
      let found = tokenizer.encode(line)
      print(found.map(String.init).joined(separator: " "))
      if !ids { print(found.map { tokenizer.vocabulary[$0] }.joined(separator: " ")) }
    }
  }
}

extension Duration {
  /// The duration in whole milliseconds.
  var milliseconds: Int64 {
    components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
  }
}
