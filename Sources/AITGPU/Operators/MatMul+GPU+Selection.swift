import AITCodegen
import AITGraph
import AITKernels
import AITOperators

/// The kernels that a product is compiled with, and when each runs.
extension DeviceProduct {
  struct Selection {
    /// A kernel, and the condition under which it runs if those before it do not.
    struct Launch {
      let candidate: MatmulCandidate
      let condition: String?
    }

    var kernels: [(candidate: MatmulCandidate, architectures: [Target.CUDA])] = []
    var launches: [Launch] = []
    var choices: [KernelChoice] = []
    /// What it takes at the largest sizes on the first of the architectures.
    var seconds: Double?
    var problems: [KernelProblem] = []
  }

  private var rows: Dimension { problem.loops.extents[problem.loops.rank - 1] }
  private var rowsInCode: String { "context.sizes[\(problem.deviceBatchRank)]" }

  /// The kernels of a product, by the architectures and bounds of the target.
  func selection(_ choice: DeviceChoice, _ epilogue: ScalarExpression) -> Selection {
    switch choice {
    case .each(let texts, let selector): return each(texts, selector)
    case .recorded(let record): return chosen(task(epilogue), record)
    }
  }

  /// All of a list; the number that the last size of a run is says which.
  private func each(_ texts: [String], _ selector: Dimension) -> Selection {
    var selection = Selection()
    let number = "context.sizes[\(problem.sizes(packedMatrix: nil).count)]"
    for (index, text) in texts.enumerated() {
      guard let candidate = MatmulCandidate(text) else { continue }
      selection.kernels.append((candidate, target.gpus))
      selection.launches.append(
        .init(
          candidate: candidate,
          condition: index + 1 < texts.count ? "\(number) == \(index + 1)" : nil
        )
      )
    }
    return selection
  }

  /// The architectures that share a choice: those with warp groups have kernels of their own, if the
  /// copy engine can fetch the operands.
  private func groups(_ task: MatmulTask) -> [[Target.CUDA]] {
    guard task.suitsHopper else { return [target.gpus] }
    return [target.gpus.filter { $0 == .sm90a }, target.gpus.filter { $0 != .sm90a }]
      .filter { !$0.isEmpty }
  }

  private func chosen(_ task: MatmulTask, _ record: TuningRecord) -> Selection {
    var selection = Selection()
    let groups = groups(task)
    for (index, group) in groups.enumerated() {
      let (measured, gpu) = measurements(task, record, group)
      let facts = DeviceFacts.of(group, named: gpu)
      let limit = index == 0 ? MatmulChoice.limit : MatmulChoice.limit - 1
      let choice = MatmulChoice(task, on: facts, measured: measured, limit: limit)
      let isLastGroup = index + 1 == groups.count
      let names = groups.count == 1 ? "" : group.map(\.rawValue).joined(separator: "+") + ", "
      if index == 0 { selection.seconds = choice.parts.last?.seconds }
      for (position, part) in choice.parts.enumerated() {
        let isLast = position + 1 == choice.parts.count
        var conditions: [String] = []
        if !isLastGroup, let place = target.gpus.firstIndex(of: group[0]) {
          conditions.append("context.queue->architecture() == \(place)")
        }
        if !isLast { conditions.append("\(rowsInCode) <= \(part.rows)") }
        selection.launches.append(
          .init(
            candidate: part.candidate,
            condition: conditions.isEmpty ? nil : conditions.joined(separator: " && ")
          )
        )
        selection.add(part.candidate, for: group)
        selection.choices.append(
          KernelChoice(
            domain: "\(names)\(task.size(rows: part.rows))",
            chosen: part.candidate.timed(part.seconds),
            runnerUp: part.runnerUp.map { $0.candidate.timed($0.seconds) },
            measuredOn: part.isMeasured ? gpu : nil
          )
        )
      }
      for architecture in group {
        selection.problems += task.measuredPoints.compactMap { problem(task, architecture, $0) }
      }
    }
    selection.kernels = selection.kernels.map { candidate, architectures in
      // Code for one architecture, or for all: the library tells no others apart.
      let all = target.gpus.allSatisfy(architectures.contains)
      return (candidate, all || architectures.count > 1 ? Target.CUDA.allCases : architectures)
    }
    return selection
  }

  /// What a record holds of a product, and the GPU it was measured on.
  private func measurements(
    _ task: MatmulTask,
    _ record: TuningRecord,
    _ group: [Target.CUDA]
  ) -> (MatmulMeasurements, gpu: String?) {
    var result = MatmulMeasurements()
    guard !record.isEmpty else { return (result, nil) }
    for architecture in group {
      var gpu: String?
      for rows in Set(task.points + task.measuredPoints).sorted() {
        let problem = task.problem(rows: rows)
        guard
          let found = record.measurements(
            of: problem,
            for: architecture,
            templates: templateVersion
          )
        else { continue }
        gpu = gpu ?? found.origin.gpu
        for (text, outcome) in found.outcomes {
          guard let candidate = MatmulCandidate(text) else { continue }
          switch outcome {
          case .nanoseconds(let time):
            result.byRows[rows, default: [:]][candidate] = Double(time) * 1e-9
          case .rejected: result.byRows[rows, default: [:]][candidate] = .infinity
          }
        }
      }
      if gpu != nil { return (result, gpu) }
    }
    return (result, nil)
  }

  // MARK: - Tasks

  private func task(_ epilogue: ScalarExpression) -> MatmulTask {
    let outputBytes = node.outputs.reduce(0) { $0 + $1.type.dtype.sizeInBytes }
    let extras = node.epilogueInputs.enumerated().filter { index, _ in
      problem.columnStrides[index] != 0
        && problem.loops.strides[2 + index][problem.loops.rank - 1] != 0
    }
    return MatmulTask(
      element: node.inputs[0].type.dtype.rawValue,
      majors: majors,
      alignments: alignments,
      columnMultiple: columnMultiple,
      isConstantB: node.inputs[1].isConstant,
      hasEmptySums: problem.inner.range.lowerBound == 0,
      epilogueOperations: epilogue.expanded().operationCount,
      epilogueBytes: extras.reduce(outputBytes) {
        $0 + node.inputs[$1.element].type.dtype.sizeInBytes
      },
      epilogue: epilogueHash(epilogue),
      extents: (
        problem.loops.extents.dropLast().reduce(1, *), rows, problem.columns, problem.inner
      )
    )
  }

  /// The product at a number of rows as a node on dense operands; nil where nothing is
  /// computed, or by several launches.
  private func problem(_ task: MatmulTask, _ architecture: Target.CUDA, _ rows: Int)
    -> KernelProblem?
  {
    let size = task.size(rows: rows)
    guard size.batch * size.rows * size.columns * size.depth > 0, problem.outerRank == 0 else {
      return nil
    }
    let values = task.values(rows: rows)
    let batch = problem.loops.extents.dropLast().map { $0.evaluate(values) ?? $0.upperBound }
    func type(_ index: Int, _ operand: NodeContext.Operand, _ last: [Int]) -> TensorType {
      let strides = problem.loops.strides[index]
      let leading = batch.indices.map { strides[$0] == 0 ? 1 : batch[$0] }
      return TensorType(operand.type.dtype, Shape((leading + last).map { Dimension($0) }))
    }
    let a = majors.a == "k" ? [rows, size.depth] : [size.depth, rows]
    let b = majors.b == "k" ? [size.columns, size.depth] : [size.depth, size.columns]
    let extras = node.epilogueInputs.enumerated().map { index, input in
      let hasRows = problem.loops.strides[2 + index][batch.count] != 0
      let hasColumns = problem.columnStrides[index] != 0
      return (
        type: type(
          2 + index,
          node.inputs[input],
          [hasRows ? rows : 1, hasColumns ? size.columns : 1]
        ),
        isConstant: node.inputs[input].isConstant
      )
    }
    let facts = DeviceFacts.of([architecture], named: nil)
    return KernelProblem(
      text: task.problem(rows: rows),
      architecture: architecture,
      op: MatMul(transposeA: majors.a == "mn", transposeB: majors.b == "k"),
      fusion: node.fusion,
      operands: [
        (type(0, node.inputs[0], a), false),
        (type(1, node.inputs[1], b), node.inputs[1].isConstant),
      ] + extras,
      candidates: MatmulChoice.worthMeasuring(
        KernelProblem.candidateLimit,
        task,
        on: facts,
        rows: rows
      )
      .map { $0.candidate.timed($0.seconds) }
    )
  }
}

extension MatmulCandidate {
  fileprivate func timed(_ seconds: Double) -> KernelChoice.Candidate {
    KernelChoice.Candidate(configuration: description, label: label, seconds: seconds)
  }
}

extension DeviceProduct.Selection {
  fileprivate mutating func add(_ candidate: MatmulCandidate, for group: [Target.CUDA]) {
    if let index = kernels.firstIndex(where: { $0.candidate == candidate }) {
      kernels[index].architectures += group
    } else {
      kernels.append((candidate, group))
    }
  }
}
