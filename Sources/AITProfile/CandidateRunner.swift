import AITGraph

/// Runs the candidates of a problem, by their numbers, which begin with 1.
package protocol CandidateRunner {
  /// The results of one run, written over memory that held nothing like them.
  func results(of number: Int) throws(Diagnostic) -> [TensorData]

  /// Seconds of a launch: one measurement.
  func seconds(of number: Int) throws(Diagnostic) -> Double

  /// What is wrong with results, by an independent computation of some of them; nil if nothing is.
  func fault(of results: [TensorData]) throws(Diagnostic) -> String?
}
