/// The tokens of a vocabulary as a tree of bytes, in which the longest token that a text begins with is
/// found in as many steps as it has bytes.
///
/// Bytes, not strings, are compared: two spellings that Unicode calls equivalent are different tokens.
/// Tokens and texts are whole UTF-8, so a match never ends inside a character.
struct VocabularyTrie: Sendable {
  /// A place in the tree.
  typealias Node = Int32

  /// Where every token begins.
  static let root: Node = 0

  /// The node that follows one by a byte; the key is `node · 256 + byte`.
  private var children: [Int: Node] = [:]
  /// The token that ends at each node, or -1.
  private var tokenAtNode: [Int32] = [-1]

  /// Creates a tree of tokens, each known by its place in the list.
  ///
  /// Of equal tokens the last counts, as in a dictionary that is filled line by line.
  init(_ tokens: [String]) {
    children.reserveCapacity(4 * tokens.count)
    for (index, token) in tokens.enumerated() {
      var node = Self.root
      for byte in token.utf8 {
        let key = Self.key(node, byte)
        if let next = children[key] {
          node = next
        } else {
          let next = Node(tokenAtNode.count)
          tokenAtNode.append(-1)
          children[key] = next
          node = next
        }
      }
      tokenAtNode[Int(node)] = Int32(index)
    }
  }

  /// The node that is reached from the root by a text, if some token begins with it.
  func node(after text: String) -> Node? {
    var node = Self.root
    for byte in text.utf8 {
      guard let next = children[Self.key(node, byte)] else { return nil }
      node = next
    }
    return node
  }

  /// The token that is the whole text, if there is one.
  func token(_ text: String) -> Int? {
    guard let node = node(after: text), tokenAtNode[Int(node)] >= 0 else { return nil }
    return Int(tokenAtNode[Int(node)])
  }

  /// The longest token that bytes begin with.
  ///
  /// - Parameters:
  ///   - bytes: a text in UTF-8.
  ///   - node: where the token goes on from: ``root``, or where a prefix that is not in the bytes ends.
  /// - Returns: the token and where the bytes go on after it; nil if there is none.
  func longestMatch(_ bytes: ArraySlice<UInt8>, from node: Node) -> (token: Int, end: Int)? {
    var node = node
    var best: (token: Int, end: Int)?
    for index in bytes.indices {
      guard let next = children[Self.key(node, bytes[index])] else { break }
      node = next
      let token = tokenAtNode[Int(node)]
      if token >= 0 { best = (Int(token), index + 1) }
    }
    return best
  }

  private static func key(_ node: Node, _ byte: UInt8) -> Int { Int(node) << 8 | Int(byte) }
}
