import AITGraph

/// The tensors of a weight file under the names, and in the types, of a model's parameters.
///
/// A parameter takes the tensor of its own name, or else the one whose name is equal once dots are
/// underscores: `layers.0.weight` and `layers_0_weight` are the same, because graphs name parameters
/// the second way. Names are matched after prefixes are removed or added as the options say. Shapes
/// must be equal. Numbers are converted where the types differ, but never to a poorer category:
/// floating point does not become integer.
///
/// Mapping is strict, as in PyTorch: a parameter without a tensor and a tensor without a parameter
/// are errors, and one diagnostic lists all of them, with names that are near.
public struct WeightMapping: Sendable {
  /// How names are matched and what is forgiven.
  public struct Options: Hashable, Sendable {
    /// A prefix taken off the names in the file that have it, such as `module.`.
    public var removedPrefix: String
    /// A prefix put before the names in the file, after the other is taken off.
    public var addedPrefix: String
    /// Whether parameters without a tensor are left out of the result.
    public var allowsMissing: Bool
    /// Whether tensors without a parameter are left unused.
    public var allowsUnexpected: Bool
    /// Parameters that take the tensor of another where they have none of their own, as models with
    /// tied embeddings are often saved: `["lm_head.weight": "embed.weight"]`.
    public var ties: [String: String]
    /// The last parts of names that inference never uses; such tensors are not unexpected.
    public var ignoredParts: Set<String>

    /// Creates options; those given by default are strict.
    public init(
      removedPrefix: String = "",
      addedPrefix: String = "",
      allowsMissing: Bool = false,
      allowsUnexpected: Bool = false,
      ties: [String: String] = [:],
      ignoredParts: Set<String> = ["num_batches_tracked"]
    ) {
      self.removedPrefix = removedPrefix
      self.addedPrefix = addedPrefix
      self.allowsMissing = allowsMissing
      self.allowsUnexpected = allowsUnexpected
      self.ties = ties
      self.ignoredParts = ignoredParts
    }
  }

  /// The tensor of each parameter.
  ///
  /// Parameters that share a tensor in the file, in shape and type, share its bytes here as well,
  /// converted or not.
  public let tensors: [String: TensorData]
  /// Names in the file that no parameter took.
  public let unused: [String]
  /// Parameters some of whose numbers were beyond the range of their new type and became infinite,
  /// or another integer.
  public let overflowing: [String]

  /// Maps the tensors of a file to a model's parameters.
  ///
  /// Costs a look-up for each name, and one pass over the numbers that are converted.
  ///
  /// - Parameters:
  ///   - weights: The tensors of a file.
  ///   - parameters: The names and types of the parameters, all extents known.
  ///   - options: How names are matched and what is forgiven.
  /// - Throws: `weightMismatch` with everything that is missing, unexpected or of another shape or
  ///   category; `duplicateName` where removing the prefix makes two names one.
  public init(
    _ weights: Weights,
    to parameters: [(name: String, type: TensorType)],
    options: Options = Options()
  ) throws(Diagnostic) {
    var matcher = try WeightMatcher(weights, options)
    var report = WeightReport(options)
    var tensors: [String: TensorData] = [:]
    var overflowing: [String] = []
    var conversions: [Conversion: TensorData] = [:]
    for (name, type) in parameters {
      guard let found = matcher.take(name) else {
        report.missing.append((name, type, matcher.unsupportedReason(name)))
        continue
      }
      guard let tensor = weights[found] else { continue }
      if let mismatch = WeightReport.mismatch(name, type, found, tensor) {
        report.mismatched.append(mismatch)
        continue
      }
      let key = Conversion(tensor, type.dtype)
      let result = conversions[key] ?? TensorConversion.convert(tensor, to: type.dtype)
      conversions[key] = result
      if TensorConversion.overflows(tensor, result) { overflowing.append(name) }
      tensors[name] = result
    }
    unused = matcher.unused
    report.unexpected = unused.filter { name in
      !options.ignoredParts.contains(name.split(separator: ".").last.map(String.init) ?? name)
    }
    if let diagnostic = report.diagnostic(weights) { throw diagnostic }
    self.tensors = tensors
    self.overflowing = overflowing
  }

  /// Which bytes were converted to what; equal for tied weights.
  private struct Conversion: Hashable {
    let address: UInt
    let shape: [Int]
    let source: DType
    let target: DType

    init(_ tensor: TensorData, _ target: DType) {
      address = tensor.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
      shape = tensor.shape
      source = tensor.dtype
      self.target = target
    }
  }
}
