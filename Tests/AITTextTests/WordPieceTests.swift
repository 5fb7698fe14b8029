import AITGraph
import AITText
import FoundationEssentials
import Testing

/// Against ids that the Python package `tokenizers` gave: `Tests/Fixtures/text/make_wordpiece_fixture.py`.
@Suite struct WordPieceTests {
  struct Fixture: Decodable {
    struct Case: Decodable {
      let text: String
      let ids: [Int]
    }

    let vocabulary: [String]
    let cases: [Case]
  }

  static let fixture: Result<Fixture, any Error> = Result {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let file = folder.appending(path: "Fixtures/text/wordpiece.json")
    return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: file))
  }

  let fixture: Fixture
  let tokenizer: WordPieceTokenizer

  init() throws {
    fixture = try Self.fixture.get()
    tokenizer = try WordPieceTokenizer(vocabulary: fixture.vocabulary)
  }

  @Test func idsAreThoseOfTokenizers() {
    #expect(fixture.cases.count > 30)
    for each in fixture.cases {
      let found = tokenizer.encode(each.text)
      #expect(
        found == each.ids,
        """
        \(each.text.debugDescription): \(found.map { fixture.vocabulary[$0] }), \
        not \(each.ids.map { fixture.vocabulary[$0] })
        """
      )
    }
  }

  @Test func aLongTextIsCutOffAndKeepsItsEnds() throws {
    let short = try WordPieceTokenizer(vocabulary: fixture.vocabulary, maximumLength: 6)
    let text = fixture.cases[1].text
    let whole = tokenizer.encode(text)
    #expect(whole.count > 6)
    #expect(short.encode(text) == whole[..<5] + whole.suffix(1))
    #expect(short.encode("") == whole.prefix(1) + whole.suffix(1))
  }

  @Test func rowsAreFilledUp() {
    let texts = [fixture.cases[0].text, fixture.cases[1].text, ""]
    let rows = texts.map { tokenizer.encode($0) }
    let length = rows.map(\.count).max() ?? 0
    let padding = Double(fixture.vocabulary.firstIndex(of: "[PAD]") ?? -1)
    let batch = tokenizer.encode(texts)
    #expect(batch.ids.shape == [3, length] && batch.ids.dtype == .int64)
    #expect(batch.mask.shape == [3, length] && batch.mask.dtype == .int64)
    let fill = rows.map { row in Array(repeating: padding, count: length - row.count) }
    #expect(batch.ids.doubles == zip(rows, fill).flatMap { $0.map(Double.init) + $1 })
    #expect(
      batch.mask.doubles
        == zip(rows, fill).flatMap { row, fill in row.map { _ in 1.0 } + fill.map { _ in 0.0 } }
    )
    #expect(tokenizer.encode([String]()).ids.shape == [0, 0])
  }

  /// A cased model keeps accents and capitals.
  @Test func casedVocabularies() throws {
    let vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "É", "##té", "ete"]
    let cased = try WordPieceTokenizer(vocabulary: vocabulary, lowercases: false)
    #expect(cased.pieces("Été ete ETE") == [4, 5, 6, 1])
    let uncased = try WordPieceTokenizer(vocabulary: vocabulary)
    #expect(uncased.pieces("Été ete ETE") == [6, 6, 6])
  }

  /// Without pieces for the inside of words, a word is a token or unknown.
  @Test func vocabulariesWithoutContinuations() throws {
    let tokenizer = try WordPieceTokenizer(vocabulary: ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a"])
    #expect(tokenizer.pieces("a aa b") == [4, 1, 1])
  }

  @Test func whatIsNoVocabularyIsRefused() {
    func identity(_ body: () throws -> WordPieceTokenizer) -> Diagnostic.Identity? {
      do {
        _ = try body()
        return nil
      } catch { return (error as? Diagnostic)?.identity }
    }
    #expect(identity { try WordPieceTokenizer(vocabulary: ["a", "b"]) } == .invalidArgument)
    #expect(
      identity { try WordPieceTokenizer(vocabulary: fixture.vocabulary, maximumLength: 1) }
        == .invalidArgument
    )
    #expect(
      identity { try WordPieceTokenizer(contentsOf: "/nowhere/vocab.txt") } == .unreadableFile
    )
    #expect(identity { try WordPieceTokenizer(contentsOf: #filePath) } == .invalidArgument)
  }
}
