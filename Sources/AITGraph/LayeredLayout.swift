/// Places boxes in layers from top to bottom so that every edge runs down, and routes the edges.
///
/// The method of Sugiyama, Tagawa and Toda (1981): layers by longest path, order within layers by
/// barycentres, positions by least squares. Edges from one port to several layers share one line
/// and branch off it. Deterministic; about O(sweeps · edges · log) time.
package struct LayeredLayout {
  /// A box to place.
  package struct Box {
    package var width: Double
    package var height: Double
    /// Distances of the places where edges leave from the middle of the bottom, one per result.
    package var ports: [Double]

    package init(width: Double, height: Double, ports: [Double]) {
      self.width = width
      self.height = height
      self.ports = ports
    }
  }

  /// A line from a port of one box to the top of another.
  package struct Edge {
    package var source: Int
    package var port: Int
    package var target: Int

    package init(source: Int, port: Int, target: Int) {
      self.source = source
      self.port = port
      self.target = target
    }
  }

  /// A place in the picture, y downwards.
  package struct Point: Hashable {
    package var x: Double
    package var y: Double
  }

  /// The upper left corner of each box.
  package private(set) var origins: [Point] = []
  /// The corners of each edge, from port to box; between the second and third, fourth and fifth …
  /// the line runs straight down.
  package private(set) var routes: [[Point]] = []
  package private(set) var width = 0.0
  package private(set) var height = 0.0

  private static let horizontalGap = 28.0
  private static let verticalGap = 62.0
  /// Below a box, where labels of ports stand and lines run straight down.
  private static let labelBand = 20.0
  private static let sweeps = 12

  /// Something that takes a place in a layer: a box, or a line passing through.
  private struct Item {
    var box: Int?
    var width: Double
    var position = 0.0
  }

  /// A connection between neighbouring layers.
  private struct Link {
    var upper: Int
    var lower: Int
    var offset: Double
  }

  private let boxes: [Box]
  private var items: [Item] = []
  private var layers: [[Int]] = []
  private var above: [[Link]] = []
  private var below: [[Link]] = []
  /// For each edge, the items from its source to its target.
  private var chains: [[Int]] = []

  /// Lays out boxes; `boxes` stand so that every edge runs from a lower to a higher index.
  package init(_ boxes: [Box], _ edges: [Edge]) {
    self.boxes = boxes
    let ranks = Self.ranks(boxes.count, edges)
    placeItems(edges, ranks)
    orderLayers()
    positionItems()
    route(edges)
  }

  // MARK: - Layers

  private static func ranks(_ count: Int, _ edges: [Edge]) -> [Int] {
    var ranks = Array(repeating: 0, count: count)
    for edge in edges.sorted(by: { ($0.target, $0.source) < ($1.target, $1.source) }) {
      ranks[edge.target] = max(ranks[edge.target], ranks[edge.source] + 1)
    }
    // Boxes that nothing leads to stand right above the first that reads them.
    let targets = Set(edges.map(\.target))
    for box in 0..<count where !targets.contains(box) {
      if let first = edges.filter({ $0.source == box }).map({ ranks[$0.target] }).min() {
        ranks[box] = first - 1
      }
    }
    return ranks
  }

  private mutating func placeItems(_ edges: [Edge], _ ranks: [Int]) {
    layers = Array(repeating: [], count: (ranks.max() ?? -1) + 1)
    for (index, box) in boxes.enumerated() {
      items.append(Item(box: index, width: box.width))
      layers[ranks[index]].append(index)
    }
    above = Array(repeating: [], count: items.count)
    below = above
    var passages: [[Int]: Int] = [:]
    for edge in edges {
      var chain = [edge.source]
      let offset = boxes[edge.source].ports[edge.port]
      for rank in ranks[edge.source] + 1..<max(ranks[edge.target], ranks[edge.source] + 1) {
        let key = [edge.source, edge.port, rank]
        if let passage = passages[key] {
          chain.append(passage)
          continue
        }
        let passage = items.count
        passages[key] = passage
        items.append(Item(box: nil, width: 10))
        above.append([])
        below.append([])
        layers[rank].append(passage)
        link(chain[chain.count - 1], passage, chain.count == 1 ? offset : 0)
        chain.append(passage)
      }
      link(chain[chain.count - 1], edge.target, chain.count == 1 ? offset : 0)
      chains.append(chain + [edge.target])
    }
  }

  private mutating func link(_ upper: Int, _ lower: Int, _ offset: Double) {
    let link = Link(upper: upper, lower: lower, offset: offset)
    below[upper].append(link)
    above[lower].append(link)
  }

  // MARK: - Order

  private mutating func orderLayers() {
    var best = layers
    var fewest = crossings()
    for sweep in 0..<Self.sweeps where fewest > 0 {
      if sweep.isMultiple(of: 2) {
        for layer in layers.indices.dropFirst() { order(layer, by: above, \.upper) }
      } else {
        for layer in layers.indices.dropLast().reversed() { order(layer, by: below, \.lower) }
      }
      let count = crossings()
      if count < fewest {
        fewest = count
        best = layers
      }
    }
    layers = best
  }

  private mutating func order(_ layer: Int, by links: [[Link]], _ end: KeyPath<Link, Int>) {
    var places: [Int: Double] = [:]
    for neighbours in layers {
      for (place, item) in neighbours.enumerated() { places[item] = Double(place) }
    }
    var keys: [(key: Double, place: Int, item: Int)] = []
    for (place, item) in layers[layer].enumerated() {
      let neighbours = links[item].map { places[$0[keyPath: end]] ?? 0 }
      let mean = neighbours.reduce(0, +) / Double(max(neighbours.count, 1))
      keys.append((neighbours.isEmpty ? Double(place) : mean, place, item))
    }
    layers[layer] = keys.sorted { ($0.key, $0.place) < ($1.key, $1.place) }.map(\.item)
  }

  /// The number of pairs of links that cross.
  private func crossings() -> Int {
    var places = Array(repeating: 0, count: items.count)
    for layer in layers {
      for (place, item) in layer.enumerated() { places[item] = place }
    }
    var count = 0
    for layer in layers {
      let ends = layer.flatMap { item in
        below[item].sorted { ($0.offset, places[$0.lower]) < ($1.offset, places[$1.lower]) }
          .map { (places[$0.upper], $0.offset, places[$0.lower]) }
      }
      for (index, first) in ends.enumerated() {
        for second in ends[(index + 1)...]
        where second.2 < first.2 && (second.0, second.1) != (first.0, first.1) {
          count += 1
        }
      }
    }
    return count
  }

  // MARK: - Positions

  private mutating func positionItems() {
    for layer in layers {
      var left = 0.0
      for item in layer {
        items[item].position = left + items[item].width / 2
        left += items[item].width + Self.horizontalGap
      }
    }
    for sweep in 0..<(2 * Self.sweeps) {
      let order = sweep.isMultiple(of: 2) ? Array(layers.indices) : layers.indices.reversed()
      for layer in order { position(layer) }
    }
    for layer in layers.indices { position(layer, straightening: true) }
    let left = items.map { $0.position - $0.width / 2 }.min() ?? 0
    for index in items.indices { items[index].position -= left }
    width = items.map { $0.position + $0.width / 2 }.max() ?? 0
  }

  /// Moves the items of a layer as near to their neighbours as their order and widths allow.
  ///
  /// Weighted least squares by pooling adjacent violators. Straightening puts items right below the
  /// one they continue.
  private mutating func position(_ layer: Int, straightening: Bool = false) {
    let row = layers[layer]
    var shift = 0.0
    var shifts: [Double] = []
    var pools: [(weight: Double, sum: Double, count: Int)] = []
    for (index, item) in row.enumerated() {
      if index > 0 {
        let previous = items[row[index - 1]]
        shift += (previous.width + items[item].width) / 2 + Self.horizontalGap
      }
      shifts.append(shift)
      var weight = 0.0
      var sum = 0.0
      func pull(to position: Double, _ strength: Double) {
        weight += strength
        sum += strength * (position - shift)
      }
      let isPassage = items[item].box == nil
      for link in above[item] {
        let isLine = isPassage && items[link.upper].box == nil
        let continues = isLine || (above[item].count == 1 && below[link.upper].count == 1)
        let strength = straightening && continues ? 1e6 : isLine ? 8 : 1
        pull(to: items[link.upper].position + link.offset, strength)
      }
      for link in below[item] {
        let strength = isPassage && items[link.lower].box == nil ? 8.0 : 1
        pull(to: items[link.lower].position - link.offset, strength)
      }
      if weight == 0 { pull(to: items[item].position, 0.01) }
      pools.append((weight, sum, 1))
      while pools.count > 1 {
        let (last, before) = (pools[pools.count - 1], pools[pools.count - 2])
        guard last.sum / last.weight < before.sum / before.weight else { break }
        pools.removeLast(2)
        pools.append(
          (last.weight + before.weight, last.sum + before.sum, last.count + before.count)
        )
      }
    }
    var index = 0
    for pool in pools {
      for _ in 0..<pool.count {
        items[row[index]].position = pool.sum / pool.weight + shifts[index]
        index += 1
      }
    }
  }

  // MARK: - Routes

  private mutating func route(_ edges: [Edge]) {
    var tops: [Double] = []
    var heights: [Double] = []
    var top = 0.0
    for layer in layers {
      let tallest = layer.compactMap { items[$0].box.map { boxes[$0].height } }.max() ?? 0
      tops.append(top)
      heights.append(tallest)
      top += tallest + Self.verticalGap
    }
    height = max(top - Self.verticalGap, 0)
    var layerOf = Array(repeating: 0, count: items.count)
    for (index, layer) in layers.enumerated() {
      for item in layer { layerOf[item] = index }
    }
    origins = boxes.indices.map { box in
      Point(
        x: items[box].position - boxes[box].width / 2,
        y: tops[layerOf[box]] + (heights[layerOf[box]] - boxes[box].height) / 2
      )
    }
    let arrivals = arrivalOffsets(edges)
    for (index, edge) in edges.enumerated() {
      let start = Point(
        x: items[edge.source].position + boxes[edge.source].ports[edge.port],
        y: origins[edge.source].y + boxes[edge.source].height
      )
      let layerBottom = tops[layerOf[edge.source]] + heights[layerOf[edge.source]]
      var corners = [start, Point(x: start.x, y: layerBottom + Self.labelBand)]
      for item in chains[index].dropFirst().dropLast() {
        let layer = layerOf[item]
        corners.append(Point(x: items[item].position, y: tops[layer]))
        corners.append(
          Point(x: items[item].position, y: tops[layer] + heights[layer] + Self.labelBand)
        )
      }
      let end = Point(
        x: items[edge.target].position + arrivals[index],
        y: origins[edge.target].y
      )
      corners.append(Point(x: end.x, y: tops[layerOf[edge.target]] - 6))
      corners.append(end)
      routes.append(corners)
    }
  }

  /// Where each edge meets the top of its target: spread out in the order in which they come.
  private func arrivalOffsets(_ edges: [Edge]) -> [Double] {
    var offsets = Array(repeating: 0.0, count: edges.count)
    for (target, arriving) in Dictionary(grouping: edges.indices, by: { edges[$0].target }) {
      let ordered = arriving.sorted {
        (origin(of: $0, edges), $0) < (origin(of: $1, edges), $1)
      }
      // Edges that come down one line meet the box at one place.
      var lines: [[Int]] = []
      for edge in ordered {
        let isShared = lines.last?.first.map { isSameLine($0, edge, edges) } ?? false
        if isShared { lines[lines.count - 1].append(edge) } else { lines.append([edge]) }
      }
      let step = min(22, boxes[target].width / Double(lines.count + 1))
      for (index, line) in lines.enumerated() {
        for edge in line {
          offsets[edge] = (Double(index) - Double(lines.count - 1) / 2) * step
        }
      }
    }
    return offsets
  }

  private func isSameLine(_ first: Int, _ second: Int, _ edges: [Edge]) -> Bool {
    edges[first].source == edges[second].source && edges[first].port == edges[second].port
  }

  private func origin(of edge: Int, _ edges: [Edge]) -> Double {
    let chain = chains[edge]
    let item = chain[chain.count - 2]
    guard chain.count == 2 else { return items[item].position }
    return items[item].position + boxes[edges[edge].source].ports[edges[edge].port]
  }
}
