import AITBuild
import AITGraph
import AITKernels
import AITLoader

/// Measures what was prepared in a folder.
package struct TuningSession: Sendable {
  private let folder: String
  private let prepared: PreparedTuning

  /// Reads what was prepared.
  ///
  /// - Throws: `unreadableFile` if nothing was, `unsupportedFormat`, `corruptFile`.
  package init(folder: String) throws(Diagnostic) {
    let path = "\(folder)/\(PreparedTuning.fileName)"
    guard let text = FileSystem.read(path) else {
      throw Diagnostic(
        .unreadableFile,
        "nothing is prepared here",
        at: path,
        hint: "`ait tune prepare FOLDER GRAPH` builds the candidates of a graph's products"
      )
    }
    self.init(try PreparedTuning(text, from: path), in: folder)
  }

  package init(_ prepared: PreparedTuning, in folder: String) {
    self.prepared = prepared
    self.folder = folder
  }

  /// Measures all candidates, as far as the time goes.
  ///
  /// - Parameters:
  ///   - seconds: the time for all problems.
  ///   - progress: called before each problem, with its number, from 1, and how many there are.
  /// - Returns: the measurements, and what to tell of them: also of what ended them early, such as a
  ///   kernel that failed, after which the device runs nothing in this process.
  /// - Throws: `invalidOption` where there is no GPU.
  package func measure(
    seconds: Double,
    progress: (_ number: Int, _ count: Int) -> Void = { _, _ in }
  ) throws(Diagnostic) -> (record: TuningRecord, report: TuningReport) {
    let device = try TuningDevice.find()
    let clock = ContinuousClock()
    let start = clock.now
    let tuner = Tuner(seconds: seconds) {
      let (whole, fraction) = (clock.now - start).components
      return Double(whole) + Double(fraction) * 1e-18
    }
    var record = TuningRecord()
    var report = TuningReport()
    for (index, problem) in prepared.problems.enumerated() {
      // An emulated device is what each library asks for.
      guard EmulatedDriver.isLoaded || problem.architecture.runs(onCapability: device.capability)
      else {
        report.refuse(problem)
        continue
      }
      guard tuner.hasTime else {
        report.skip(problem)
        continue
      }
      progress(index + 1, prepared.problems.count)
      do throws(Diagnostic) {
        let runner = try LibraryRunner(contentsOf: "\(folder)/\(problem.library)")
        let measurements = try tuner.measure(problem.candidates, by: runner)
        let origin = TuningRecord.Origin(
          gpu: runner.device,
          driver: device.driver,
          toolchain: prepared.toolchain,
          templates: prepared.templates
        )
        record.add(measurements, of: problem, from: origin)
        report.add(problem, measurements)
      } catch {
        report.end(error)
        break
      }
    }
    return (record, report)
  }
}
