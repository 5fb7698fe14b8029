import AITGraph
import AITLoader
import FoundationEssentials

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What a library says of its steps' times.
struct ProfileReport: Sendable {
  /// One step of a run.
  struct Step: Sendable {
    let name: String
    let operation: String
    let kernel: String
    let milliseconds: Double
    let flops: Double
    let bytes: Double
  }

  private struct Entry: Decodable {
    struct Properties: Decodable {
      let operation: String?
      let kernel: String?
    }
    let ms_per_iter: Double
    let flops: Double?
    let bytes: Double?
    let properties: Properties?
  }

  /// Profiles a library; steps in order of execution.
  static func measure(_ module: CompiledModule, _ inputs: [String: TensorData], count: Int)
    throws(Diagnostic) -> [Step]
  {
    let path = "\(temporaryFolder)/ait-profile-\(getpid()).json"
    defer { unlink(path) }
    try module.profile(inputs, count: count, to: path)
    guard let file = fopen(path, "rb") else {
      throw Diagnostic(.unreadableFile, "the profile cannot be read", at: path)
    }
    defer { fclose(file) }
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let read = fread(&buffer, 1, buffer.count, file)
      if read == 0 { break }
      content += buffer[..<read]
    }
    let entries: [String: Entry]
    do { entries = try JSONDecoder().decode([String: Entry].self, from: Data(content)) } catch {
      throw Diagnostic(.runFailed, "the library's profile is no JSON: \(error)", at: path)
    }
    let names = try module.stepNames()
    return names.compactMap { name in
      entries[name].map {
        Step(
          name: name,
          operation: $0.properties?.operation ?? "",
          kernel: $0.properties?.kernel ?? "",
          milliseconds: $0.ms_per_iter,
          flops: max(0, $0.flops ?? 0),
          bytes: max(0, $0.bytes ?? 0)
        )
      }
    }
  }

  private static var temporaryFolder: String {
    getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
  }
}
