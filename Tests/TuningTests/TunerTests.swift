import AITGraph
import AITKernels
import AITProfile
import Testing

/// The tuner's decisions, with a clock and candidates that are made up.
@Suite struct TunerTests {
  /// Candidates whose times and results are known; each measurement takes its time of the clock.
  private final class Runner: CandidateRunner {
    let times: [Double]
    var wrong: Set<Int> = []
    var different: Set<Int> = []
    var failsAt: Int?
    private(set) var measurements: [Int] = []
    var now = 0.0

    init(_ times: [Double]) { self.times = times }

    func results(of number: Int) throws(Diagnostic) -> [TensorData] {
      if number == failsAt { throw Diagnostic(.runFailed, "the device is lost") }
      now += 0.1
      let value: Float = wrong.contains(number) ? -1 : different.contains(number) ? 2 : 1
      return [TensorData([value, 1], shape: [2])]
    }

    func seconds(of number: Int) throws(Diagnostic) -> Double {
      measurements.append(number)
      now += 0.1
      return times[number - 1]
    }

    func fault(of results: [TensorData]) throws(Diagnostic) -> String? {
      results[0].doubles[0] < 0 ? "element 0 is -1, expected 1" : nil
    }
  }

  private static func candidates(_ count: Int) -> [KernelChoice.Candidate] {
    (1...count).map { .init(configuration: "c\($0)", label: "candidate \($0)", seconds: 1e-6) }
  }

  private static func tune(_ runner: Runner, seconds: Double = 1000) throws -> [Tuner.Measurement] {
    try Tuner(seconds: seconds) { runner.now }.measure(candidates(runner.times.count), by: runner)
  }

  @Test("Every candidate has its time")
  func times() throws {
    let found = try Self.tune(Runner([3e-6, 1e-6, 2e-6]))
    #expect(found.map(\.candidate.configuration) == ["c1", "c2", "c3"])
    #expect(found.map(\.outcome) == [3000, 1000, 2000].map { .nanoseconds($0) })
  }

  @Test("A fast candidate with wrong results is rejected, and not measured")
  func wrong() throws {
    let runner = Runner([3e-6, 1e-9, 2e-6])
    runner.wrong = [2]
    let found = try Self.tune(runner)
    #expect(found[1].outcome == .rejected)
    #expect(found[1].fault == "element 0 is -1, expected 1")
    #expect(!runner.measurements.contains(2))
    #expect(found[2].outcome == .nanoseconds(2000))
  }

  @Test("A candidate that differs where no sample was taken is rejected, too")
  func different() throws {
    let runner = Runner([3e-6, 1e-9])
    runner.different = [2]
    let found = try Self.tune(runner)
    #expect(found[0].outcome == .nanoseconds(3000))
    #expect(found[1].outcome == .rejected)
    #expect(found[1].fault?.hasPrefix("differs from candidate 1") == true)
  }

  @Test("A first candidate that is wrong does not condemn the others")
  func wrongFirst() throws {
    let runner = Runner([1e-9, 2e-6, 3e-6])
    runner.wrong = [1]
    let found = try Self.tune(runner)
    #expect(found.map(\.outcome) == [.rejected, .nanoseconds(2000), .nanoseconds(3000)])
  }

  @Test("A candidate that takes much longer than the best is measured once")
  func hopeless() throws {
    let runner = Runner([1e-6, 5e-6, 1.1e-6])
    _ = try Self.tune(runner)
    #expect(runner.measurements.count { $0 == 2 } == 1)
    #expect(runner.measurements.count { $0 == 3 } > 1)
  }

  @Test("The time is kept: candidates that it does not suffice for are left out")
  func budget() throws {
    let runner = Runner([1e-6, 1e-6, 1e-6, 1e-6])
    let found = try Self.tune(runner, seconds: 1)
    #expect(!found.isEmpty && found.count < 4)
    #expect(runner.now < 1.5)
    let none = try Self.tune(Runner([1e-6]), seconds: 0)
    #expect(none.isEmpty)
  }

  @Test("A device that fails ends it")
  func failure() throws {
    let runner = Runner([1e-6, 1e-6])
    runner.failsAt = 2
    #expect { try Self.tune(runner) } throws: { ($0 as? Diagnostic)?.identity == .runFailed }
  }

  @Test("The table has the fastest first, and marks what was expected to be")
  func report() throws {
    let runner = Runner([3e-6, 1e-6, 2e-6])
    runner.wrong = [3]
    let problem = PreparedTuning.Problem(
      library: "l.so",
      architecture: .sm90a,
      text: "p",
      candidates: Self.candidates(3)
    )
    var report = TuningReport()
    report.add(problem, try Self.tune(runner))
    let rows = report.rows
    #expect(rows.map(\.count) == [5, 5, 5, 5, 5])
    #expect(rows[1][4] == "sm_90a p")
    #expect(rows[2] == ["1.0", "1.0", "1.00", "", "candidate 2"])
    #expect(rows[3] == ["1.0", "3.0", "3.00", "<", "candidate 1"])
    #expect(rows[4] == ["1.0", "wrong", "", "", "candidate 3: element 0 is -1, expected 1"])
  }
}
