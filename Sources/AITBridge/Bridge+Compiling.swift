import AITFrontend
import AITGraph
import AITImport
import AITKernels
import AITPlan
import AITemplate
import Dispatch
import Synchronization

extension Bridge {
  /// The program: its outputs, and names that were given to what they are computed from.
  struct Program: Decodable {
    struct Named: Decodable {
      var tensor: Int
      var name: String
    }

    struct Constant: Decodable {
      var name: String
      var memory: Memory
    }

    var name: String
    /// The path of a program of `torch.export.save`, in the place of tensors.
    var file: String?
    var outputs: [Named]
    /// In the order that they shall have; others follow.
    var inputs: [Named]
    var parameters: [Named]
    /// Elements of parameters.
    var constants: [Constant]

    func graph() throws(Diagnostic) -> Graph {
      if let file { return try ExportedProgram(contentsOf: file).graph(named: name) }
      var data: [String: TensorData] = [:]
      for constant in constants {
        data[constant.name] = try Bridge.tensorData(constant.memory, isCopied: false)
      }
      var graph = try ObjectTable.withObjects { (objects) throws(Diagnostic) in
        for source in inputs {
          try objects.tensor(source.tensor).resolveSource(name: source.name, isInput: true)
        }
        for source in parameters {
          try objects.tensor(source.tensor).resolveSource(name: source.name, isInput: false)
        }
        var sources: [Tensor] = []
        for input in inputs { sources.append(try objects.tensor(input.tensor)) }
        var results: [Tensor] = []
        for output in outputs {
          results.append(try objects.tensor(output.tensor).named(output.name))
        }
        return try Graph(name: Identifier.make(name), inputs: sources, outputs: results)
      }
      try graph.bindConstants(data)
      return graph
    }
  }

  struct Options: Decodable {
    var optimizes: Bool?
    var allowsTF32: Bool?
    var constantsAreSettable: Bool?
    var includesSelfTest: Bool?
    var tuningSeconds: Int?
    var jobs: Int?
    var compiler: String?
    var deviceCompiler: String?
    var objectCache: String?

    var compilerOptions: CompilerOptions {
      var options = CompilerOptions()
      if let optimizes { options.optimizes = optimizes }
      if let allowsTF32 { options.allowsTF32 = allowsTF32 }
      if let constantsAreSettable { options.constantsAreSettable = constantsAreSettable }
      if let includesSelfTest { options.includesSelfTest = includesSelfTest }
      if let tuningSeconds { options.tuningSeconds = tuningSeconds }
      if let jobs { options.jobs = jobs }
      if let compiler { options.compiler = compiler }
      if let deviceCompiler { options.deviceCompiler = deviceCompiler }
      if let objectCache { options.objectCache = objectCache.isEmpty ? nil : objectCache }
      return options
    }
  }

  struct CompileRequest: Decodable {
    var program: Program
    var target: String
    var workDirectory: String
    /// Where the library goes; by default into a folder of the program's name.
    var library: String?
    var options: Options
    /// What `cancel` names the compilation by.
    var token: String?
  }

  struct CompileReply: Encodable {
    var library: String
    var sourceFolder: String
    var seconds: [String: Double]
    var compiledUnits: Int
    var reusedUnits: Int
    var kernels: String
    var graph: GraphListing
    var remarks: [String]
  }

  static func compile(_ request: CompileRequest) throws(Diagnostic) -> CompileReply {
    let graph = try request.program.graph()
    let target = try Target(request.target)
    var options = request.options.compilerOptions
    let remarks = Remarks()
    options.remark = { remarks.add($0) }
    let compiler = Compiler(target: target, options: options)
    let (workDirectory, library) = (request.workDirectory, request.library)
    let result = try waiting(token: request.token) { () async throws(Diagnostic) in
      try await compiler.compile(graph, in: workDirectory, to: library)
    }
    return CompileReply(
      library: result.library,
      sourceFolder: result.sourceFolder,
      seconds: Dictionary(
        result.stageSeconds.map { ($0.stage.rawValue, $0.seconds) },
        uniquingKeysWith: +
      ),
      compiledUnits: result.compiledUnits,
      reusedUnits: result.reusedUnits,
      kernels: result.kernelTable,
      graph: GraphListing(result.plan.graph),
      remarks: remarks.all
    )
  }

  private final class Remarks: Sendable {
    private let texts = Mutex<[String]>([])

    func add(_ text: String) { texts.withLock { $0.append(text) } }

    var all: [String] { texts.withLock { $0 } }
  }

  // MARK: - Graphs

  struct GraphRequest: Decodable {
    var program: Program
    var target: String?
    /// Whether the passes run first.
    var optimizes: Bool
    var withShapes: Bool
  }

  struct GraphReply: Encodable {
    var pseudoCode: String
    var text: String
    var dot: String
    var graph: GraphListing
  }

  static func listGraph(_ request: GraphRequest) throws(Diagnostic) -> GraphReply {
    var graph = try request.program.graph()
    if request.optimizes {
      graph = try Compiler(target: try Target(request.target ?? "cpu")).optimize(graph)
    }
    return GraphReply(
      pseudoCode: graph.pseudoCode(withShapes: request.withShapes),
      text: graph.description,
      dot: GraphPicture(graph).dot,
      graph: GraphListing(graph)
    )
  }

  // MARK: - Targets

  struct TargetRequest: Decodable {
    var target: String
  }

  struct TargetReply: Encodable {
    var text: String
    var isGPU: Bool
  }

  /// The target that a text names, detected parts filled in.
  static func describeTarget(_ request: TargetRequest) throws(Diagnostic) -> TargetReply {
    let target = try Target(request.target)
    return TargetReply(text: "\(target)", isGPU: target.isGPU)
  }
}

// MARK: - Waiting

extension Bridge {
  private static let tasks = Mutex<[String: Task<Void, Never>]>([:])

  struct CancelRequest: Decodable {
    var token: String
  }

  /// Ends the compilation of a token, which then fails with `cancelled`.
  static func cancel(_ request: CancelRequest) -> Nothing {
    tasks.withLock { $0[request.token]?.cancel() }
    return Nothing()
  }

  private final class Outcome<Value: Sendable>: Sendable {
    let value = Mutex<Swift.Result<Value, Diagnostic>?>(nil)
  }

  /// Runs what is asynchronous to its end; the calling thread waits.
  private static func waiting<Result: Sendable>(
    token: String?,
    _ body: @escaping @Sendable () async throws(Diagnostic) -> Result
  ) throws(Diagnostic) -> Result {
    let box = Outcome<Result>()
    let done = DispatchSemaphore(value: 0)
    let task = Task.detached {
      let result: Swift.Result<Result, Diagnostic>
      do throws(Diagnostic) {
        result = .success(try await body())
      } catch {
        result = .failure(error)
      }
      box.value.withLock { $0 = result }
      done.signal()
    }
    if let token { tasks.withLock { $0[token] = task } }
    done.wait()
    if let token { _ = tasks.withLock { $0.removeValue(forKey: token) } }
    guard let result = box.value.withLock({ $0 }) else {
      throw Diagnostic(.internalInconsistency, "a task ended without a result")
    }
    return try result.get()
  }
}
