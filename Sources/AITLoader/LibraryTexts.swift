import AITGraph

/// What a library says of itself, without a container: no device is needed.
package struct LibraryTexts {
  private let library: ModelLibrary

  /// - Throws: `loadFailed`.
  package init(contentsOf path: String) throws(Diagnostic) {
    library = try ModelLibrary(path: path)
  }

  /// The optimised graph as text, as it was compiled.
  package var graphText: String {
    get throws(Diagnostic) { try library.text("AITemplateGetGraphText") }
  }

  /// Inputs, outputs, buffers and kernels as JSON.
  package var manifest: String {
    get throws(Diagnostic) { try library.text("AITemplateGetManifest") }
  }
}
