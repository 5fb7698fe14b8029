import AITGraph
import AITKernels
import Testing

/// Which architectures `cuda:detect` takes for which devices.
@Suite struct DetectionTests {
  static func device(_ capability: Int) -> CUDADevice {
    CUDADevice(number: 0, name: "GPU \(capability)", capability: capability)
  }

  @Test(
    "Each device gets the latest architecture that runs on it",
    arguments: [
      ([80], [Target.CUDA.sm80]), ([85], [.sm80]), ([86], [.sm86]), ([89], [.sm89]),
      ([90], [.sm90a]), ([90, 90], [.sm90a]), ([90, 80], [.sm80, .sm90a]), ([100, 86], [.sm86]),
      ([91], [.sm90]),
    ]
  )
  func architectures(_ capabilities: [Int], _ expected: [Target.CUDA]) throws {
    #expect(try Target.CUDA.detect(capabilities.map(Self.device)) == expected)
  }

  @Test("A device that nothing runs on is named", arguments: [75, 100, 120])
  func unknown(_ capability: Int) {
    do {
      _ = try Target.CUDA.detect([Self.device(capability)])
      Issue.record("\(capability) was taken")
    } catch {
      #expect(error.identity == .unknownTarget)
      let number = "\(capability / 10).\(capability % 10)"
      #expect(
        "\(error)".contains("'GPU \(capability)' of compute capability \(number)"),
        "\(error)"
      )
      #expect("\(error)".contains("those known are sm_80"), "\(error)")
    }
  }

  @Test("Without a driver it says so, and what to do", arguments: ["cuda:detect", "cuda"])
  func withoutDriver(_ text: String) {
    do {
      // On a machine with a GPU there is nothing to say.
      #expect(try Target(text).isGPU)
    } catch {
      #expect(error.identity == .unknownTarget)
      #expect("\(error)".contains("cuda:detect: error: found no CUDA"), "\(error)")
      #expect("\(error)".contains("name"), "\(error)")
    }
  }
}
