import Foundation
import PackagePlugin

/// Lists the folder Operators of a target in `OperatorCatalog.all`: adding or deleting a file there
/// is the whole act of adding or deleting an operator.
@main
struct OperatorCatalogPlugin: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let folder = target.directoryURL.appending(path: "Operators")
    let files = try FileManager.default.contentsOfDirectory(
      at: folder,
      includingPropertiesForKeys: nil
    )
    .filter { $0.pathExtension == "swift" }
    .sorted { $0.path < $1.path }
    let output = context.pluginWorkDirectoryURL.appending(path: "OperatorCatalog.swift")
    return [
      .buildCommand(
        displayName: "Listing \(files.count) operators",
        executable: try context.tool(named: "SourceGenerator").url,
        arguments: ["catalog", output.path] + files.map(\.path),
        inputFiles: files,
        outputFiles: [output]
      )
    ]
  }
}
