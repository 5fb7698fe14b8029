// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "AITemplate",
  targets: [
    .target(name: "AITGraph"),
    .target(name: "AITOperators", dependencies: ["AITGraph"], plugins: ["OperatorCatalog"]),

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
