import AITKernels
import Testing

/// Which kernels are one.
@Suite struct KernelSourceTests {
  static func source(_ statement: String, configuration: String) -> KernelSource {
    KernelSource(
      stem: "copy_float32",
      headers: ["ait/cpu/movement.h"],
      definitions: "",
      statement: statement,
      configuration: configuration
    )
  }

  @Test func kernelsOfOneTextAreOne() {
    // Two definitions of one name would not link.
    let a = Self.source("copy(context);", configuration: "by rows")
    let b = Self.source("copy(context);", configuration: "by columns")
    #expect(a.functionName == b.functionName)
    #expect(Set([a, b]).count == 1)
  }

  @Test func kernelsOfTwoTextsAreTwo() {
    let a = Self.source("copy(context);", configuration: "by rows")
    let b = Self.source("copyColumns(context);", configuration: "by rows")
    #expect(a.functionName != b.functionName)
    #expect(Set([a, b]).count == 2)
  }
}
