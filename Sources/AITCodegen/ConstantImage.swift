import AITGraph
import AITKernels
import AITPlan

/// The data of constants and folded values as one object for the linker, and the tables that point
/// into it.
package struct ConstantImage: Sendable {
  /// A part of the file.
  package enum Part: Sendable {
    case tensor(TensorData)
    case padding(Int)
  }

  /// The alignment of every value: a cache line, and what kernels assume of packed weights.
  package static let alignment = 64

  /// The parts of the file in order.
  package private(set) var parts: [Part] = []
  package private(set) var sizeInBytes = 0
  private var constantOffsets: [Int: Int] = [:]
  private var foldedOffsets: [Int: Int] = [:]
  private var selfTest: SelfTest?

  /// An input/output pair with which the library checks itself.
  package struct SelfTest: Sendable {
    package var symbols: [Int]
    package var inputs: [TensorData]
    package var outputs: [TensorData]
    package var tolerances: [Double]

    package init(
      symbols: [Int],
      inputs: [TensorData],
      outputs: [TensorData],
      tolerances: [Double]
    ) {
      self.symbols = symbols
      self.inputs = inputs
      self.outputs = outputs
      self.tolerances = tolerances
    }
  }

  private var selfTestOffsets: (inputs: [Int], outputs: [Int]) = ([], [])

  /// Lays out constants and folded values by position; those absent are left to the run time.
  package init(
    constants: [Int: TensorData],
    folded: [Int: TensorData],
    selfTest: SelfTest? = nil
  ) {
    for index in constants.keys.sorted() {
      if let data = constants[index] { constantOffsets[index] = append(data) }
    }
    for index in folded.keys.sorted() {
      if let data = folded[index] { foldedOffsets[index] = append(data) }
    }
    self.selfTest = selfTest
    if let selfTest {
      selfTestOffsets.inputs = selfTest.inputs.map { append($0) }
      selfTestOffsets.outputs = selfTest.outputs.map { append($0) }
    }
  }

  /// Whether there is nothing to place.
  package var isEmpty: Bool { sizeInBytes == 0 }

  private mutating func append(_ data: TensorData) -> Int {
    let padding = (Self.alignment - sizeInBytes % Self.alignment) % Self.alignment
    if padding > 0 { parts.append(.padding(padding)) }
    let offset = sizeInBytes + padding
    parts.append(.tensor(data))
    sizeInBytes = offset + data.sizeInBytes
    return offset
  }

  /// The text of `constants.h`, which the model's tables include.
  package static let header = """
    // The constants of the model. Generated.
    #pragma once

    #include "ait/model_description.h"

    namespace ait::generated {
    extern const ConstantDescription constants[];
    extern const FoldedDescription folded[];
    extern const SelfTestDescription* const selfTest;
    }  // namespace ait::generated

    """

  /// The text of `constants.cpp`.
  ///
  /// With `asUnbound`, every constant is left to be set by name: for the library that folds.
  package func tables(_ plan: Plan, asUnbound: Bool = false) -> String {
    var writer = CodeWriter()
    writer.line("// The constants of \(plan.graph.name), and where their data lies. Generated.")
    writer.line("#include \"constants.h\"")
    writer.line()
    if !isEmpty {
      writer.line(
        "extern \"C\" __attribute__((visibility(\"hidden\"))) const unsigned char aitImage[];"
      )
      writer.line()
    }
    writer.line("namespace {")
    writer.line()
    for (index, constant) in plan.constants.enumerated() where constant.type.rank > 0 {
      let extents = (constant.type.shape.constants ?? []).map(String.init).joined(separator: ", ")
      writer.line("const int64_t shape\(index)[] = {\(extents)};")
    }
    writeSelfTest(&writer)
    writer.line()
    writer.line("}  // namespace")
    writer.line()
    writer.line("namespace ait::generated {")
    writer.line()
    // Arrays of no entries are not C++; one that is never read takes their place.
    writer.block("const ConstantDescription constants[] = {", "};") { writer in
      for (index, constant) in plan.constants.enumerated() {
        let isBound = constant.constant.data != nil && !asUnbound
        writer.line("{\(fields(index, constant, isBound: isBound).joined(separator: ", "))},")
      }
      if plan.constants.isEmpty { writer.line("{}") }
    }
    writer.block("const FoldedDescription folded[] = {", "};") { writer in
      for (index, value) in plan.folded.enumerated() {
        writer.line("{\(value.sizeInBytes), \(pointer(foldedOffsets[index]))},  // \(value.name)")
      }
      if plan.folded.isEmpty { writer.line("{}") }
    }
    writer.line(
      "const SelfTestDescription* const selfTest = \(selfTest == nil ? "nullptr" : "&selfTestTable");"
    )
    writer.line()
    writer.line("}  // namespace ait::generated")
    return writer.output
  }

  private func fields(_ index: Int, _ constant: Plan.Constant, isBound: Bool) -> [String] {
    let type = constant.type
    let dtype = type.dtype == .bool ? "boolean" : type.dtype.rawValue
    return [
      Cxx.string(constant.name),
      // Literals of the program are not offered by name.
      constant.constant.isNamed ? Cxx.string(constant.constant.originalName) : "\"\"",
      "DType::\(dtype)", "\(type.rank)", type.rank == 0 ? "nullptr" : "shape\(index)",
      "\(type.sizeInBytes.constant ?? 0)", pointer(constantOffsets[index]),
      isBound ? "true" : "false", constant.isFoldingInput ? "true" : "false",
    ]
  }

  private func pointer(_ offset: Int?) -> String {
    guard let offset else { return "nullptr" }
    // Where all tensors are empty there is no image; nothing is read of them.
    return isEmpty ? "\"\"" : "aitImage + \(offset)"
  }

  private func writeSelfTest(_ writer: inout CodeWriter) {
    guard let selfTest else { return }
    func list(_ texts: [String]) -> String { texts.isEmpty ? "{}" : texts.joined(separator: ", ") }
    writer.line("const int64_t selfTestSymbols[] = {\(list(selfTest.symbols.map(String.init)))};")
    writer.line(
      "const void* const selfTestInputs[] = {\(list(selfTestOffsets.inputs.map { pointer($0) }))};"
    )
    writer.line(
      "const void* const selfTestOutputs[] = {\(list(selfTestOffsets.outputs.map { pointer($0) }))};"
    )
    writer.line(
      "const double selfTestTolerances[] = {\(list(selfTest.tolerances.map { "\($0)" }))};"
    )
    writer.line(
      "const ait::SelfTestDescription selfTestTable = {selfTestSymbols, selfTestInputs, "
        + "selfTestOutputs, selfTestTolerances};"
    )
  }

  /// The object that holds the file's parts for the linker.
  package func object(_ architecture: DataObject.Architecture) -> DataObject {
    DataObject(symbol: "aitImage", sizeInBytes: sizeInBytes, architecture: architecture)
  }
}
