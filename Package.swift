// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "AITemplate",
  targets: [
    .target(name: "AITGraph")
  ],
  swiftLanguageModes: [.v6]
)

for target in package.targets {
  target.swiftSettings =
    (target.swiftSettings ?? []) + [
      .enableUpcomingFeature("ExistentialAny"),
      .enableUpcomingFeature("MemberImportVisibility"),
    ]
}
