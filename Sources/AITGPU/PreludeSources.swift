/// The kernel templates that generated code includes, by path below `Prelude`.
package let preludeSources: [(path: String, text: String)] = EmbeddedSources.files
