import AITCodegen
import AITGraph
import AITKernels

// A product whose strides depend on symbols, such as the length of a sequence, may be copied 16
// bytes at a time in some runs and not in others. It has kernels for both.

extension NodeContext {
  /// The node with every symbol a multiple of 8: what may be assumed of it where the sizes of a run
  /// are such.
  var withMultiplesOfEight: NodeContext {
    func changed(_ dimension: Dimension) -> Dimension {
      dimension.substituting { symbol in
        let bounds = symbol.bounds
        let low = (bounds.lowerBound + 7) / 8
        return 8 * Dimension(Symbol(symbol.name, low...max(low, bounds.upperBound / 8)))
      }
    }
    func changed(_ operand: Operand) -> Operand {
      var layout = operand.layout
      layout.offset = changed(layout.offset)
      layout.strides = layout.strides.map(changed)
      return Operand(
        type: TensorType(
          operand.type.dtype,
          Shape(operand.type.shape.dimensions.map(changed))
        ),
        layout: layout,
        isConstant: operand.isConstant
      )
    }
    var node = NodeContext(
      name: name,
      op: op,
      fusion: fusion,
      inputs: inputs.map(changed),
      outputs: outputs.map(changed)
    )
    node.numerics = numerics
    return node
  }
}

extension DeviceProduct {
  /// The product for runs whose sizes are multiples of 8; nil if that would change nothing.
  func whereAligned(_ makeProblem: (NodeContext) -> MatMulProblem) -> DeviceProduct? {
    guard problem.outerRank == 0 else { return nil }
    let changed = node.withMultiplesOfEight
    let other = makeProblem(changed)
    guard other.batchRank == problem.batchRank, other.majorA == problem.majorA,
      other.majorB == problem.majorB
    else { return nil }
    var product = DeviceProduct(changed, target, other)
    product.prefix = "Aligned"
    guard product.alignments == (8, 8), product.columnMultiple == 8,
      alignments != (8, 8) || columnMultiple != 8
    else { return nil }
    return product
  }

  /// The C++ that tells whether a run is one that this product is for.
  private var holds: String {
    let type = "ait::ProductAlignment<\(problem.batchRank), \(prefix)In, \(prefix)Out>"
    return "\(type)::holds(context, ait::Major::\(majors.a), ait::Major::\(majors.b))"
  }

  /// One source of the kernels of both: this product's where its sizes hold, else the other's, whose
  /// entries follow.
  func kernel(_ own: KernelSource, else other: KernelSource) -> KernelSource {
    KernelSource(
      stem: other.stem,
      headers: ["ait/gpu/matmul_alignment.h"] + other.headers,
      definitions: own.definitions + "\n\n" + other.definitions,
      statement: """
        if (\(holds)) {
            \(own.statement.split(separator: "\n").joined(separator: "\n  "))
            return;
          }
          \(other.statement)
        """,
      configuration: "\(own.configuration); else \(other.configuration)",
      entries: own.entries + other.entries
    )
  }
}
