/// The C++ runtime that every library holds, by path below `Sources/AITRuntime`.
package let runtimeSources: [(path: String, text: String)] = EmbeddedSources.files
