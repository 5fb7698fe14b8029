import AITGraph

/// Finds names of a file for names of a model, and keeps count of what was taken.
struct WeightMatcher {
  private let names: [String]
  private let options: WeightMapping.Options
  /// Names in the file by the names they go under.
  private var byName: [String: String] = [:]
  /// Names in the file by the same with underscores; nil where two would be the same.
  private var byUnderscores: [String: String?] = [:]
  private var unsupported: [String: String] = [:]
  private var taken: Set<String> = []

  init(_ weights: Weights, _ options: WeightMapping.Options) throws(Diagnostic) {
    names = weights.names
    self.options = options
    for found in names {
      let name = Self.renamed(found, options)
      if let other = byName.updateValue(found, forKey: name) {
        throw Diagnostic(
          .duplicateName,
          "\(quoted(other)) and \(quoted(found)) are the same without the prefix "
            + quoted(options.removedPrefix),
          at: weights.location,
          hint: "leave the prefix, or name the keys that lead to one of them"
        )
      }
      let key = Self.underscored(name)
      byUnderscores[key] = .some(byUnderscores[key] == nil ? found : nil)
    }
    for entry in weights.unsupported {
      unsupported[Self.underscored(Self.renamed(entry.name, options))] = entry.reason
    }
  }

  /// Returns the name in the file that serves a parameter; nil if there is none.
  mutating func take(_ name: String) -> String? {
    guard let found = find(name) ?? options.ties[name].flatMap({ find($0) }) else { return nil }
    taken.insert(found)
    return found
  }

  private func find(_ name: String) -> String? {
    byName[name] ?? (byUnderscores[Self.underscored(name)] ?? nil)
  }

  /// Why the tensor of a parameter cannot be used, if it is in the file after all.
  func unsupportedReason(_ name: String) -> String? { unsupported[Self.underscored(name)] }

  /// Names that no parameter took, in the order of the file.
  var unused: [String] { names.filter { !taken.contains($0) } }

  private static func renamed(_ name: String, _ options: WeightMapping.Options) -> String {
    let hasPrefix = !options.removedPrefix.isEmpty && name.hasPrefix(options.removedPrefix)
    return options.addedPrefix
      + (hasPrefix ? String(name.dropFirst(options.removedPrefix.count)) : name)
  }

  /// Returns a name with underscores for dots.
  static func underscored(_ name: String) -> String {
    String(
      decoding: name.utf8.map { $0 == UInt8(ascii: ".") ? UInt8(ascii: "_") : $0 },
      as: UTF8.self
    )
  }
}
