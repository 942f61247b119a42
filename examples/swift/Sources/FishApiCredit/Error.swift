// Why a call failed.

import CFish
import Foundation

/// Why a call failed.
public struct FishError: Error, Sendable, Hashable {
    /// How a call ended: Status.swift lists them. New ones may come: have a `default` in a `switch`.
    public struct Status: RawRepresentable, Sendable, Hashable {
        public let rawValue: Int32
        public init(rawValue: Int32) { self.rawValue = rawValue }
    }

    /// One thing that the server found wrong with the request.
    public struct Field: Sendable, Hashable {
        // Generated from src/ffi: the fields of fish_field_error.
        /// The field, such as "query.check_free_credit": the parts of "loc" joined by dots.
        public let location: String
        /// "in": "path", "query", "header", "cookie" or "body". nil if not sent.
        public let source: String?
        /// The kind of error, such as "bool_parsing".
        public let type: String
        /// The server's description.
        public let message: String
        /// "ctx" as text. nil if not sent.
        public let context: String?
        // End of the generated part.
    }

    public let status: Status
    /// nil: no answer arrived.
    public let httpStatus: Int?
    /// Tries, retries and failed connections included. 0: refused before anything was sent.
    public let attempts: Int
    /// nil: the server did not say.
    public let retryAfter: Duration?
    /// The same call may succeed later.
    public let isRetryable: Bool
    /// One sentence that says what to do; no secrets.
    public let message: String
    /// The server's own words.
    public let apiMessage: String?
    /// Its machine-readable reason.
    public let apiReason: String?
    /// Its name for this request, for its support.
    public let requestID: String?
    /// The start of the error answer's body.
    public let body: String?
    /// What a 422 found wrong.
    public let fields: [Field]

    /// A failure of this package's own, before anything was sent.
    init(status: Status, message: String) {
        self.status = status
        self.message = message
        httpStatus = nil
        attempts = 0
        retryAfter = nil
        isRetryable = false
        apiMessage = nil
        apiReason = nil
        requestID = nil
        body = nil
        fields = []
    }

    static func invalid(_ message: String) -> FishError {
        FishError(status: .invalidArgument, message: message)
    }

    /// Copies what the library filled in, and frees it.
    init(taking filled: inout fish_error) {
        status = Status(rawValue: filled.status)
        httpStatus = filled.http_status == 0 ? nil : Int(filled.http_status)
        attempts = Int(filled.attempts)
        retryAfter = filled.retry_after_ms == 0 ? nil : Duration.milliseconds(Int64(filled.retry_after_ms))
        isRetryable = filled.retryable
        message = inSwift(text(filled.message) ?? "")
        apiMessage = text(filled.api_message)
        apiReason = text(filled.api_reason)
        requestID = text(filled.request_id)
        body = text(filled.body)
        let rows = UnsafeBufferPointer(start: filled.field_errors, count: Int(filled.field_error_count))
        fields = rows.map { row in
            Field(
                // Generated from src/ffi: how each is copied.
                location: text(row.location) ?? "",
                source: text(row.source),
                type: text(row.type) ?? "",
                message: text(row.message) ?? "",
                context: text(row.context)
                // End of the generated part.
            )
        }
        fish_error_free(&filled)
    }
}

/// What the library's messages call a thing, and what it is called here. A longer name stands before one that it ends
/// with; a name in quotes is one of the server's document.
private let names: [(String, String)] = [
    ("\"user_id\"", "\"user_id\""),
    // Generated from src/ffi: the names of fish_client_options.
    ("options.api_key", "apiKey"), ("api_key", "apiKey"),
    ("options.base_url", "baseURL"), ("base_url", "baseURL"),
    ("options.proxy_url", "proxy"), ("proxy_url", "proxy"),
    ("options.ca_file", "caFile"), ("ca_file", "caFile"),
    ("options.tls_roots", "systemRoots"), ("tls_roots", "systemRoots"),
    ("options.user_agent", "userAgent"), ("user_agent", "userAgent"),
    ("options.timeout_ms", "timeout"), ("timeout_ms", "timeout"),
    ("options.connect_timeout_ms", "connectTimeout"), ("connect_timeout_ms", "connectTimeout"),
    ("options.max_retries", "maxRetries"), ("max_retries", "maxRetries"),
    // End of the generated part.
    ("query.timeout_ms", "timeout"), ("query.user_id", "userID"), ("user_id", "userID"),
    ("query.team_id", "teamID"), ("team_id", "teamID"), ("retry_after_ms", "retryAfter"), ("field_errors", "fields"),
    ("api_message", "apiMessage"), ("FISH_TLS_ROOTS_SYSTEM", "true"), ("FISH_TLS_ROOTS_BUNDLED", "false"),
    ("NULL", "nil"),
]

/// The library's sentence with this package's names: "options.ca_file" is caFile, NULL is nil.
private func inSwift(_ message: String) -> String {
    var left = Substring(message)
    var said = ""
    while let first = left.first {
        if let (name, here) = names.first(where: { left.hasPrefix($0.0) }) {
            said += here
            left = left.dropFirst(name.count)
        } else {
            said.append(first)
            left = left.dropFirst()
        }
    }
    return said
}

extension FishError.Status: CustomStringConvertible {
    /// Its name in the header, such as "FISH_TIMED_OUT".
    public var description: String { String(cString: fish_status_name(rawValue)) }
}

extension FishError: CustomStringConvertible, LocalizedError {
    public var description: String { "\(message) (\(status))" }
    public var errorDescription: String? { message }
}
