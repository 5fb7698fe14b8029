import AITOperators

// What kernels of running results are told on every target.
extension Scan {
  /// The preludes' type that elements meet by.
  package var kernelName: String {
    switch kind {
    case .sum: "SumScan"
    case .product: "ProductScan"
    case .maximum: "MaximumScan"
    case .minimum: "MinimumScan"
    }
  }
}
