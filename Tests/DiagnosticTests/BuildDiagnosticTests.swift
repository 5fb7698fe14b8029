import AITBuild
import AITGraph
import AITKernels
import AITLoader
import AITOperators
import AITTestSupport
import AITemplate
import FoundationEssentials
import Testing

/// What goes wrong while a library is built; none is left behind half-written.
@Suite struct BuildDiagnosticTests {
  /// A model of one kernel.
  static func graph(adding number: Double = 1) throws -> Graph {
    var g = Graph(name: "model")
    let x = try g.addInput("x", TensorType(.float32, [4]))
    try g.addOutput("y", try g.add(.value(x), .scalar(number)))
    return g
  }

  static func options(compiler: String? = nil) -> CompilerOptions {
    var options = CompilerOptions()
    if let compiler { options.compiler = compiler }
    options.objectCache = nil
    return options
  }

  /// A shell script in a folder; returns its path.
  static func script(_ text: String, in folder: TemporaryFolder, as name: String) throws -> String {
    let path = try folder.write("#!/bin/sh\n\(text)\n", as: name)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    return path
  }

  /// Compiles into a folder of its own, which must hold no library afterwards.
  static func compile(_ options: CompilerOptions) async throws {
    let folder = try TemporaryFolder()
    do {
      _ = try await Compiler(target: .detected(), options: options)
        .compile(try graph(), in: folder.path)
    } catch {
      let left = try folder.files().filter { $0.hasSuffix(".so") || $0.hasSuffix(".partial") }
      #expect(left.isEmpty, "left behind: \(left)")
      throw error
    }
  }

  /// The architecture that this machine is not.
  static let other: (target: Target, name: String) = {
    let target = Target(.aarch64)
    return target.crossArchitecture.map { (target, $0) } ?? (Target(.x86_64v3), "x86_64")
  }()

  /// Compiles with a compiler that says something and fails.
  static func complain(
    _ text: String,
    target: Target = .detected(),
    sysroot: String? = nil
  ) async throws {
    let folder = try TemporaryFolder()
    var options = options(
      compiler: try script(
        "test \"$1\" = --version && echo clang version 1 && exit; echo \"\(text)\"; exit 1",
        in: folder,
        as: "clang++"
      )
    )
    options.sysroot = sysroot
    _ = try await Compiler(target: target, options: options).compile(try graph(), in: folder.path)
  }

  static let provocations: [Provocation] = [
    Provocation(
      .missingCompiler,
      "a compiler that is not there",
      says: ["/nowhere/clang++", "no program here", "hint: install clang", "--compiler"]
    ) { try await compile(options(compiler: "/nowhere/clang++")) },
    Provocation(
      .missingCompiler,
      "a compiler that is a folder",
      says: ["no program here", "hint: "]
    ) { try await compile(options(compiler: "/")) },
    Provocation(
      .missingCompiler,
      "a compiler that is another",
      says: ["gxx", "not clang", "other compiler 13", "hint: ", "vector extensions"]
    ) {
      let folder = try TemporaryFolder()
      try await compile(
        options(compiler: try script("echo other compiler 13", in: folder, as: "gxx"))
      )
    },
    Provocation(
      .compilerFailed,
      "a compiler that rejects everything",
      says: [
        "model/", ".cpp", "rejects generated code", "no, not this", "hint: ", "please report",
        "cd ",
        "-c ",
      ]
    ) {
      let folder = try TemporaryFolder()
      let compiler = try script(
        "test \"$1\" = --version && echo clang version 1 && exit; echo no, not this; exit 1",
        in: folder,
        as: "clang++"
      )
      try await compile(options(compiler: compiler))
    },
    Provocation(
      .unwritableFile,
      "a compiler that finds the disk full",
      says: ["model/", ".cpp.o", "could not write", "No space left", "hint: ", "disk has room"]
    ) {
      let folder = try TemporaryFolder()
      let compiler = try script(
        """
        test "$1" = --version && echo clang version 1 && exit
        echo LLVM ERROR: IO failure on output stream: No space left on device; exit 1
        """,
        in: folder,
        as: "clang++"
      )
      try await compile(options(compiler: compiler))
    },
    Provocation(
      .compilerFailed,
      "a linker that fails",
      says: ["model.so", "linking failed", "no room", "hint: "]
    ) {
      let folder = try TemporaryFolder()
      let real = try await Toolchain.find().compiler
      let compiler = try script(
        """
        for x in "$@"; do
          if test "$x" = -shared; then
            for y in "$@"; do test "$before" = -o && echo half > "$y"; before=$y; done
            echo no room; exit 1
          fi
        done
        exec \(real) "$@"
        """,
        in: folder,
        as: "clang++"
      )
      try await compile(options(compiler: compiler))
    },
    Provocation(
      .unwritableFile,
      "a work directory within a file",
      says: ["file/model", "cannot be made", "hint: ", "--work-directory"]
    ) {
      let folder = try TemporaryFolder()
      let file = try folder.write("", as: "file")
      _ = try await Compiler(target: .detected(), options: options())
        .compile(try graph(), in: file)
    },
    Provocation(
      .missingCompiler,
      "a C++ library that is not there",
      says: [
        "clang++", "no header 'atomic'", "for this machine", "hint: install", "g++", "--sysroot",
      ]
    ) { try await complain("a.h:1:10: fatal error: 'atomic' file not found") },
    Provocation(
      .missingCompiler,
      "a C++ library for another architecture that is not there",
      says: ["no header 'bits/libc-header-start.h'", "for \(other.name)", "g++-", "--sysroot"]
    ) {
      try await complain(
        "/usr/include/stdio.h:27:10: fatal error: 'bits/libc-header-start.h' file not found",
        target: other.target
      )
    },
    Provocation(
      .missingCompiler,
      "a library for another architecture that the linker misses",
      says: ["no library 'libstdc++'", "for \(other.name)", "g++-", "--sysroot"]
    ) {
      try await complain("ld.lld: error: unable to find library -lstdc++", target: other.target)
    },
    Provocation(
      .missingCompiler,
      "a file that every library is linked with",
      says: ["no file 'crti.o'", "hint: see that /tmp", "usr/lib"]
    ) {
      try await complain("ld: cannot find crti.o: No such file or directory", sysroot: "/tmp")
    },
    Provocation(
      .compilerFailed,
      "a header of our own that is not there",
      says: ["rejects generated code", "'ait/kernel.h' file not found", "please report"]
    ) { try await complain("a.cpp:1:10: fatal error: 'ait/kernel.h' file not found") },
    Provocation(
      .unreadableFile,
      "a folder of headers that is not there",
      says: ["/nowhere/root", "no folder", "hint: --sysroot"]
    ) { try await complain("", sysroot: "/nowhere/root") },
    Provocation(
      .cancelled,
      "a task that is cancelled while the compiler runs",
      says: ["clang++", "cancelled before it was done"]
    ) {
      let folder = try TemporaryFolder()
      let compiler = try script(
        """
        test "$1" = --version && echo clang version 1 && exit
        echo > \(folder.path)/begun; exec sleep 600
        """,
        in: folder,
        as: "clang++"
      )
      let work = Task { try await compile(options(compiler: compiler)) }
      while !FileSystem.exists("\(folder.path)/begun") {
        try await Task.sleep(for: .milliseconds(20))
      }
      work.cancel()
      try await work.value
    },
    Provocation(
      .busyDirectory,
      "two compilations in one folder",
      says: ["/model", "another compilation", "hint: wait for it"]
    ) {
      let folder = try TemporaryFolder()
      try FileSystem.createFolder("\(folder.path)/model")
      let lock = try FileSystem.Lock(folder: "\(folder.path)/model")
      var problem: (any Error)?
      do {
        _ = try await Compiler(target: .detected(), options: options())
          .compile(try graph(), in: folder.path)
      } catch { problem = error }
      _ = consume lock
      if let problem { throw problem }
    },
  ]

  @Test("Faults of building are told", arguments: provocations)
  func faults(_ provocation: Provocation) async { await provocation.check() }

  /// A folder is free again when its compilation has ended, well or not.
  @Test func locksAreReleased() async throws {
    let folder = try TemporaryFolder()
    for _ in 0..<2 {
      await #expect(throws: Diagnostic.self) {
        _ = try await Compiler(
          target: .detected(),
          options: Self.options(compiler: "/nowhere/clang++")
        ).compile(try Self.graph(), in: folder.path)
      }
    }
    for _ in 0..<2 {
      _ = try await Compiler(target: .detected()).compile(try Self.graph(), in: folder.path)
    }
  }

  /// What was built before stays as it is and can still be loaded.
  @Test func aFailureKeepsTheOldLibrary() async throws {
    let folder = try TemporaryFolder()
    let first = try await Compiler(target: .detected()).compile(try Self.graph(), in: folder.path)
    let before = try TemporaryFolder.bytes(first.library)
    let compiler = try Self.script(
      "test \"$1\" = --version && echo clang version 1 && exit; exit 1",
      in: folder,
      as: "clang++"
    )
    await #expect(throws: Diagnostic.self) {
      _ = try await Compiler(target: .detected(), options: Self.options(compiler: compiler))
        .compile(try Self.graph(adding: 7), in: folder.path)
    }
    #expect(try TemporaryFolder.bytes(first.library) == before)
    let module = try CompiledModule(contentsOf: first.library)
    #expect(
      try module.run(["x": TensorData([1, 2, 3, 4], shape: [4])])["y"]?.doubles == [2, 3, 4, 5]
    )
  }

  /// A compiler named by a path from here works from there as well.
  @Test func aCompilerMayBeNamedRelatively() async throws {
    let folder = try TemporaryFolder()
    let real = try await Toolchain.find().compiler
    let compiler = try Self.script("exec \(real) \"$@\"", in: folder, as: "clang++")
    let here = FileManager.default.currentDirectoryPath
    let up = here.split(separator: "/").map { _ in "../" }.joined()
    let result = try await Compiler(
      target: .detected(),
      options: Self.options(compiler: up + compiler.dropFirst())
    ).compile(try Self.graph(), in: folder.path)
    #expect(FileSystem.exists(result.library))
  }
}
