import AITFacade
import AITGraph
import AITemplate
import FoundationEssentials

/// What can be asked of the compiler: a name, and how a request becomes a reply.
struct Method: Sendable {
  private let answer: @Sendable (String) throws -> String

  private init<Request: Decodable & SendableMetatype, Reply: Encodable & SendableMetatype>(
    _ body: @escaping @Sendable (Request) throws(Diagnostic) -> Reply
  ) {
    answer = { text in
      let request = try JSONDecoder().decode(Request.self, from: Data(text.utf8))
      return String(decoding: try JSONEncoder().encode(try body(request)), as: UTF8.self)
    }
  }

  private static let methods: [String: Method] = [
    "catalog": Method(Bridge.catalog),
    "tensor.input": Method(Bridge.makeInput),
    "tensor.parameter": Method(Bridge.makeParameter),
    "tensor.constant": Method(Bridge.makeConstant),
    "tensor.release": Method(Bridge.release),
    "dimension.symbol": Method(Bridge.makeSymbol),
    "dimension.combine": Method(Bridge.combine),
    "apply": Method(Bridge.apply),
    "compile": Method(Bridge.compile),
    "cancel": Method(Bridge.cancel),
    "graph": Method(Bridge.listGraph),
    "target": Method(Bridge.describeTarget),
  ]

  /// Returns the reply to a request; an `ErrorReply` where there is none.
  static func answer(_ name: String, _ request: String) -> String {
    do {
      guard let method = methods[name] else {
        throw Diagnostic(.invalidArgument, "the compiler has no method '\(name)'")
      }
      return try method.answer(request)
    } catch let diagnostic as Diagnostic {
      return error(diagnostic)
    } catch let problem as DecodingError {
      return error(Diagnostic(.invalidArgument, "a request for '\(name)': \(problem)"))
    } catch let problem {
      return error(Diagnostic(.internalInconsistency, "\(problem)"))
    }
  }

  private static func error(_ diagnostic: Diagnostic) -> String {
    // Strings alone: it cannot fail.
    let data = try? JSONEncoder().encode(ErrorReply(diagnostic))
    return data.map { String(decoding: $0, as: UTF8.self) } ?? #"{"error":{}}"#
  }
}
