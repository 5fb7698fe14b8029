// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "AITemplate",
  products: [
    .library(name: "AITemplate", targets: ["AITemplate"]),
    .library(name: "AITText", targets: ["AITText"]),
    .executable(name: "ait", targets: ["ait"]),
    // What the Python package's library is linked from (`make python`).
    .library(name: "AITemplateCompiler", type: .static, targets: ["AITBridge"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(
      url: "https://github.com/swiftlang/swift-subprocess",
      from: "1.0.2",
      // Without its default trait it does not pull in Foundation.
      traits: []
    ),
  ],
  targets: [
    // What a program is and what can be computed.
    .target(name: "AITGraph"),
    .target(name: "AITOperators", dependencies: ["AITGraph"], plugins: ["OperatorCatalog"]),
    .target(name: "AITReference", dependencies: ["AITGraph", "AITOperators"]),

    // How programs improve.
    .target(name: "AITPasses", dependencies: ["AITGraph", "AITOperators", "AITReference"]),
    .testTarget(
      name: "PassTests",
      dependencies: [
        "AITFrontend", "AITGraph", "AITOperators", "AITPasses", "AITReference", "AITSamples",
      ]
    ),
    .testTarget(
      name: "PassContractTests",
      dependencies: ["AITGraph", "AITOperators", "AITPasses", "AITReference", "AITSamples"]
    ),

    // Small programs and random ones, for the tests of every stage.
    .target(name: "AITSamples", dependencies: ["AITGraph", "AITOperators", "AITReference"]),

    .testTarget(name: "AITGraphTests", dependencies: ["AITGraph", "AITOperators"]),
    .testTarget(
      name: "AITOperatorsTests",
      dependencies: ["AITGraph", "AITOperators", "AITReference"]
    ),
    .testTarget(
      name: "OperatorContractTests",
      dependencies: ["AITGraph", "AITOperators", "AITReference"]
    ),
    .testTarget(
      name: "AITReferenceTests",
      dependencies: ["AITGraph", "AITOperators", "AITReference", "AITWeights"]
    ),

    // How programs arrive.
    .target(name: "AITFrontend", dependencies: ["AITGraph", "AITOperators"]),
    .testTarget(
      name: "AITFrontendTests",
      dependencies: ["AITFrontend", "AITGraph", "AITOperators", "AITPasses", "AITReference"]
    ),

    // AITemplate's operators by their names, made of ours.
    .target(name: "AITFacade", dependencies: ["AITFrontend", "AITGraph", "AITOperators"]),
    .testTarget(
      name: "FacadeTests",
      dependencies: ["AITFacade", "AITFrontend", "AITGraph", "AITOperators", "AITReference"]
    ),

    // Files of weights.
    .target(name: "AITWeights", dependencies: ["AITGraph"]),
    .testTarget(name: "AITWeightsTests", dependencies: ["AITGraph", "AITWeights"]),

    // Text to the numbers that language models read.
    .target(name: "AITText", dependencies: ["AITGraph", "AITWeights"]),
    .testTarget(name: "AITTextTests", dependencies: ["AITGraph", "AITText"]),

    // Programs of torch.export.
    .target(
      name: "AITImport",
      dependencies: ["AITFrontend", "AITGraph", "AITOperators", "AITWeights"]
    ),

    .testTarget(
      name: "AITImportTests",
      dependencies: ["AITGraph", "AITImport", "AITReference", "AITWeights"]
    ),

    // When and where: kernel choice and memory.
    .target(name: "AITKernels", dependencies: ["AITGraph"]),
    .target(name: "AITPlan", dependencies: ["AITGraph", "AITKernels", "AITOperators"]),
    .testTarget(
      name: "AITPlanTests",
      dependencies: [
        "AITCPU", "AITGraph", "AITKernels", "AITOperators", "AITPasses", "AITPlan", "AITReference",
        "AITSamples",
      ]
    ),

    // Text of C++, and what each target makes of each operator.
    .target(
      name: "AITCodegen",
      dependencies: ["AITGraph", "AITKernels", "AITOperators", "AITPlan"]
    ),
    .target(
      name: "AITCPU",
      dependencies: ["AITCodegen", "AITGraph", "AITKernels", "AITOperators"],
      exclude: ["Prelude"],
      plugins: ["EmbedSources"]
    ),
    .target(
      name: "AITGPU",
      dependencies: ["AITCodegen", "AITGraph", "AITKernels", "AITOperators"],
      exclude: ["Prelude"],
      plugins: ["EmbedSources"]
    ),

    // The driver that emulates devices, embedded as text.
    .target(name: "AITEmulator", exclude: ["Driver"], plugins: ["EmbedSources"]),

    .testTarget(name: "KernelChoiceTests", dependencies: ["AITGPU", "AITGraph", "AITKernels"]),

    // Sources to a library, and the library in memory.
    .target(
      name: "AITBuild",
      dependencies: [
        "AITCodegen", "AITGraph", "AITKernels",
        .product(name: "Subprocess", package: "swift-subprocess"),
      ],
      plugins: ["EmbedSources"]
    ),
    // The C interface of model libraries; the runtime itself is embedded as text by AITBuild.
    .target(
      name: "AITModelInterface",
      path: "Sources/AITRuntime",
      exclude: ["src"],
      sources: ["interface.c"]
    ),
    .target(name: "AITLoader", dependencies: ["AITGraph", "AITModelInterface"]),

    // Kernels measured on a device, for a better choice.
    .target(
      name: "AITProfile",
      dependencies: [
        "AITBuild", "AITGraph", "AITKernels", "AITLoader", "AITOperators", "AITReference",
      ]
    ),
    .testTarget(
      name: "TuningTests",
      dependencies: [
        "AITBuild", "AITCodegen", "AITGPU", "AITGraph", "AITKernels", "AITLoader", "AITOperators",
        "AITPlan", "AITProfile", "AITReference", "AITTestSupport", "AITemplate",
      ]
    ),

    // The public face: the whole flow.
    .target(
      name: "AITemplate",
      dependencies: [
        "AITBuild", "AITCPU", "AITCodegen", "AITEmulator", "AITFrontend", "AITGPU", "AITGraph",
        "AITImport", "AITKernels", "AITLoader", "AITOperators", "AITPasses", "AITPlan",
        "AITProfile",
        "AITReference",
        "AITWeights",
      ]
    ),
    .executableTarget(
      name: "ait",
      dependencies: [
        "AITBuild", "AITCodegen", "AITConformance", "AITGraph", "AITImport", "AITKernels",
        "AITLoader", "AITMeasure",
        "AITOperators", "AITPasses", "AITPlan", "AITProfile", "AITReference", "AITWeights",
        "AITemplate",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]
    ),
    // The compiler for other languages, through functions of C.
    .target(
      name: "AITBridge",
      dependencies: [
        "AITFacade", "AITFrontend", "AITGraph", "AITImport", "AITKernels", "AITPlan", "AITemplate",
      ]
    ),
    .executableTarget(
      name: "Tutorial",
      dependencies: ["AITemplate"],
      path: "Examples/Tutorial",
      exclude: ["pytorch_model.py", "pytorch_time.py"]
    ),
    .executableTarget(
      name: "Embeddings",
      dependencies: [
        "AITText", "AITemplate",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Examples/Embeddings",
      exclude: ["expected.safetensors", "fetch.sh", "sentences.txt"]
    ),
    // Every operator on a target against the reference: for tests and for the command.
    .target(
      name: "AITConformance",
      dependencies: [
        "AITCPU", "AITGPU", "AITGraph", "AITKernels", "AITLoader", "AITOperators", "AITReference",
        "AITemplate",
      ]
    ),
    // What the machine can do at most.
    .target(name: "AITMeasure"),

    // What several test targets need.
    .target(
      name: "AITTestSupport",
      dependencies: [.product(name: "Subprocess", package: "swift-subprocess")],
      path: "Tests/AITTestSupport"
    ),
    .testTarget(
      name: "ExecutionTests",
      dependencies: [
        "AITBuild", "AITConformance", "AITGraph", "AITKernels", "AITLoader", "AITOperators",
        "AITPasses", "AITPlan", "AITReference", "AITSamples", "AITTestSupport", "AITemplate",
      ]
    ),

    .testTarget(
      name: "DiagnosticTests",
      dependencies: [
        "AITBuild", "AITCPU", "AITGraph", "AITKernels", "AITLoader", "AITOperators", "AITPasses",
        "AITPlan", "AITTestSupport", "AITWeights", "AITemplate",
      ]
    ),
    // Runs the built `ait`, which it finds beside itself.
    .testTarget(
      name: "CommandTests",
      dependencies: ["AITGraph", "AITOperators", "AITReference", "AITTestSupport", "AITWeights"]
    ),
    .testTarget(
      name: "CodegenGoldenTests",
      dependencies: [
        "AITBuild", "AITCPU", "AITCodegen", "AITGPU", "AITGraph", "AITKernels", "AITLoader",
        "AITOperators", "AITPlan", "AITTestSupport", "AITemplate",
      ],
      exclude: ["Golden"]
    ),

    // Source written while building: the list of operators, and C++ files as text.
    .plugin(
      name: "OperatorCatalog",
      capability: .buildTool(),
      dependencies: ["SourceGenerator"]
    ),
    .plugin(name: "EmbedSources", capability: .buildTool(), dependencies: ["SourceGenerator"]),
    .executableTarget(name: "SourceGenerator", path: "Plugins/SourceGenerator"),
  ],
  swiftLanguageModes: [.v6]
)

for target in package.targets where target.type != .plugin {
  target.swiftSettings =
    (target.swiftSettings ?? []) + [
      .enableUpcomingFeature("ExistentialAny"),
      .enableUpcomingFeature("MemberImportVisibility"),
    ]
}
