import AITGraph

/// The tensors of a weight file, by name.
///
/// Tensors are views of the mapped file wherever the file stores them densely and aligned, so that
/// opening a file of any size costs the reading of its header; the file stays mapped as long as one
/// of them lives.
public struct Weights: Sendable {
  /// A tensor that is in the file and cannot be used.
  public struct Unsupported: Hashable, Sendable {
    /// The name of the tensor.
    public let name: String
    /// What stands in the way, as a phrase.
    public let reason: String
  }

  /// Something in the file that is no tensor: a number, a setting, an optimiser's state.
  public struct Ignored: Hashable, Sendable {
    /// Where it is: the keys that lead to it, joined by dots.
    public let path: String
    /// What it is, as a phrase.
    public let kind: String
  }

  /// The names of the tensors, in the order of the file.
  public let names: [String]
  /// Free text that the file carries.
  public let metadata: [String: String]
  /// Tensors that cannot be used.
  public let unsupported: [Unsupported]
  /// What the file holds besides tensors.
  public let ignored: [Ignored]
  /// The file the tensors come from, for messages.
  package let location: String?
  private let tensors: [String: TensorData]

  /// Creates weights from tensors.
  ///
  /// - Throws: `duplicateName` for a name used twice.
  public init(
    _ tensors: [(name: String, tensor: TensorData)],
    metadata: [String: String] = [:]
  ) throws(Diagnostic) {
    try self.init(tensors, metadata: metadata, unsupported: [])
  }

  /// Creates weights from what a reader found.
  package init(
    _ tensors: [(name: String, tensor: TensorData)],
    metadata: [String: String] = [:],
    unsupported: [Unsupported],
    ignored: [Ignored] = [],
    location: String? = nil
  ) throws(Diagnostic) {
    var byName: [String: TensorData] = [:]
    byName.reserveCapacity(tensors.count)
    for (name, tensor) in tensors where byName.updateValue(tensor, forKey: name) != nil {
      throw Diagnostic(.duplicateName, "two tensors named \(quoted(name))", at: location)
    }
    self.tensors = byName
    self.metadata = metadata
    self.unsupported = unsupported
    self.ignored = ignored
    self.location = location
    names = tensors.map(\.name)
  }

  /// The number of tensors.
  public var count: Int { names.count }

  /// The tensor of a name; nil if there is none.
  public subscript(name: String) -> TensorData? { tensors[name] }

  /// Returns the tensor of a name.
  ///
  /// - Throws: `unsupportedFormat` if it is in the file but of a kind that cannot be used;
  ///   `unknownName` if it is not.
  public func tensor(named name: String) throws(Diagnostic) -> TensorData {
    if let tensor = tensors[name] { return tensor }
    if let entry = unsupported.first(where: { $0.name == name }) {
      throw Diagnostic(
        .unsupportedFormat,
        "tensor \(quoted(name)) cannot be used: \(entry.reason)",
        at: location,
        hint: ElementType.advice
      )
    }
    // Distances to thousands of names would take seconds.
    let near = Identifier.nearest(to: name, among: names.prefix(1000))
    throw Diagnostic(
      .unknownName,
      "no tensor \(quoted(name)) among \(count)",
      at: location,
      hint: near.isEmpty
        ? nil : "did you mean \(near.map { quoted($0) }.joined(separator: ", "))?"
    )
  }
}
