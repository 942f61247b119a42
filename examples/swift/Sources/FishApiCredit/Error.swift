// Why a call failed.

import CFish
import Foundation

/// Why a call failed.
public struct FishError: Error, Sendable, Hashable {
    /// How a call ended; Status.swift lists the values. New ones may be added: give a `switch` a `default`.
    public struct Status: RawRepresentable, Sendable, Hashable {
        public let rawValue: Int32
        public init(rawValue: Int32) { self.rawValue = rawValue }
    }

    /// One problem that the server found in the request.
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
    /// nil: no response arrived.
    public let httpStatus: Int?
    /// Including retries and failed connections. 0: nothing was sent.
    public let attempts: Int
    /// How long the server asks to wait. nil: not sent.
    public let retryAfter: Duration?
    /// Whether the same call may succeed later.
    public let isRetryable: Bool
    /// One sentence that says what failed and what to do, without secrets.
    public let message: String
    /// The server's own message.
    public let apiMessage: String?
    /// Its machine-readable reason.
    public let apiReason: String?
    /// Its id for this request, to quote to its support.
    public let requestID: String?
    /// The start of the error body.
    public let body: String?
    /// The problems that a 422 lists.
    public let fields: [Field]

    /// An error of an argument, before anything is sent.
    public init(status: Status, message: String) {
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

    /// Copies the library's error and frees it.
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

/// The C names in the library's messages, and this package's. Longer names come before their suffixes. A name in quotes
/// is a field of the server's document.
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
    ("query.user_id", "userID"), ("user_id", "userID"), ("query.team_id", "teamID"), ("team_id", "teamID"),
    ("request_id", "requestID"), ("field_errors", "fields"), ("api_message", "apiMessage"),
    ("FISH_TLS_ROOTS_SYSTEM", "true"), ("FISH_TLS_ROOTS_BUNDLED", "false"),
]

/// Replaces the C names in the library's message by this package's: "options.ca_file" becomes caFile.
private func inSwift(_ message: String) -> String {
    var left = Substring(message)
    var result = ""
    while let first = left.first {
        if let (name, here) = names.first(where: { left.hasPrefix($0.0) }) {
            result += here
            left = left.dropFirst(name.count)
        } else {
            result.append(first)
            left = left.dropFirst()
        }
    }
    return result
}

extension FishError.Status: CustomStringConvertible {
    /// The status's name in the C header, such as "FISH_TIMED_OUT".
    public var description: String { String(cString: fish_status_name(rawValue)) }
}

extension FishError: CustomStringConvertible, LocalizedError {
    public var description: String { "\(message) (\(status))" }
    public var errorDescription: String? { message }
}
