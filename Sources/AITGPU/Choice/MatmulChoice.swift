/// The sizes of a product at one point of its range.
struct MatmulSize: Hashable, Sendable {
  var batch: Int
  var rows: Int
  var columns: Int
  var depth: Int

  /// The tiles that blocks compute.
  func tiles(_ m: Int, _ n: Int) -> Int {
    ((rows + m - 1) / m) * ((columns + n - 1) / n) * batch
  }
}

/// Which configuration of each kernel a product gets, by its sizes.
struct MatmulChoice {
  let size: MatmulSize

  private static let multiprocessors = 132

  /// Tiles as large as fill the multiprocessors once, with K split among blocks where even small
  /// ones do not.
  var hopper: HopperConfiguration {
    var result = HopperConfiguration()
    if size.tiles(128, 256) >= 2 * Self.multiprocessors {
      result.tileN = 256
      // With several tiles for each block, copies for the next one overlap the epilogue.
      result.isPersistent = 1
    } else if size.tiles(128, 128) >= Self.multiprocessors * 3 / 4 {
      // Three stages leave room for a block of the next launch.
      result.stages = 3
      result.blocksPerMultiprocessor = 2
    } else if size.depth >= 1024 && size.tiles(128, 64) <= Self.multiprocessors {
      result.tileN = 64
      result.stages = 5
      result.splitK = 2
    } else if size.tiles(128, 64) >= Self.multiprocessors / 2 {
      result.tileN = 64
      result.stages = 5
    } else {
      result.tileM = 64
      result.tileN = 64
      result.stages = 6
      result.consumers = 1
    }
    return result
  }

  var multistage: MultistageConfiguration { MultistageConfiguration() }

  /// With 16 rows, half as many warps have twice the registers for their sums.
  var fewRows: FewRowsConfiguration {
    size.rows <= 8 ? FewRowsConfiguration() : FewRowsConfiguration(rows: 16, warps: 8)
  }
}
