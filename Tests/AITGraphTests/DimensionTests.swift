import AITGraph
import Testing

@Suite struct DimensionTests {
  @Test func equalPolynomialsAreEqual() {
    let (B, S) = (Dimension.symbol("B", 1...8), Dimension.symbol("S", 1...512))
    #expect(2 * B * S / 2 == B * S)
  }
}
