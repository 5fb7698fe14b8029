import FoundationEssentials
import Testing

/// Texts kept in the folder `Golden`; `make golden` writes them anew, for people to read as code.
enum Golden {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Golden")

  /// Records an issue with the difference unless a text equals its file.
  static func expect(
    _ text: String,
    equals name: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let file = folder.appending(path: name)
    if ProcessInfo.processInfo.environment["AIT_UPDATE_GOLDEN"] == "1" {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    let kept = (try? Data(contentsOf: file)).map { String(decoding: $0, as: UTF8.self) }
    guard text != kept else { return }
    let comment = """
      \(name) is not what is generated now; AIT_UPDATE_GOLDEN=1 writes it anew:
      \(difference(from: kept ?? "", to: text))
      """
    Issue.record(Comment(rawValue: comment), sourceLocation: sourceLocation)
  }

  /// The lines that go (-) and come (+), with their neighbours.
  static func difference(from old: String, to new: String) -> String {
    let (before, after) = (lines(old), lines(new))
    var (gone, come): (Set<Int>, Set<Int>) = ([], [])
    for change in after.difference(from: before) {
      switch change {
      case .remove(let offset, _, _): gone.insert(offset)
      case .insert(let offset, _, _): come.insert(offset)
      }
    }
    var all: [(mark: String, line: String)] = []
    var (left, right) = (0, 0)
    while left < before.count || right < after.count {
      if gone.contains(left) {
        all.append(("-", before[left]))
        left += 1
      } else if come.contains(right) || left == before.count {
        all.append(("+", after[right]))
        right += 1
      } else {
        all.append((" ", before[left]))
        (left, right) = (left + 1, right + 1)
      }
    }
    let near = all.indices.filter { index in
      all[max(0, index - 2)...min(all.count - 1, index + 2)].contains { $0.mark != " " }
    }
    return near.map { "\(all[$0].mark) \(all[$0].line)" }.joined(separator: "\n")
  }

  private static func lines(_ text: String) -> [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }
}
