// The C interface of the compiler: what the Python package calls.
//
// A request and its reply are JSON objects, whose fields are those of the types in `Messages.swift`.
// A reply is memory of the caller's, for `AITCompilerFreeText`. Where a call fails, its reply has one
// field, `error`: a diagnostic. No call ends the process, whatever the request holds; addresses of
// memory in it must be right. Calls may come from several threads.

import AITemplate

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The version of the compiler; the text lives as long as the library.
@c(AITCompilerVersion)
public func compilerVersion() -> UnsafePointer<CChar>? { UnsafePointer(version) }

// Unsafe: never changed, never released.
nonisolated(unsafe) private let version = strdup(Compiler.version)

/// Releases a reply.
@c(AITCompilerFreeText)
public func freeText(_ text: UnsafeMutablePointer<CChar>?) { free(text) }

/// Answers a request.
///
/// - Parameters:
///   - method: the name of a method, such as `apply`; see `Method`.
///   - request: a JSON object, UTF-8, ended by 0.
/// - Returns: the reply, a JSON object; null if there is no memory for it.
@c(AITCompilerCall)
public func call(_ method: UnsafePointer<CChar>?, _ request: UnsafePointer<CChar>?)
  -> UnsafeMutablePointer<CChar>?
{
  strdup(Method.answer(text(method), text(request)))
}

private func text(_ pointer: UnsafePointer<CChar>?) -> String {
  pointer.map { String(cString: $0) } ?? ""
}
