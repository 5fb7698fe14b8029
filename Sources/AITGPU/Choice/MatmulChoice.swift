import AITGraph
import AITKernels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Which kernels a product gets, and up to how many rows each.
///
/// Kernels are compared at several numbers of rows. The range is cut where another kernel begins to
/// pay: the cuts that lose least against the best kernel everywhere, each further kernel costing what
/// its compilation is worth (dynamic programming over the points; quadratic in them).
struct MatmulChoice: Sendable {
  /// Numbers of rows that one kernel serves: those up to a bound, beyond the part before.
  struct Part: Sendable {
    let rows: Int
    let candidate: MatmulCandidate
    /// What the candidate takes at the bound, and whether that was measured.
    let seconds: Double
    let isMeasured: Bool
    /// The best of the others there.
    let runnerUp: (candidate: MatmulCandidate, seconds: Double)?
  }

  let parts: [Part]

  /// The most kernels of a product for one architecture: each takes a second to compile.
  static let limit = 4
  /// How many candidates of one tile are worth measuring.
  private static let alike = 2
  /// What a further kernel must save: the share of the time, summed over doublings of the rows.
  private static let price = 0.06

  /// Chooses by the model, or by what was measured where the record has it.
  ///
  /// - Parameters:
  ///   - task: the product.
  ///   - facts: the GPU.
  ///   - measured: what was measured on it.
  ///   - limit: the most kernels.
  init(
    _ task: MatmulTask,
    on facts: DeviceFacts,
    measured: MatmulMeasurements = MatmulMeasurements(),
    limit: Int = MatmulChoice.limit
  ) {
    let candidates = MatmulCandidates.all(for: task, on: facts).filter { !measured.rejects($0) }
    let points = task.points
    let model = MatmulModel(task: task, facts: facts)
    let times = MatmulTimes(candidates, points, task, model, measured)
    var prefixes = candidates.map { _ in [0.0] }
    for (index, rows) in points.enumerated() {
      let best = candidates.indices.map { times[$0, index] }.min() ?? 0
      let before = index == 0 ? max(1, task.extents.rows.range.lowerBound) : points[index - 1]
      // Bounds are mostly near what is used, and powers of two are what is used most.
      let share = pow(Double(rows) / Double(points[points.count - 1]), 0.7)
      let width = index == 0 ? 1 : log2(Double(rows) / Double(before))
      let weight = share * (width + (rows & (rows - 1) == 0 ? 0.5 : 0))
      for candidate in candidates.indices {
        let loss = min(times[candidate, index] / best - 1, 1e3)
        // Much at one size is worse than little at many.
        prefixes[candidate].append(prefixes[candidate][index] + weight * loss * (1 + 2 * loss))
      }
    }
    // Only what is among the best somewhere can be chosen.
    let kept = candidates.indices.filter { candidate in
      points.indices.contains { index in
        prefixes[candidate][index + 1] - prefixes[candidate][index] < 0.5
      }
    }
    let cuts = Self.cuts(points.count, limit) { from, to in
      var best = (candidate: kept[0], loss: Double.infinity)
      for candidate in kept {
        let loss = prefixes[candidate][to] - prefixes[candidate][from]
        if loss < best.loss - 1e-9 { best = (candidate, loss) }
      }
      return best
    }
    parts = cuts.map { end, candidate in
      let others = candidates.indices.filter { $0 != candidate }
        .min { times[$0, end - 1] < times[$1, end - 1] }
      return Part(
        rows: points[end - 1],
        candidate: candidates[candidate],
        seconds: times[candidate, end - 1],
        isMeasured: times.isMeasured(end - 1),
        runnerUp: others.map { (candidates[$0], times[$0, end - 1]) }
      )
    }
  }

  /// The ends of the parts and the candidate of each.
  private static func cuts(
    _ count: Int,
    _ limit: Int,
    _ best: (_ from: Int, _ to: Int) -> (candidate: Int, loss: Double)
  ) -> [(end: Int, candidate: Int)] {
    struct Solution {
      var loss: Double
      var parts: [(end: Int, candidate: Int)]
    }
    var segments: [[(candidate: Int, loss: Double)]] = []
    for from in 0..<count { segments.append((from + 1...count).map { best(from, $0) }) }
    var solutions: [Solution?] = [Solution(loss: 0, parts: [])]
    solutions += Array(repeating: nil, count: count)
    var answer: Solution?
    for _ in 1...limit {
      var next: [Solution?] = Array(repeating: nil, count: count + 1)
      for from in 0..<count {
        guard let before = solutions[from] else { continue }
        for to in from + 1...count {
          let segment = segments[from][to - from - 1]
          let loss = before.loss + segment.loss + price
          if loss < (next[to]?.loss ?? .infinity) - 1e-9 {
            next[to] = Solution(loss: loss, parts: before.parts + [(to, segment.candidate)])
          }
        }
      }
      if let whole = next[count], whole.loss < (answer?.loss ?? .infinity) - 1e-9 {
        answer = whole
      }
      solutions = next
    }
    return answer?.parts ?? []
  }

  /// The candidates that are expected to be fastest at a number of rows, best first.
  static func best(_ count: Int, _ task: MatmulTask, on facts: DeviceFacts, rows: Int)
    -> [(candidate: MatmulCandidate, seconds: Double)]
  {
    let model = MatmulModel(task: task, facts: facts)
    let size = task.size(rows: rows)
    let all = MatmulCandidates.all(for: task, on: facts).enumerated()
      .filter { MatmulCandidates.takes($0.element, rows: rows, of: task) }
      .map { (index: $0.offset, candidate: $0.element, seconds: model.seconds($0.element, size)) }
      .sorted { ($0.seconds, $0.index) < ($1.seconds, $1.index) }
    return all.prefix(count).map { ($0.candidate, $0.seconds) }
  }

  /// The candidates that are worth measuring at a number of rows, the best first: a few of each tile,
  /// as the model knows tiles better than what becomes of them.
  static func worthMeasuring(_ count: Int, _ task: MatmulTask, on facts: DeviceFacts, rows: Int)
    -> [(candidate: MatmulCandidate, seconds: Double)]
  {
    var seen: [[Int]: Int] = [:]
    let varied = best(.max, task, on: facts, rows: rows).filter { candidate, _ in
      seen[candidate.tile, default: 0] += 1
      return seen[candidate.tile, default: 0] <= alike
    }
    return Array(varied.prefix(count))
  }
}

/// What was measured of a product, by the number of rows.
struct MatmulMeasurements: Sendable {
  /// Seconds of each candidate; infinite for one whose results were wrong.
  var byRows: [Int: [MatmulCandidate: Double]] = [:]

  /// Whether a candidate's results were wrong anywhere.
  func rejects(_ candidate: MatmulCandidate) -> Bool {
    byRows.values.contains { $0[candidate]?.isInfinite ?? false }
  }
}

/// Seconds of every candidate at every point: as the model has them, put right by measurements.
private struct MatmulTimes {
  private var seconds: [[Double]]
  private var measuredPoints: Set<Int> = []

  init(
    _ candidates: [MatmulCandidate],
    _ points: [Int],
    _ task: MatmulTask,
    _ model: MatmulModel,
    _ measured: MatmulMeasurements
  ) {
    let sizes = points.map { task.size(rows: $0) }
    let places = measured.byRows.keys.sorted()
    seconds = candidates.map { candidate in
      zip(points, sizes).map { rows, size in
        guard MatmulCandidates.takes(candidate, rows: rows, of: task) else { return .infinity }
        return model.seconds(candidate, size)
          * Self.correction(candidate, rows, task, model, measured, places)
      }
    }
    measuredPoints = Set(points.indices.filter { measured.byRows[points[$0]] != nil })
  }

  subscript(candidate: Int, point: Int) -> Double { seconds[candidate][point] }

  func isMeasured(_ point: Int) -> Bool { measuredPoints.contains(point) }

  /// What a candidate that was not measured where others were is handicapped by: it was expected to
  /// be slower than they.
  private static let handicap = 1.25

  /// By how much the model is wrong for a candidate, where it was measured nearest; for one that was
  /// not measured there, by how much it is wrong at most for those that were, with a handicap.
  private static func correction(
    _ candidate: MatmulCandidate,
    _ rows: Int,
    _ task: MatmulTask,
    _ model: MatmulModel,
    _ measured: MatmulMeasurements,
    _ places: [Int]
  ) -> Double {
    let eligible = places.filter { MatmulCandidates.takes(candidate, rows: $0, of: task) }
    guard
      let nearest = eligible.min(by: {
        abs(log2(Double($0) / Double(rows))) < abs(log2(Double($1) / Double(rows)))
      })
    else { return 1 }
    let size = task.size(rows: nearest)
    let times = measured.byRows[nearest] ?? [:]
    if let time = times[candidate] { return time / model.seconds(candidate, size) }
    let ratios = times.filter { $0.value.isFinite }.map { $0.value / model.seconds($0.key, size) }
    return ratios.max().map { handicap * $0 } ?? 1
  }
}
