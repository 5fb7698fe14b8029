import AITFacade
import AITGraph
import AITReference
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

@Suite("Images and boxes by AITemplate's names")
struct ImageEntryTests {
  let batch = Dimension.symbol("batch", 1...4)

  @Test("maxima and averages over windows")
  func pools() throws {
    let entry = Entry()
    let (x, X) = entry.random([2, 5, 6, 3], as: [batch, 5, 6, 3])
    func window(_ i: [Int]) -> [Double] {
      (0..<9).compactMap { tap in
        let (row, column) = (2 * i[1] + tap / 3 - 1, 2 * i[2] + tap % 3 - 1)
        guard (0..<5).contains(row), (0..<6).contains(column) else { return nil }
        return X[i[0], row, column, i[3]]
      }
    }
    let arguments: [String: FacadeArgument] = [
      "kernel_size": .integer(3), "stride": .integer(2), "pad": .integer(1), "x": x,
    ]
    try entry.check(
      "max_pool2d",
      arguments,
      Numbers([2, 3, 3, 3]) { window($0).max() ?? 0 }
    )
    try entry.check(
      "avg_pool2d",
      arguments,
      Numbers([2, 3, 3, 3]) { window($0).reduce(0, +) / 9 }
    )
    expectDiagnostic(
      .rankMismatch,
      "max_pool2d",
      arguments.merging(["x": typed("x", [5, 6, 3])]) { $1 }
    )
  }

  @Test("more rows and columns")
  func upsampling() throws {
    let entry = Entry()
    let (x, X) = entry.random([2, 3, 4, 2], as: [batch, 3, 4, 2])
    let (r, R) = entry.random([2, 6, 8, 2], as: [batch, 6, 8, 2])
    func nearest(_ i: [Int]) -> Double { X[i[0], i[1] / 2, i[2] / 2, i[3]] }
    func bilinear(_ i: [Int]) -> Double {
      func parts(_ position: Int, _ extent: Int) -> [(Int, Double)] {
        let place = max((Double(position) + 0.5) / 2 - 0.5, 0)
        let first = Int(place)
        let share = place - Double(first)
        return [(first, 1 - share), (min(first + 1, extent - 1), share)]
      }
      return parts(i[1], 3).reduce(0) { sum, row in
        sum + parts(i[2], 4).reduce(0) { $0 + row.1 * $1.1 * X[i[0], row.0, $1.0, i[3]] }
      }
    }
    for (mode, function) in [("nearest", nearest), ("bilinear", bilinear)] {
      let arguments: [String: FacadeArgument] = [
        "scale_factor": .float(2), "mode": .string(mode), "x": x,
      ]
      try entry.check("upsampling2d", arguments, Numbers([2, 6, 8, 2], function))
      try entry.check(
        "upsampling2d_add",
        arguments.merging(["r": r]) { $1 },
        Numbers([2, 6, 8, 2]) { function($0) + R[$0] }
      )
    }
    expectDiagnostic(
      .invalidArgument,
      "upsampling2d",
      ["scale_factor": .float(2), "mode": .string("area"), "x": x]
    )
  }

  @Test("the largest elements and their positions")
  func topK() throws {
    let entry = Entry()
    let (x, X) = entry.random([3, 6], as: [batch, 6])
    let results = try entry.run("topk", ["k": .integer(2), "x": x])
    func order(_ row: Int) -> [Int] { (0..<6).sorted { X[row, $0] > X[row, $1] } }
    #expect(results.count == 2)
    Entry.compare(results[0], Numbers([3, 2]) { i in X[i[0], order(i[0])[i[1]]] })
    Entry.compare(results[1], Numbers([3, 2]) { i in Double(order(i[0])[i[1]]) }, .int64)
  }

  // MARK: - Boxes

  /// Boxes of which the second overlaps the first, the fourth is small, the fifth stands alone.
  static let boxes: [[Double]] = [
    [0, 0, 10, 10], [1, 0, 11, 10], [20, 20, 30, 30], [50, 50, 51, 52], [70, 0, 90, 20],
  ]
  static let scores = [0.9, 0.8, 0.3, 0.7, 0.5]

  private func input(_ entry: Entry, _ rows: [[Double]], _ shape: [Int]) -> FacadeArgument {
    entry.input(TensorData(.float32, shape, rows.flatMap { $0 })).0
  }

  @Test("the best of boxes that overlap")
  func suppression() throws {
    let entry = Entry()
    let boxes = input(entry, Self.boxes + Self.boxes, [2, 5, 4])
    let scores = input(entry, [Self.scores, Self.scores.reversed()], [2, 5])
    // In the second batch the scores are 0.5, 0.7, 0.3, 0.8, 0.9.
    let kept = [[0, 4, 2, -1], [4, 1, 2, -1]]
    try entry.check(
      "nms",
      [
        "nmsMaxOut": .integer(4), "minBoxSize": .integer(2), "x": boxes, "scores": scores,
      ],
      Numbers([2, 4, 4]) { i in
        let box = kept[i[0]][i[1]]
        return box < 0 ? 0 : Self.boxes[box][i[2]]
      }
    )
    expectDiagnostic(
      .shapeMismatch,
      "nms",
      ["x": boxes, "scores": typed("s", [2, 4])]
    )
  }

  @Test("which of boxes in order are kept")
  func mask() throws {
    let entry = Entry()
    let boxes = input(entry, Self.boxes, [5, 4])
    let kept: [[Double]] = [[1, 0, 1, 1, 1], [1, 0, 1, 0, 0]]
    for (index, most) in [-1, 2].enumerated() {
      try entry.check(
        "batched_nms",
        ["iou_threshold": .float(0.5), "keep_n": .integer(most), "x": boxes],
        Numbers([5]) { kept[index][$0[0]] },
        .int64
      )
    }
  }

  @Test("the best boxes of several classes")
  func detections() throws {
    let entry = Entry()
    // Two classes with the same boxes; [N, C, 4].
    let boxes = input(entry, Self.boxes.flatMap { [$0, $0] }, [1, 5, 2, 4])
    let second = [0.1, 0.95, 0.2, 0.99, 0.4]
    let scores = input(entry, zip(Self.scores, second).map { [$0, $1] }, [1, 5, 2])
    let arguments: [String: FacadeArgument] = [
      "nmsMaxOut": .integer(7), "minBoxSize": .integer(2), "boxes": boxes, "scores": scores,
    ]
    // Best first: class 1 has 1, 4, 2; class 0 has 0, 4, 2.
    let found = [(1, 1), (0, 0), (0, 4), (1, 4), (0, 2), (1, 2)]
    func check(_ results: [TensorData], _ count: Int) {
      #expect(results.count == 4)
      Entry.compare(results[0], Numbers([1, 1]) { _ in Double(count) }, .int64)
      Entry.compare(
        results[1],
        Numbers([1, 7, 4]) { i in i[1] < count ? Self.boxes[found[i[1]].1][i[2]] : 0 }
      )
      Entry.compare(
        results[2],
        Numbers([1, 7]) { i in
          guard i[1] < count else { return 0 }
          let (kind, box) = found[i[1]]
          return (kind == 0 ? Self.scores : second)[box]
        }
      )
      Entry.compare(
        results[3],
        Numbers([1, 7]) { i in i[1] < count ? Double(found[i[1]].0) : 0 },
        .int64
      )
    }
    check(try entry.run("efficient_nms", arguments), 6)
    // Of the four best, 1 of class 0 goes to 0 of it: scores 0.95, 0.9, 0.8, 0.5.
    check(
      try entry.run("efficient_nms", arguments.merging(["preNmsTop": .integer(4)]) { $1 }),
      3
    )
  }

  @Test("what lies in regions of images, of one level and of a pyramid")
  func regions() throws {
    let entry = Entry()
    // Linear images: what is interpolated is known.
    func image(_ scale: Int, _ offset: Double) -> (FacadeArgument, Numbers) {
      let side = 512 / scale
      let numbers = Numbers([1, side, side, 1]) { i in
        offset + Double(i[1] + 2 * i[2]) * Double(scale)
      }
      return entry.input(TensorData(.float32, numbers.shape, numbers.elements))
    }
    let levels = [4, 8, 16, 32].enumerated().map { image($1, Double($0) * 10_000).0 }
    let rows: [[Double]] = [
      [0, 40, 60, 104, 124], [0, 40, 60, 168, 188], [0, 40, 60, 296, 316], [0, 20, 30, 484, 494],
    ]
    let regions = input(entry, rows, [4, 5])
    let attributes: [String: FacadeArgument] = [
      "num_rois": .integer(4), "pooled_size": .integer(2), "sampling_ratio": .integer(2),
      "spatial_scale": .float(0.25), "position_sensitive": .bool(false),
      "continuous_coordinate": .bool(true), "rois": regions,
    ]
    // The mean over a bin of a linear function is its value in the middle, half an element up left.
    func value(_ i: [Int], _ scale: Double) -> Double {
      let box = rows[i[0]]
      func middle(_ low: Double, _ high: Double, _ bin: Int) -> Double {
        low + (high - low) * (Double(bin) + 0.5) / 2 - scale / 2
      }
      return middle(box[2], box[4], i[1]) + 2 * middle(box[1], box[3], i[2])
    }
    try entry.check(
      "roi_align",
      attributes.merging(["x": levels[0]]) { $1 },
      Numbers([4, 2, 2, 1]) { value($0, 4) },
      tolerance: 1e-4
    )
    let level = [0, 1, 2, 3]
    try entry.check(
      "multi_level_roi_align",
      attributes.merging([
        "p2": levels[0], "p3": levels[1], "p4": levels[2], "p5": levels[3],
        "im_shape": .list([.integer(512), .integer(512)]),
      ]) { $1 },
      Numbers([4, 2, 2, 1]) { i in
        Double(level[i[0]]) * 10_000 + value(i, Double(4 << level[i[0]]))
      },
      tolerance: 1e-4
    )
    expectDiagnostic(
      .shapeMismatch,
      "roi_align",
      attributes.merging(["x": levels[0], "num_rois": .integer(3)]) { $1 }
    )
  }
}
