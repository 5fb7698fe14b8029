// Unicode's decomposition is part of the standard library, but offered under this name only;
// Foundation, which has it too, would be a dependency of many megabytes.
@_spi(_Unicode) import Swift

/// How BERT cuts a text into words before it looks for them in its vocabulary.
///
/// The text is cleaned (control characters go, white space becomes spaces), Chinese characters stand
/// alone, accents are taken off, letters become lower-case; then spaces part words, and punctuation
/// stands alone. Source: Devlin et al. 2018, the tokenisation of its published code; details as in
/// `BertNormalizer` and `BertPreTokenizer` of the Python package `tokenizers`.
struct BasicTokenization: Sendable {
  /// Whether letters become lower-case and lose their accents: the models called *uncased*.
  let lowercases: Bool

  /// The words of a text, each in UTF-8.
  func words(_ text: some StringProtocol) -> [[UInt8]] {
    var words: [[UInt8]] = []
    var word: [UInt8] = []
    func close() {
      if !word.isEmpty { words.append(word) }
      word.removeAll(keepingCapacity: true)
    }
    func add(_ scalar: Unicode.Scalar) {
      if Self.isSpace(scalar) {
        close()
      } else if Self.isPunctuation(scalar) {
        close()
        words.append(Array(UTF8.encode(scalar) ?? .init()))
      } else {
        word.append(contentsOf: UTF8.encode(scalar) ?? .init())
      }
    }
    for scalar in text.unicodeScalars where !Self.isRemoved(scalar) {
      let standsAlone = Self.isChinese(scalar)
      if standsAlone { close() }
      if lowercases { lowercased(scalar, add) } else { add(scalar) }
      if standsAlone { close() }
    }
    close()
    return words
  }

  /// Gives the scalars of one without its accents and in lower case.
  private func lowercased(_ scalar: Unicode.Scalar, _ add: (Unicode.Scalar) -> Void) {
    if scalar.isASCII {
      let isUpper = (0x41...0x5A).contains(scalar.value)
      add(isUpper ? Unicode.Scalar(UInt8(scalar.value + 0x20)) : scalar)
      return
    }
    // Each scalar for itself: what a decomposition would reorder is marks, and those are taken off.
    for part in String(scalar)._nfd where part.properties.generalCategory != .nonspacingMark {
      for lower in part.properties.lowercaseMapping.unicodeScalars { add(lower) }
    }
  }

  /// Control characters, such as have no form of their own, and what stands for bytes that were no text.
  private static func isRemoved(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII {
      return (scalar.value < 0x20 && !isSpace(scalar)) || scalar.value == 0x7F
    }
    if scalar.value == 0xFFFD { return true }
    return switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse: true
    default: false
    }
  }

  private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x20, 0x09, 0x0A, 0x0D: true
    case ..<0x80: false
    default: scalar.properties.isWhitespace
    }
  }

  /// ASCII's symbols all count as punctuation, such as `$` and `^`, which Unicode calls otherwise.
  private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: return true
    case ..<0x80: return false
    default: break
    }
    return switch scalar.properties.generalCategory {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
      .initialPunctuation, .finalPunctuation, .otherPunctuation:
      true
    default: false
    }
  }

  /// The blocks of CJK ideographs; neither kana nor hangul, which are written in words.
  private static func isChinese(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x2A6DF, 0x2A700...0x2B81F,
      0x2B920...0x2CEAF, 0x2F800...0x2FA1F:
      true
    default: false
    }
  }
}
