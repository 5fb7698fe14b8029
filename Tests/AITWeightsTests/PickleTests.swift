import AITGraph
import Testing

@testable import AITWeights

/// A pickle that must be refused, and how.
struct BadPickle: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let program: PickleBuilder
  var identity = Diagnostic.Identity.corruptFile
  let says: String

  init(
    _ description: String,
    _ program: PickleBuilder,
    _ identity: Diagnostic.Identity = .corruptFile,
    says: String
  ) {
    testDescription = description
    self.program = program
    self.identity = identity
    self.says = says
  }
}

private let pickle = PickleBuilder()

private let refusedNames: [BadPickle] = [
  ("os", "system"), ("posix", "system"), ("nt", "system"), ("subprocess", "Popen"),
  ("builtins", "eval"), ("builtins", "exec"), ("__builtin__", "getattr"), ("builtins", "print"),
  ("importlib", "import_module"), ("runpy", "_run_code"), ("torch", "load"), ("torch", "hub"),
  ("torch.hub", "load"), ("torch", "os"), ("torch.storage", "_load_from_bytes"),
  ("torch._utils", "_rebuild_tensor_v4"), ("torch.jit", "load"), ("torch", "FloatStorage.x"),
  ("numpy.core.multiarray", "scalar"), ("numpy._core.multiarray", "_reconstruct"),
  ("collections", "defaultdict"), ("operator", "attrgetter"), ("__main__", "Model"), ("", ""),
  ("torch", ""), ("torch\u{1B}[2J", "x"),
].map { module, name in
  BadPickle(
    "\(module).\(name)",
    pickle.global(module, name).ascii("."),
    .refusedPickle,
    says: quoted("\(module).\(name)")
  )
}

private let badPrograms: [BadPickle] = [
  BadPickle("INST of any class", pickle.ascii("(ios\nsystem\n."), .refusedPickle, says: "inst"),
  BadPickle("OBJ of any class", pickle.ascii("(]o."), .refusedPickle, says: "obj"),
  BadPickle("an extension's code", pickle.appending([0x82, 1]), .refusedPickle, says: "ext1"),
  BadPickle(
    "a class with keyword arguments",
    pickle.global("collections", "OrderedDict").ascii(")}").appending([0x92]),
    .refusedPickle,
    says: "newobjEx"
  ),
  BadPickle("protocol 0", pickle.ascii("I1\n."), .unsupportedFormat, says: "protocol 0"),
  BadPickle("protocol 6", pickle.appending([0x80, 6]), .unsupportedFormat, says: "protocol 6"),
  BadPickle("a buffer outside", pickle.appending([0x97]), says: "buffer"),
  BadPickle("an unknown instruction", pickle.appending([0xFF]), says: "0xff"),
  BadPickle("no end", pickle.ascii("N"), says: "ends in the middle"),
  BadPickle("an end with nothing built", pickle.ascii("."), says: "more than the stack holds"),
  BadPickle("an end at a mark", pickle.ascii("N(."), says: "more than the stack holds"),
  BadPickle(
    "a tuple of what is below a mark",
    pickle.ascii("N(").appending([0x85]),
    says: "more than the stack holds"
  ),
  BadPickle("a tuple without a mark", pickle.ascii("Nt."), says: "without a mark"),
  BadPickle("a pop of nothing", pickle.ascii("0."), says: "more than the stack holds"),
  BadPickle("a memo never set", pickle.ascii("h\u{5}."), says: "memo 5"),
  BadPickle(
    "a memo never set, far away",
    pickle.ascii("j").appending([255, 255, 255, 255]),
    says: "memo 4294967295"
  ),
  BadPickle("an item for a list", pickle.ascii("]NNs."), says: "no dictionary"),
  BadPickle("a key without a value", pickle.ascii("}(Nu."), says: "no dictionary"),
  BadPickle("an element for a dictionary", pickle.ascii("}Na."), says: "no list"),
  BadPickle("items for a list as a set", pickle.ascii("](N").appending([0x90]), says: "no set"),
  BadPickle("attributes for a list", pickle.ascii("]}b."), says: "attributes"),
  BadPickle("a call of a list", pickle.ascii("])R."), says: "no function"),
  BadPickle("a call of a string", pickle.text("os.system").ascii(")R."), says: "no function"),
  BadPickle(
    "a call without a tuple",
    pickle.global("collections", "OrderedDict").ascii("NR."),
    says: "no function"
  ),
  BadPickle(
    "a call of a storage's class",
    pickle.global("torch", "FloatStorage").ascii(")R."),
    says: "does not take"
  ),
  BadPickle(
    "a call of an element type",
    pickle.global("torch", "float32").ascii(")R."),
    says: "does not take"
  ),
  BadPickle(
    "a tensor of nothing",
    pickle.global("torch._utils", "_rebuild_tensor_v2").ascii(")R."),
    says: "does not take"
  ),
  BadPickle(
    "a tensor whose maker makes tensors",
    pickle.global("torch._tensor", "_rebuild_from_type_v2").ascii("(")
      .global("torch._tensor", "_rebuild_from_type_v2").ascii("N)NtR."),
    says: "does not take"
  ),
  BadPickle(
    "a name that is no string",
    PickleBuilder(bytes: [0x80, 4]).ascii("NN")
      .appending([0x93]),
    says: "no string"
  ),
  BadPickle(
    "a name of a kilobyte",
    pickle.global(String(repeating: "a", count: 1001), "x"),
    says: "longer"
  ),
  BadPickle("a name without an end", pickle.ascii("cos\nsystem"), says: "ends in the middle"),
  BadPickle(
    "a name that is not UTF-8",
    pickle.ascii("c").appending([0xFF, 0x0A, 0x0A]),
    says: "UTF-8"
  ),
  BadPickle(
    "a string longer than the file",
    pickle.ascii("X").appending([255, 255, 255, 127]),
    says: "ends in the middle"
  ),
  BadPickle(
    "a string of 2^64 - 1 bytes",
    pickle.appending([0x8D] + [UInt8](repeating: 255, count: 8)),
    says: "ends in the middle"
  ),
  BadPickle(
    "bytes of 2^64 - 1 bytes",
    pickle.appending([0x8E] + [UInt8](repeating: 255, count: 8)),
    says: "ends in the middle"
  ),
  BadPickle(
    "an integer of -1 bytes",
    pickle.appending([0x8B, 255, 255, 255, 255]),
    says: "ends in the middle"
  ),
  BadPickle(
    "a frame longer than the file",
    pickle.appending([0x95] + [UInt8](repeating: 255, count: 8)),
    says: "frame"
  ),
  BadPickle("a list that holds itself", pickle.ascii("]q\u{1}h\u{1}a."), says: "holds itself"),
  BadPickle(
    "a tuple in a list that holds it",
    pickle.ascii("]q\u{1}h\u{1}").appending([0x85]).ascii("a."),
    says: "holds itself"
  ),
  BadPickle(
    "a state dict inside itself",
    pickle.ascii("}q\u{1}").text("state_dict").ascii("h\u{1}s").text("w").tensor([4], [1])
      .ascii("s."),
    says: "holds itself"
  ),
  BadPickle("a number as the root", pickle.ascii("N."), .unsupportedFormat, says: "None"),
]

private let badTensors: [BadPickle] = [
  BadPickle("a key that climbs", pickle.tensor([1], [1], key: "../x"), says: #"data/../x"#),
  BadPickle("a key of another storage", pickle.tensor([1], [1], key: "1"), says: "no record"),
  BadPickle(
    "a key that is no text",
    pickle.ascii("(").text("storage").global("torch", "FloatStorage").integer(0).text("cpu")
      .integer(4).ascii("tQ"),
    says: "no storage"
  ),
  BadPickle(
    "a storage of no class",
    pickle.ascii("(").text("storage").text("FloatStorage").text("0").text("cpu").integer(4)
      .ascii("tQ"),
    says: "no storage"
  ),
  BadPickle(
    "a reference of another kind",
    pickle.ascii("(").text("module").ascii("tQ"),
    says: "no storage"
  ),
  BadPickle("a storage larger than its record", pickle.storage(count: 5), says: "5 elements"),
  BadPickle("a storage of 2^62 numbers", pickle.storage(count: 1 << 62), says: "elements"),
  BadPickle("a storage of -1 numbers", pickle.storage(count: -1), says: "no storage"),
  BadPickle("elements beyond the storage", pickle.tensor([5], [1]), says: "leaves a storage"),
  BadPickle(
    "elements beyond a part of the storage",
    pickle.tensor([4], [1], count: 3),
    says: "leaves a storage"
  ),
  BadPickle(
    "an offset beyond the storage",
    pickle.tensor([1], [1], offset: 4),
    says: "leaves a storage"
  ),
  BadPickle(
    "an offset of 2^63 - 1",
    pickle.tensor([2], [1], offset: .max),
    says: "leaves a storage"
  ),
  BadPickle("an offset of -2^63", pickle.tensor([1], [1], offset: .min), says: "leaves a storage"),
  BadPickle(
    "strides that overflow to inside",
    pickle.tensor([3, 3], [1 << 62, 1 << 62]),
    says: "leaves a storage"
  ),
  BadPickle("a stride of 2^63 - 1", pickle.tensor([2], [.max]), says: "leaves a storage"),
  BadPickle("a negative stride", pickle.tensor([2], [-1], offset: 3), says: "negative stride"),
  BadPickle("a negative extent", pickle.tensor([-1], [1]), says: "negative extent"),
  BadPickle("an extent of -2^63", pickle.tensor([.min], [1]), says: "negative extent"),
  BadPickle("two negative extents", pickle.tensor([-2, -2], [1, 1]), says: "negative extent"),
  BadPickle(
    "a size that wraps to 0",
    pickle.tensor([1 << 32, 1 << 32], [0, 0]),
    .sizeLimit,
    says: "shape"
  ),
  BadPickle(
    "a rank of 17",
    pickle.tensor([Int](repeating: 1, count: 17), [Int](repeating: 1, count: 17)),
    .sizeLimit,
    says: "rank 17"
  ),
  BadPickle(
    "a rank of 20,000",
    pickle.tensor([Int](repeating: 1, count: 20_000), [Int](repeating: 0, count: 20_000)),
    .sizeLimit,
    says: "rank"
  ),
  BadPickle("fewer strides than extents", pickle.tensor([2, 2], [1]), says: "strides"),
  BadPickle(
    "one number spread over 4 GiB",
    pickle.tensor([1 << 30], [0]).ascii("."),
    .sizeLimit,
    says: "written out"
  ),
]

@Suite("PyTorch's pickles")
struct PickleTests {
  @Test(arguments: refusedNames + badPrograms + badTensors)
  func `a bad program is refused, and named`(_ bad: BadPickle) throws {
    let problem = try #require(diagnostic { _ = try PyTorchWeights(bad.program.file()) })
    #expect(problem.identity == bad.identity, "\(problem)")
    #expect(problem.message.contains(bad.says), "\(problem)")
    #expect(problem.location?.hasPrefix("test.pt") == true)
    #expect(!problem.description.unicodeScalars.contains("\u{1B}"))
  }

  @Test func `a refused name says where it stands and what to do`() throws {
    let file = pickle.global("os", "system").text("true").ascii("\u{85}R.").file()
    let problem = try #require(diagnostic { _ = try PyTorchWeights(file) })
    #expect(problem.location == "test.pt: data.pkl, byte 2")
    #expect(problem.hint?.contains("state_dict()") == true)
  }

  @Test func `a name counts as mentioned even where it is thrown away`() throws {
    let file = pickle.global("os", "system").ascii("0").tensor([4], [1]).ascii(".").file()
    #expect(diagnostic { _ = try PyTorchWeights(file) }?.identity == .refusedPickle)
  }

  // MARK: - Programs that ask for much

  @Test func `a nest of lists, each twice in the next, is stopped`() throws {
    // As a tree it has 2^64 leaves.
    var program = pickle.ascii("]q").appending([0])
    for level in 1...64 {
      let below = UInt8(level - 1)
      program = program.ascii("]q").appending([UInt8(level)]).ascii("h").appending([below])
        .ascii("a").ascii("h").appending([below]).ascii("a")
    }
    let problem = try #require(diagnostic { _ = try PyTorchWeights(program.ascii(".").file()) })
    #expect(problem.identity == .sizeLimit)
  }

  @Test func `a hundred thousand nested lists do not overflow the stack`() throws {
    let depth = 100_000
    let nested =
      [UInt8](repeating: UInt8(ascii: "]"), count: depth)
      + [UInt8](repeating: UInt8(ascii: "a"), count: depth - 1)
    // The names would have some 10^10 bytes.
    let file = pickle.appending(nested).ascii(".").file()
    #expect(diagnostic { _ = try PyTorchWeights(file) }?.identity == .sizeLimit)
    let tuples = [UInt8](repeating: 0x85, count: depth)
    let deep = pickle.ascii("}").text("w").tensor([4], [1]).ascii("s")
      .text("deep").ascii(")").appending(tuples).ascii("s.").file()
    #expect(diagnostic { _ = try PyTorchWeights(deep) }?.identity == .sizeLimit)
  }

  @Test func `copying a dictionary again and again is counted`() throws {
    // 40,000 entries, copied 1,000 times: more than any honest file puts on the stack.
    let entries = (0..<40_000).flatMap { number -> [UInt8] in
      [UInt8(ascii: "M"), UInt8(number & 0xFF), UInt8(number >> 8), UInt8(ascii: "N")]
    }
    let copies = (0..<1000).flatMap { _ in Array("h\u{1}h\u{2}R0".utf8) }
    let file = pickle.global("collections", "OrderedDict").ascii("q\u{1}0}(").appending(entries)
      .ascii("u").appending([0x85]).ascii("q\u{2}0").appending(copies).ascii("}.").file()
    #expect(diagnostic { _ = try PyTorchWeights(file) }?.identity == .sizeLimit)
  }

  // MARK: - Honest programs

  @Test func `a tensor in every kind of container is found`() throws {
    let file = pickle.ascii("}(").text("a").tensor([4], [1])
      .text("b").ascii("](").tensor([2, 2], [1, 2]).ascii("K\u{7}e")
      .text("c").tensor([2], [1], offset: 2).appending([0x85])
      .integer(5).ascii("}").text("d").tensor([], []).ascii("s")
      .ascii("u.").file(storage: (0..<16).map { UInt8($0) })
    let weights = try PyTorchWeights(file).weights
    #expect(weights.names == ["a", "b.0", "c.0", "5.d"])
    #expect(weights["a"]?.bytes == (0..<16).map { UInt8($0) })
    #expect(weights["b.0"]?.bytes == [0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 12, 13, 14, 15])
    #expect(weights["c.0"]?.bytes == (8..<16).map { UInt8($0) })
    #expect(weights["5.d"]?.shape == [])
    #expect(weights.ignored.map(\.path) == ["b.1"])
  }

  @Test func `setting a key again replaces its value`() throws {
    let file = pickle.ascii("}").text("w").tensor([4], [1]).ascii("s").text("v").ascii("Ns")
      .text("w").tensor([1], [1]).ascii("s.").file()
    let weights = try PyTorchWeights(file).weights
    #expect(weights.names == ["w"])
    #expect(weights["w"]?.shape == [1])
  }

  @Test func `two ways to one name are refused`() throws {
    let file = pickle.ascii("}").text("a").ascii("}").text("b").tensor([4], [1]).ascii("ss")
      .text("a.b").tensor([4], [1]).ascii("s.").file()
    #expect(diagnostic { _ = try PyTorchWeights(file) }?.identity == .duplicateName)
  }

  @Test func `what is not a tensor is listed, not feared`() throws {
    let file = pickle.ascii("}(")
      .text("bytes").appending([UInt8(ascii: "C"), 1, 0])
      .text("long").appending([0x8A, 9] + [UInt8](repeating: 1, count: 9))
      .text("set").global("__builtin__", "set").ascii("(](K\u{1}etR")
      .text("complex").global("__builtin__", "complex").ascii(")R")
      .text("device").global("torch", "device").ascii("(").text("cpu").ascii("tR")
      .text("dtype").global("torch", "float16")
      .text("encoded").global("_codecs", "encode").ascii(")R")
      .text("storage").storage(count: 4)
      .ascii("NK\u{1}").appending([0x88]).ascii("K\u{2}").ascii("u.").file()
    let weights = try PyTorchWeights(file).weights
    #expect(weights.count == 0)
    #expect(
      weights.ignored.map(\.path) == [
        "bytes", "long", "set", "complex", "device", "dtype", "encoded", "storage", "…", "True",
      ]
    )
  }

  @Test func `a view to be negated is not taken for its storage`() throws {
    let file = pickle.ascii("}").text("w")
      .global("torch._utils", "_rebuild_tensor_v2").ascii("(").storage(count: 4)
      .integer(0).tuple([4]).tuple([1]).appending([0x89]).ascii("}}").text("neg")
      .appending([0x88]).ascii("stRs.").file()
    let weights = try PyTorchWeights(file).weights
    #expect(weights.count == 0)
    #expect(weights.unsupported.first?.reason.contains("resolve_neg") == true)
  }

  @Test func `a parameter with attributes is its tensor`() throws {
    let arguments = pickle.ascii("(").storage(count: 4).integer(0).tuple([4]).tuple([1])
      .appending([0x89]).ascii("}t").bytes.dropFirst(2)
    let file = pickle.ascii("}").text("p")
      .global("torch._tensor", "_rebuild_from_type_v2").ascii("(")
      .global("torch._utils", "_rebuild_tensor_v2").global("torch.nn.parameter", "Parameter")
      .appending(Array(arguments)).ascii("}tR").ascii("s")
      .text("q").global("torch._utils", "_rebuild_parameter_with_state").ascii("(")
      .global("torch._utils", "_rebuild_tensor_v2").appending(Array(arguments))
      .appending([0x88]).ascii("}}tR").ascii("s.").file()
    let weights = try PyTorchWeights(file).weights
    #expect(weights.names == ["p", "q"])
    #expect(weights["q"]?.shape == [4])
  }

  @Test func `the folder of the archive may have any name`() throws {
    let program = pickle.ascii("}").text("w").tensor([4], [1]).ascii("s.").bytes
    let storage = [UInt8](repeating: 1, count: 16)
    for folder in ["archive", "résumé 3", "data"] {
      let file = ZipBuilder([
        ("\(folder)/data.pkl", program), ("\(folder)/byteorder", Array("little".utf8)),
        ("\(folder)/data/0", storage), ("\(folder)/version", Array("3\n".utf8)),
        ("\(folder)/extra/data.pkl", []),
      ]).file
      #expect(try PyTorchWeights(file).weights.names == ["w"])
    }
  }
}
