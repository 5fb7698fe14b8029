@preconcurrency import Dispatch
import Synchronization

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Musl)
  @preconcurrency import Musl
#elseif canImport(Darwin)
  @preconcurrency import Darwin
#endif

/// Ends the command well when it is asked to end.
///
/// Compilers that run are ended, what is half-written is removed. Then the signal does what it does by default, and the shell sees it.
enum Interruption {
  /// Time to clean up in: somewhat more than a compiler is given to end.
  private static let patience = DispatchTimeInterval.seconds(4)

  /// The signal that came; 0 before.
  private static let received = Atomic<Int32>(0)

  private static let queue = DispatchQueue(label: "signals")
  nonisolated(unsafe) private static var sources: [any DispatchSourceSignal] = []

  /// Calls a closure when a signal asks the command to end; called once, at the start.
  ///
  /// Signals that are ignored, as under `nohup`, stay so. A second signal ends the command at once.
  static func watch(_ cancel: @escaping @Sendable () -> Void) {
    for number in [SIGINT, SIGTERM, SIGHUP] {
      // Ignored by the process, or it would end before the queue hears of it.
      let previous = signal(number, SIG_IGN)
      if unsafeBitCast(previous, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) { continue }
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler {
        let earlier = received.exchange(number, ordering: .sequentiallyConsistent)
        guard earlier == 0 else { end(by: number) }
        cancel()
        queue.asyncAfter(deadline: .now() + patience) { end(by: number) }
      }
      source.resume()
      sources.append(source)
    }
  }

  /// Ends the process by the signal that came, if one did.
  static func endIfReceived() {
    let number = received.load(ordering: .sequentiallyConsistent)
    if number != 0 { end(by: number) }
  }

  private static func end(by number: Int32) -> Never {
    signal(number, SIG_DFL)
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, number)
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
    kill(getpid(), number)
    // Not reached, unless the signal is late.
    _exit(128 + number)
  }
}
