import AITFacade
import AITFrontend
import AITGraph
import Testing

@Suite("The catalogue of AITemplate's operators")
struct CatalogTests {
  @Test("all 169 names are there")
  func names() {
    let names = Signatures.all.map(Signatures.name)
    #expect(names.count == 169)
    let known = Set(FacadeCatalog.operators.keys)
    #expect(Set(names).subtracting(Signatures.ofPython) == known)
    #expect(known.isDisjoint(with: Signatures.ofPython))
  }

  @Test("parameters are AITemplate's, in name, order and default", arguments: Signatures.all)
  func signature(_ expected: String) throws {
    let name = Signatures.name(expected)
    guard !Signatures.ofPython.contains(name) else { return }
    let op = try #require(FacadeCatalog.operators[name])
    // An optional parameter cannot precede those that Python fills in by keyword.
    let added = Signatures.extensions[name] ?? ""
    #expect(Self.text(op) == expected.dropLast() + added + ")")
    #expect(!op.summary.isEmpty)
  }

  private static func text(_ op: FacadeOperator) -> String {
    let lists = [op.attributes, op.operands].map { $0.map(text).joined(separator: ", ") }
    return "\(op.name)(\(lists[0]))(\(lists[1]))"
  }

  private static func text(_ parameter: FacadeParameter) -> String {
    let name = (parameter.isVariadic ? "*" : "") + parameter.name
    return switch parameter.defaultValue {
    case nil: name
    case .some(.none): "\(name)=None"
    case .bool(let value): "\(name)=\(value ? "True" : "False")"
    case .integer(let value): "\(name)=\(value)"
    case .number(let value): "\(name)=\(value)"
    case .string(let text): "\(name)='\(text)'"
    case .integers(let values): "\(name)=\(values)"
    }
  }

  // MARK: - Calls

  @Test("a name that is near is offered")
  func unknownName() {
    #expect(throws: Diagnostic.self) { try FacadeCatalog.apply("gemm_rcr_bais", [:]) }
  }

  @Test("arguments that are missing, unknown or of another kind are refused")
  func arguments() {
    let x = FacadeArgument.tensor(.input("x", [2, 3], .float32))
    for arguments: [String: FacadeArgument] in [
      ["a": x], ["a": x, "b": x, "c": x], ["a": x, "b": .integer(1)],
    ] {
      #expect(throws: Diagnostic.self) { try FacadeCatalog.apply("gemm_rcr", arguments) }
    }
  }

  @Test("an argument of a call goes before that of the constructor of the same name")
  func sharedNames() throws {
    let x = FacadeArgument.tensor(.input("x", [2, 3, 4], .float32))
    let shape = FacadeArgument.list([.integer(3), .integer(4)])
    let results = try FacadeCatalog.apply("layernorm", ["x": x, "normalized_shape": shape])
    #expect(results[0].shape == [2, 3, 4])
  }

  @Test("what a data-dependent size or a pass of AITemplate makes says what to write instead")
  func unsupported() throws {
    let x = FacadeArgument.tensor(.input("x", [2, 3], .float32))
    let mask = FacadeArgument.tensor(.input("mask", [2, 3], .bool))
    for (name, arguments): (String, [String: FacadeArgument]) in [
      ("masked_select", ["x": x, "mask": mask]),
      ("slice_scatter", ["scatter_dim": .integer(0)]),
      ("slice_reshape_scatter", ["scatter_dim": .integer(0)]),
      ("layernorm_sigmoid_mul", ["layer_norm": .none, "sigmoid": .none, "mul": .none]),
      ("fused_elementwise", ["elementwise_ops": .none, "inputs": .none, "outputs": .none]),
    ] {
      do throws(Diagnostic) {
        _ = try FacadeCatalog.apply(name, arguments)
        Issue.record("\(name) was accepted")
      } catch {
        #expect(error.identity == .unsupportedOperator)
        #expect(error.hint != nil)
      }
    }
  }
}
