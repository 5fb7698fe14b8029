import AITFrontend
import AITGraph

extension AtenOperator {
  /// Samples of images at the points of a grid, and the grids of affine maps.
  static let grids: [String: AtenOperator] = [
    "grid_sampler": .one { (call) throws(Diagnostic) in try GridSampler(call).samples() },
    "grid_sampler_2d": .one { (call) throws(Diagnostic) in try GridSampler(call).samples() },
    "grid_sampler_3d": .one { (call) throws(Diagnostic) in try GridSampler(call).samples() },
    "affine_grid_generator": .one { (call) throws(Diagnostic) in
      let theta = try call.tensor("theta")
      let extents = Array(try call.dimensions("size").dropFirst(2))
      let aligns = try call.bool("align_corners")
      guard theta.rank == 3, extents.count == 2 || extents.count == 3 else {
        throw call.unsupported("of \(theta.type) to \(extents)")
      }
      // x is the last axis; points are rows (x, y, 1), or (x, y, z, 1).
      var columns: [Tensor] = []
      for (axis, extent) in extents.enumerated().reversed() {
        let places = Tensor.arange(extent, .int64).cast(to: theta.dtype)
        var steps: Tensor
        if aligns {
          let last = RuntimeNumber(.maximum([extent - 1, 1]))
          steps = try apply(.subtract, [try apply(.divide, [places * 2, last]), 1])
          // A single point lies in the middle.
          steps = `where`(number(extent, .int64) .> 1, steps, 0.0)
        } else {
          let count = RuntimeNumber(extent)
          steps = try apply(.subtract, [try apply(.divide, [places * 2 + 1, count]), 1])
        }
        var shape = [Dimension](repeating: 1, count: extents.count)
        shape[axis] = extent
        columns.append(steps.reshape(shape).expand(extents).flatten())
      }
      columns.append(.full(like: columns[0], 1))
      let points = matmul(stack(columns, axis: 1), theta.mT)
      return points.reshape([theta.extent(0)] + extents + [Dimension(extents.count)])
    },
  ]
}

/// Samples of `[N, C, …]` at a grid `[N, …, k]` of points from −1 to 1, x first.
///
/// Outside of the image are zeros, or the position is moved to the border or reflected at it. Source:
/// `torch.nn.functional.grid_sample`.
private struct GridSampler {
  private enum Border: Int {
    case zeros, nearest, reflected
  }

  private let x: Tensor
  private let image: Tensor
  /// Axes of the image, and of each the extent and the positions `[N, 1, points]`.
  private let axes: Int
  private var extents: [Tensor] = []
  private var positions: [Tensor] = []
  private let result: [Dimension]
  private let mode: Int
  private let border: Border
  private let aligns: Bool

  init(_ call: AtenCall) throws(Diagnostic) {
    x = try call.subject()
    var grid = try call.tensor("grid")
    mode = try call.integer("interpolation_mode")
    axes = x.rank - 2
    guard axes == 2 || axes == 3, grid.rank == x.rank, (0...2).contains(mode),
      mode < 2 || axes == 2, let border = Border(rawValue: try call.integer("padding_mode"))
    else { throw call.unsupported("of \(x.type) at \(grid.type), interpolation \(mode)") }
    self.border = border
    aligns = try call.bool("align_corners")
    if grid.dtype.isHalfPrecision { grid = grid.cast(to: .float32) }
    let spatial = Array(x.shape.dimensions.dropFirst(2))
    image = x.reshape([x.extent(0), x.extent(1), spatial.reduce(1, *)])
    let places = Array(grid.shape.dimensions.dropFirst().dropLast())
    result = [x.extent(0), x.extent(1)] + places
    let flat = grid.reshape([grid.extent(0), 1, places.reduce(1, *), Dimension(axes)])
    for axis in 0..<axes {
      let extent = AtenOperator.number(spatial[axis], grid.dtype)
      // The last axis is x, the grid's first component.
      let g = flat.select(axis: 3, Dimension(axes - 1 - axis))
      extents.append(extent)
      positions.append(aligns ? (g + 1) * 0.5 * (extent - 1) : ((g + 1) * extent - 1) * 0.5)
    }
  }

  func samples() throws(Diagnostic) -> Tensor {
    let sampled: Tensor
    switch mode {
    case 0: sampled = linear(positions.indices.map { moved(positions[$0], $0) }, axis: 0, at: [])
    case 1: sampled = elements(positions.indices.map { round(moved(positions[$0], $0)) })
    default: sampled = cubic()
    }
    return sampled.reshape(result).cast(to: x.dtype)
  }

  // MARK: - Borders

  /// A position where the border allows it.
  private func moved(_ position: Tensor, _ axis: Int) -> Tensor {
    switch border {
    case .zeros: return position
    case .nearest: return clipped(position, axis)
    case .reflected: return clipped(reflected(position, axis), axis)
    }
  }

  private func clipped(_ position: Tensor, _ axis: Int) -> Tensor {
    // NaN lies at the first element.
    let inside = minimum(maximum(position, 0.0), extents[axis] - 1)
    return `where`(position.isNaN(), 0.0, inside)
  }

  /// A position reflected at the middles of the outermost elements, or at their outer edges, as often as it
  /// takes.
  private func reflected(_ position: Tensor, _ axis: Int) -> Tensor {
    let least = aligns ? 0.0 : -0.5
    let span = aligns ? extents[axis] - 1 : extents[axis]
    let away = abs(position - least)
    let rest = fmod(away, span)
    let times = floor(away / span)
    let isEven = (times % 2) .== 0
    let inside = `where`(isEven, rest + least, span - rest + least)
    // An axis of one element has no span.
    return `where`(span .> 0, inside, 0.0)
  }

  // MARK: - Elements

  /// The elements at whole positions, 0 outside: `[N, C, points]`.
  private func elements(_ places: [Tensor]) -> Tensor {
    var isInside = (places[0] .>= 0).logicalAnd(places[0] .<= extents[0] - 1)
    var index: Tensor?
    for (axis, place) in places.enumerated() {
      if axis > 0 {
        isInside = isInside.logicalAnd((place .>= 0).logicalAnd(place .<= extents[axis] - 1))
      }
      let own = place.cast(to: .int64)
      index = index.map { $0 * extents[axis].cast(to: .int64) + own } ?? own
    }
    guard let index else { return image }
    let shape = [x.extent(0), x.extent(1), index.extent(2)]
    let found = image.gather(axis: 2, `where`(isInside, index, 0).expand(shape))
    return `where`(isInside, found.cast(to: places[0].dtype), 0)
  }

  /// The elements around positions, weighted by their nearness along each axis.
  private func linear(_ positions: [Tensor], axis: Int, at places: [Tensor]) -> Tensor {
    guard axis < axes else { return elements(places) }
    let first = floor(positions[axis])
    let part = positions[axis] - first
    let low = linear(positions, axis: axis + 1, at: places + [first])
    let high = linear(positions, axis: axis + 1, at: places + [first + 1])
    return low * (1 - part) + high * part
  }

  /// Sixteen elements around each position, by Keys' cubic with the slope −¾.
  private func cubic() -> Tensor {
    let whole = positions.map { floor($0) }
    var sum: Tensor?
    for (row, rowWeight) in weights(positions[0] - whole[0]).enumerated() {
      for (column, columnWeight) in weights(positions[1] - whole[1]).enumerated() {
        let places = [
          moved(whole[0] + (row - 1), 0), moved(whole[1] + (column - 1), 1),
        ]
        let term = elements(places) * (rowWeight * columnWeight)
        sum = sum.map { $0 + term } ?? term
      }
    }
    return sum ?? image
  }

  private func weights(_ part: Tensor) -> [Tensor] {
    let a = -0.75
    let near = { (d: Tensor) in ((a + 2) * d - (a + 3)) * d * d + 1 }
    let far = { (d: Tensor) in ((a * d - 5 * a) * d + 8 * a) * d - 4 * a }
    return [far(part + 1), near(part), near(1 - part), far(2 - part)]
  }
}
