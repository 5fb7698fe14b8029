import Foundation
import PackagePlugin

/// Embeds text files in a target as `EmbeddedSources.files`: the target's own folder Prelude, or
/// Driver, or, for AITBuild, the C++ runtime, which is compiled by tests and shipped as text in every bundle.
@main
struct EmbedSourcesPlugin: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let root: URL
    let folders: [URL]
    if target.name == "AITBuild" {
      root = context.package.directoryURL.appending(path: "Sources/AITRuntime")
      folders = ["include", "src"].map { root.appending(path: $0) }
    } else {
      let name = target.name == "AITEmulator" ? "Driver" : "Prelude"
      root = target.directoryURL.appending(path: name)
      folders = [root]
    }
    let files = folders.flatMap(textFiles).sorted { $0.path < $1.path }
    let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedSources.swift")
    return [
      .buildCommand(
        displayName: "Embedding \(files.count) files in \(target.name)",
        executable: try context.tool(named: "SourceGenerator").url,
        arguments: ["embed", output.path, root.path] + files.map(\.path),
        inputFiles: files,
        outputFiles: [output]
      )
    ]
  }

  /// The sources of C, C++, CUDA and HIP below a folder.
  private func textFiles(_ folder: URL) -> [URL] {
    let extensions: Set<String> = ["h", "hpp", "cuh", "c", "cpp", "cu", "hip", "inc"]
    let found = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    return (found?.compactMap { $0 as? URL } ?? []).filter { extensions.contains($0.pathExtension) }
  }
}
