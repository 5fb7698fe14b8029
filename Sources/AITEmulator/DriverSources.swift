/// The C++ of the emulating driver, by path below `Driver`; it includes headers of the GPU prelude.
package let driverSources: [(path: String, text: String)] = EmbeddedSources.files
