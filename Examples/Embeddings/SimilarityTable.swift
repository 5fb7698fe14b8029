// How answers are laid out.

/// Sentences with their embeddings, and how those nearest to a query are printed.
struct SimilarityTable {
  let texts: [String]
  let embeddings: [[Float]]
  /// How many sentences are shown.
  let count: Int

  /// The characters of a bar for a cosine of 1.
  private static let barWidth = 16

  /// The query, and a line for each of the nearest sentences: rank, cosine, a bar, the sentence.
  func text(for query: String, _ embedding: [Float]) -> String {
    let scores = embeddings.map { similarity($0, embedding) }
    let best = scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }.prefix(count)
    var text = "\n\(query)\n"
    for (rank, index) in best.enumerated() {
      let number = "\(rank + 1)"
      let indent = String(repeating: " ", count: max(0, 4 - number.count))
      text +=
        "\(indent)\(number)  \(decimal(scores[index]))  \(bar(scores[index]))  \(texts[index])\n"
    }
    return text
  }

  /// Three places after the point, with room for a sign.
  private func decimal(_ value: Double) -> String {
    let thousandths = Int((abs(value) * 1000).rounded())
    let fraction = "\(thousandths % 1000)"
    let zeros = String(repeating: "0", count: 3 - fraction.count)
    return "\(value < 0 ? "-" : " ")\(thousandths / 1000).\(zeros)\(fraction)"
  }

  /// A bar in eighths of a character, filled up with spaces.
  private func bar(_ value: Double) -> String {
    let eighths = Int((min(max(value, 0), 1) * Double(8 * Self.barWidth)).rounded())
    let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    let bar = String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
    return bar + String(repeating: " ", count: Self.barWidth - bar.count)
  }
}
