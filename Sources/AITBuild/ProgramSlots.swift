#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// As many programs at a time as there are processors, whoever compiles: a process that compiles ten
/// models at once would else start ten times as many compilers, of 150 MB each.
actor ProgramSlots {
  static let shared = ProgramSlots(max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))))

  private var free: Int
  private var waiting: [CheckedContinuation<Void, Never>] = []

  init(_ count: Int) { free = count }

  /// Waits for its turn, first come, first served.
  ///
  /// Pair with `giveBack`.
  func take() async {
    if free > 0 {
      free -= 1
    } else {
      await withCheckedContinuation { waiting.append($0) }
    }
  }

  func giveBack() {
    if waiting.isEmpty {
      free += 1
    } else {
      waiting.removeFirst().resume()
    }
  }
}
