import AITGraph
import AITWeights

/// Text to the numbers that BERT and its kin read: words cut into the longest pieces that a vocabulary
/// knows.
///
/// A word is looked for from its beginning; pieces inside a word begin with `##` in the vocabulary. A
/// word of which some part is unknown, or of more than 100 characters, is `[UNK]` as a whole. What a
/// model reads is `[CLS]`, the pieces, `[SEP]`. The ids are those of the Python package `tokenizers` for
/// `BertTokenizer`; special tokens that a text spells out, such as `[MASK]`, are those tokens there too.
///
/// ```swift
/// let tokenizer = try WordPieceTokenizer(contentsOf: "vocab.txt", maximumLength: 256)
/// let batch = tokenizer.encode(["A first sentence.", "And another."])
/// let result = try module.run(["input_ids": batch.ids, "attention_mask": batch.mask])
/// ```
public struct WordPieceTokenizer: Sendable {
  /// The tokens by their ids.
  public let vocabulary: [String]
  /// The most ids that a text becomes, with `[CLS]` and `[SEP]`; what is beyond is cut off.
  public let maximumLength: Int

  private let basic: BasicTokenization
  private let trie: VocabularyTrie
  private let insideWord: VocabularyTrie.Node?
  private let padding: Int
  private let unknown: Int
  private let first: Int
  private let last: Int
  /// The special tokens that a text may spell out.
  private let special: [(text: String, id: Int)]

  /// The characters of the longest word that is looked for.
  private static let longestWord = 100

  /// Creates a tokenizer.
  ///
  /// - Parameters:
  ///   - vocabulary: the tokens by their ids; `[PAD]`, `[UNK]`, `[CLS]` and `[SEP]` among them.
  ///   - lowercases: whether letters become lower-case and lose their accents: the models called
  ///     *uncased*.
  ///   - maximumLength: the most ids that a text becomes, at least 2.
  /// - Throws: `invalid-argument` for a vocabulary without one of the special tokens, or a length below 2.
  public init(
    vocabulary: [String],
    lowercases: Bool = true,
    maximumLength: Int = 512
  ) throws(Diagnostic) {
    guard maximumLength >= 2 else {
      throw Diagnostic(
        .invalidArgument,
        "texts of at most \(maximumLength) ids",
        hint: "[CLS] and [SEP] alone are 2"
      )
    }
    let trie = VocabularyTrie(vocabulary)
    func require(_ token: String) throws(Diagnostic) -> Int {
      if let id = trie.token(token) { return id }
      throw Diagnostic(
        .invalidArgument,
        "a vocabulary of \(vocabulary.count) tokens without '\(token)'",
        hint: "give the vocab.txt of a BERT model, one token on each line"
      )
    }
    padding = try require("[PAD]")
    unknown = try require("[UNK]")
    first = try require("[CLS]")
    last = try require("[SEP]")
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].compactMap { text in
      trie.token(text).map { (text, $0) }
    }
    insideWord = trie.node(after: "##")
    basic = BasicTokenization(lowercases: lowercases)
    self.trie = trie
    self.vocabulary = vocabulary
    self.maximumLength = maximumLength
  }

  /// Reads a vocabulary: one token on each line, the first of which has the id 0.
  ///
  /// - Parameters:
  ///   - path: the file, in UTF-8.
  ///   - lowercases: whether letters become lower-case and lose their accents.
  ///   - maximumLength: the most ids that a text becomes, at least 2.
  /// - Throws: `unreadable-file`; `invalid-argument` for what is no vocabulary of this kind.
  public init(
    contentsOf path: String,
    lowercases: Bool = true,
    maximumLength: Int = 512
  ) throws(Diagnostic) {
    let file = try MappedFile(path)
    let text = file.withUnsafeBytes(0..<file.sizeInBytes) { String(decoding: $0, as: UTF8.self) }
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    do {
      try self.init(
        vocabulary: lines.map { String($0.hasSuffix("\r") ? $0.dropLast() : $0) },
        lowercases: lowercases,
        maximumLength: maximumLength
      )
    } catch {
      throw error.located(at: path)
    }
  }

  // MARK: - Texts

  /// The pieces of a text, without `[CLS]` and `[SEP]` and of any length, as ids.
  public func pieces(_ text: String) -> [Int] {
    var ids: [Int] = []
    var rest = text[...]
    while let next = nextSpecial(rest) {
      append(rest[..<next.range.lowerBound], to: &ids)
      ids.append(next.id)
      rest = rest[next.range.upperBound...]
    }
    append(rest, to: &ids)
    return ids
  }

  /// The ids of a text: `[CLS]`, its pieces, `[SEP]`; no more than ``maximumLength``.
  public func encode(_ text: String) -> [Int] {
    [first] + pieces(text).prefix(maximumLength - 2) + [last]
  }

  /// The ids of several texts, side by side.
  ///
  /// - Parameter texts: the texts, one for each row.
  /// - Returns: rows as long as the longest of them.
  public func encode(_ texts: [String]) -> TokenBatch {
    batch(texts.map { encode($0) })
  }

  /// Texts that are encoded already, side by side, filled up with `[PAD]` to the length of the longest.
  public func batch(_ rows: [[Int]]) -> TokenBatch {
    let length = rows.reduce(0) { max($0, $1.count) }
    var ids: [Double] = []
    var mask: [Double] = []
    ids.reserveCapacity(rows.count * length)
    mask.reserveCapacity(rows.count * length)
    for row in rows {
      for column in 0..<length {
        ids.append(Double(column < row.count ? row[column] : padding))
        mask.append(column < row.count ? 1 : 0)
      }
    }
    return TokenBatch(
      ids: TensorData(.int64, [rows.count, length], ids),
      mask: TensorData(.int64, [rows.count, length], mask)
    )
  }

  // MARK: - Pieces

  /// The first special token that a text spells out.
  private func nextSpecial(_ text: Substring) -> (range: Range<Substring.Index>, id: Int)? {
    let scalars = text.unicodeScalars
    var start = scalars.startIndex
    while let bracket = scalars[start...].firstIndex(of: "[") {
      for (token, id) in special where scalars[bracket...].starts(with: token.unicodeScalars) {
        return (bracket..<scalars.index(bracket, offsetBy: token.unicodeScalars.count), id)
      }
      start = scalars.index(after: bracket)
    }
    return nil
  }

  private func append(_ text: Substring, to ids: inout [Int]) {
    for word in basic.words(text) { append(word[...], to: &ids) }
  }

  /// Appends the pieces of a word, or `[UNK]`.
  private func append(_ word: ArraySlice<UInt8>, to ids: inout [Int]) {
    // Bytes that do not continue a character begin one.
    let characters = word.reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
    let start = ids.count
    var rest = characters > Self.longestWord ? word[word.endIndex...] : word
    var node: VocabularyTrie.Node? = VocabularyTrie.root
    while !rest.isEmpty, let from = node, let match = trie.longestMatch(rest, from: from) {
      ids.append(match.token)
      rest = rest[match.end...]
      node = insideWord
    }
    if !rest.isEmpty || characters > Self.longestWord {
      ids.removeSubrange(start...)
      ids.append(unknown)
    }
  }
}

/// Texts as ids, one row for each, and which of the ids are text.
public struct TokenBatch: Sendable {
  /// `[B, T]` of int64: the ids, filled up with `[PAD]`.
  public let ids: TensorData
  /// `[B, T]` of int64: 1 where an id belongs to the text, 0 where it fills up.
  public let mask: TensorData
}
