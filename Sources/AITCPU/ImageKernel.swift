import AITCodegen
import AITGraph
import AITKernels

extension ImageLoops {
  /// A call of a template of the prelude on images, whose last arguments are the epilogue, x, the
  /// epilogue's operands and the outputs.
  func callOnCPU(
    _ function: String,
    header: String,
    stem: String,
    definitions: [String] = [],
    template: [String],
    parameters: [Dimension],
    flops: Dimension,
    x: NodeContext.Operand,
    outputs: [NodeContext.Operand],
    configuration: String = ""
  ) -> KernelCall {
    let types = ([x] + extras + outputs).enumerated().map { index, operand in
      operandType(index, operand.type.dtype)
    }
    let firstOutput = 1 + extras.count
    let kernel = KernelSource(
      stem: "\(stem)_\(x.type.dtype.rawValue)",
      headers: ["ait/cpu/math.h", "ait/cpu/\(header).h"],
      definitions: (definitions + [CxxScalar.body(named: "Epilogue", epilogue)])
        .joined(separator: "\n"),
      statement: KernelText.call(
        function,
        template + [
          "Epilogue", types[0], KernelText.pack("Inputs", Array(types[1..<firstOutput])),
          KernelText.pack("Outputs", Array(types[firstOutput...])),
        ]
      ),
      configuration: configuration
    )
    return call(kernel, parameters: parameters, flops: flops)
  }
}
