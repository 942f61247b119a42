// The client and its call, for async code and for code that may block. Watch.swift has the watch.

import CFish
import Foundation

/// Reads a Fish Audio account's API credit.
///
/// Create one and share it: any number of tasks and threads may call at once. It needs no closing: dropping the last
/// reference closes the connections and wipes the key. A running call holds a reference.
public final class FishClient: Sendable {
    private let handle: Handle

    /// Creates a client. Sends nothing: the first call reports a wrong key.
    public init(_ options: FishClientOptions = FishClientOptions()) throws(FishError) {
        guard fish_abi_version() == UInt32(FISH_ABI_VERSION) else {
            throw FishError(
                status: .internalError,
                message: "Built for ABI \(FISH_ABI_VERSION) of libfish_api_credit, but \(fish_abi_version()) was loaded.")
        }
        let proxyURL: String?
        switch options.proxy {
        case .environment: proxyURL = nil
        case .direct: proxyURL = ""
        case .url(let url): proxyURL = url
        }
        // Generated from src/ffi: how the options are given.
        try refuseNUL(in: options.apiKey, named: "apiKey")
        try refuseNUL(in: options.baseURL, named: "baseURL")
        try refuseNUL(in: proxyURL, named: "proxy")
        try refuseNUL(in: options.caFile, named: "caFile")
        try refuseNUL(in: options.userAgent, named: "userAgent")
        let timeout = try milliseconds(options.timeout, named: "timeout")
        let connectTimeout = try milliseconds(options.connectTimeout, named: "connectTimeout")
        let maxRetries = try retries(options.maxRetries)
        let made = withCStrings([options.apiKey, options.baseURL, proxyURL, options.caFile, options.userAgent]) {
            (texts: [UnsafePointer<CChar>?]) -> Result<Handle, FishError> in
            var given = fish_client_options()
            given.api_key = texts[0]
            given.base_url = texts[1]
            given.proxy_url = texts[2]
            given.ca_file = texts[3]
            given.tls_roots = roots(options.systemRoots)
            given.user_agent = texts[4]
            given.timeout_ms = timeout
            given.connect_timeout_ms = connectTimeout
            given.max_retries = maxRetries
            // End of the generated part.
            var client: OpaquePointer?
            var failure = fish_error()
            guard fish_client_new(&given, &client, &failure) == succeeded, let pointer = client else {
                return .failure(FishError(taking: &failure))
            }
            return .success(Handle(pointer: pointer))
        }
        switch made {
        case .success(let handle): self.handle = handle
        case .failure(let error): throw error
        }
    }

    deinit {
        fish_client_free(handle.pointer)
    }

    /// The version of the library that this package was built for.
    public static let version = FISH_VERSION

    /// The version of the library that was loaded, which may be a newer one.
    public static var libraryVersion: String { String(cString: fish_version()) }

    /// Reads an account's API credit, which API calls spend; it is not the platform credit of a plan.
    ///
    /// No thread of Swift waits for it. Cancelling the task ends the call at once, with the status `.cancelled`.
    public func apiCredit(_ query: FishQuery = FishQuery()) async throws(FishError) -> FishCredit {
        try await call(query) { $0.credit() }.get()
    }

    /// Like `apiCredit`, but returns the server's document exactly as sent. `FishCredit(json:)` decodes it.
    public func apiCreditJSON(_ query: FishQuery = FishQuery()) async throws(FishError) -> String {
        try await call(query) { $0.document() }.get()
    }

    private func call<Value: Sendable>(
        _ query: FishQuery, _ result: @Sendable (BackgroundCall) -> Result<Value, FishError>
    ) async -> Result<Value, FishError> {
        let token = CancelToken()
        let value: Result<Value, FishError> = await withTaskCancellationHandler {
            switch start(query, cancel: token) {
            case .success(let call):
                await call.done()
                return result(call)
            case .failure(let error):
                return .failure(error)
            }
        } onCancel: {
            token.cancel()
        }
        // Freeing the client would end its calls.
        withExtendedLifetime(self) {}
        return value
    }

    /// Starts a watch, which reads the credit periodically. It ends by its `cancel()`, or with its last reference.
    public func watch(
        _ query: FishQuery = FishQuery(), _ options: FishWatchOptions = FishWatchOptions()
    ) throws(FishError) -> FishWatch {
        let given = try options.checked()
        let token = CancelToken()
        let started = begin(query, cancel: token) { asked, failure in
            var given = given
            var watch: OpaquePointer?
            fish_watch_start(handle.pointer, &asked, &given, &watch, &failure)
            return watch
        }
        return FishWatch(try started.get(), of: self, endedBy: token)
    }

    /// Like `apiCredit`, but blocks this thread for at most the timeout. Do not use it in async code.
    public func blockingApiCredit(
        _ query: FishQuery = FishQuery(), cancel: CancelToken? = nil
    ) throws(FishError) -> FishCredit {
        switch credit(query, cancel: cancel) {
        case .success(let credit): return credit
        case .failure(let error): throw error
        }
    }

    private func credit(_ query: FishQuery, cancel: CancelToken?) -> Result<FishCredit, FishError> {
        begin(query, cancel: cancel) { asked, failure in
            var filled = fish_api_credit()
            guard fish_get_api_credit(handle.pointer, &asked, &filled, &failure) == succeeded else {
                return nil
            }
            return FishCredit(taking: &filled)
        }
    }

    private func start(_ query: FishQuery, cancel: CancelToken) -> Result<BackgroundCall, FishError> {
        begin(query, cancel: cancel) { asked, failure in
            var call: OpaquePointer?
            fish_call_start(handle.pointer, &asked, &call, &failure)
            return call.map(BackgroundCall.init)
        }
    }

    /// Calls `body` with a query for the library, which copies it. If `body` returns nil, it has filled in the error.
    private func begin<R>(
        _ query: FishQuery, cancel: CancelToken?,
        _ body: (inout fish_api_credit_query, inout fish_error) -> R?
    ) -> Result<R, FishError> {
        let timeout: UInt32
        do throws(FishError) {
            try refuseNUL(in: query.userID, named: "userID")
            try refuseNUL(in: query.teamID, named: "teamID")
            timeout = try milliseconds(query.timeout, named: "timeout")
        } catch {
            return .failure(error)
        }
        // Neither may be freed while the library uses it.
        defer {
            withExtendedLifetime(self) {}
            withExtendedLifetime(cancel) {}
        }
        return withCStrings([query.userID, query.teamID]) {
            (texts: [UnsafePointer<CChar>?]) -> Result<R, FishError> in
            var asked = fish_api_credit_query()
            asked.user_id = texts[0]
            asked.team_id = texts[1]
            asked.check_free_credit = query.checkFreeCredit
            asked.timeout_ms = timeout
            asked.cancel = cancel?.pointer
            var failure = fish_error()
            guard let value = body(&asked, &failure) else {
                return .failure(FishError(taking: &failure))
            }
            return .success(value)
        }
    }
}

/// A client's options. nil means the library's default.
public struct FishClientOptions: Sendable {
    /// Which proxy to use.
    public enum Proxy: Sendable, Hashable {
        /// From HTTPS_PROXY, ALL_PROXY and NO_PROXY.
        case environment
        /// No proxy.
        case direct
        /// "http://[user:password@]host:port" or "socks5://...".
        case url(String)
    }

    // Generated from src/ffi: the fields of fish_client_options.
    /// The secret API key. nil: the environment variable FISH_API_KEY. Sent only to `baseURL`'s host; wiped
    /// from memory when the client is freed.
    public var apiKey: String?
    /// The API's address. nil: "https://api.fish.audio". It may have a port and a path, but no user, query or
    /// fragment. Plain http:// is allowed for loopback hosts only.
    public var baseURL: String?
    /// Which proxy, if any.
    public var proxy: Proxy
    /// The path of a PEM file with the certificates to trust, and no others. nil: see `systemRoots`.
    public var caFile: String?
    /// Trust the operating system's certificate authorities instead of Mozilla's.
    public var systemRoots: Bool
    /// Prepended to the library's own User-Agent, such as "studio/2.1". nil: "fish-api-credit/0.1.0" alone.
    public var userAgent: String?
    /// For a whole call: resolving, connecting, retries and the waits between them. nil: 15 s.
    public var timeout: Duration?
    /// For one connection attempt, TLS included. nil: 5 s.
    public var connectTimeout: Duration?
    /// How many times a failed request is retried. 0: never.
    public var maxRetries: Int

    public init(
        apiKey: String? = nil,
        baseURL: String? = nil,
        proxy: Proxy = .environment,
        caFile: String? = nil,
        systemRoots: Bool = false,
        userAgent: String? = nil,
        timeout: Duration? = nil,
        connectTimeout: Duration? = nil,
        maxRetries: Int = 2
    ) {
        self.apiKey = apiKey
        self.baseURL = baseURL
        self.proxy = proxy
        self.caFile = caFile
        self.systemRoots = systemRoots
        self.userAgent = userAgent
        self.timeout = timeout
        self.connectTimeout = connectTimeout
        self.maxRetries = maxRetries
    }
    // End of the generated part.
}

/// Printing or dumping the options does not reveal the key or a proxy's password.
extension FishClientOptions: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String {
        let fields = shown.map { name, value in name + ": " + value }
        return "FishClientOptions(" + fields.joined(separator: ", ") + ")"
    }

    public var debugDescription: String { description }

    public var customMirror: Mirror {
        let children = shown.map { name, value -> Mirror.Child in (label: name, value: value) }
        return Mirror(self, children: children, displayStyle: .struct)
    }

    private var shown: [(String, String)] {
        let redacted = "[redacted]"
        let through: String
        switch proxy {
        case .environment: through = "environment"
        case .direct: through = "direct"
        case .url(let url): through = url.lastIndex(of: "@").map { redacted + String(url[$0...]) } ?? url
        }
        return [
            // Generated from src/ffi: how each is shown.
            ("apiKey", apiKey == nil ? "nil" : redacted),
            ("baseURL", baseURL ?? "nil"),
            ("proxy", through),
            ("caFile", caFile ?? "nil"),
            ("systemRoots", String(systemRoots)),
            ("userAgent", userAgent ?? "nil"),
            ("timeout", timeout.map(String.init(describing:)) ?? "nil"),
            ("connectTimeout", connectTimeout.map(String.init(describing:)) ?? "nil"),
            ("maxRetries", String(maxRetries)),
            // End of the generated part.
        ]
    }
}

/// Which wallet to read.
public struct FishQuery: Sendable, Hashable {
    /// The wallet's owner. nil: the key's own account.
    public var userID: String?
    /// The team whose API credit to read. nil: the account's own.
    public var teamID: String?
    /// Ask for `FishCredit.hasFreeCredit` too.
    public var checkFreeCredit: Bool
    /// For this whole call. nil: the client's.
    public var timeout: Duration?

    public init(
        userID: String? = nil, teamID: String? = nil, checkFreeCredit: Bool = false, timeout: Duration? = nil
    ) {
        self.userID = userID
        self.teamID = teamID
        self.checkFreeCredit = checkFreeCredit
        self.timeout = timeout
    }
}

/// Cancels blocking calls from any thread, any number of them at once. A cancelled token stays cancelled.
///
/// Async code does not need one: cancelling the task is enough.
public final class CancelToken: Sendable {
    private let handle: Handle?

    public init() {
        let pointer: OpaquePointer? = fish_cancel_token_new()
        handle = pointer.map { Handle(pointer: $0) }
    }

    deinit {
        fish_cancel_token_free(handle?.pointer)
    }

    public func cancel() {
        fish_cancel_token_cancel(handle?.pointer)
    }

    fileprivate var pointer: OpaquePointer? { handle?.pointer }
}

/// A pointer of the library that any thread may use, as its header says; Swift cannot know that.
private struct Handle: @unchecked Sendable {
    let pointer: OpaquePointer
}

/// The status that a C function returns on success.
let succeeded = FishError.Status.ok.rawValue

/// In C, the text would end at the NUL.
private func refuseNUL(in text: String?, named name: String) throws(FishError) {
    if let text, text.utf8.contains(0) {
        throw FishError.invalid("\(name) contains a NUL character; remove it.")
    }
}

/// Rounds up, so that only nil becomes 0, the library's default.
func milliseconds(_ duration: Duration?, named name: String) throws(FishError) -> UInt32 {
    guard let duration else { return 0 }
    guard duration > .zero else {
        throw FishError.invalid("\(name) is not above zero; pass nil for the default.")
    }
    guard duration < .milliseconds(Int64(UInt32.max)) else { return UInt32.max }
    let (seconds, attoseconds) = duration.components
    let attosecondsInAMillisecond: Int64 = 1_000_000_000_000_000
    let wholeMilliseconds = attoseconds / attosecondsInAMillisecond
    let roundedUp: Int64 = attoseconds % attosecondsInAMillisecond == 0 ? 0 : 1
    return UInt32(seconds * 1000 + wholeMilliseconds + roundedUp)
}

/// In C, 0 means the default and -1 none.
private func retries(_ count: Int) throws(FishError) -> Int32 {
    guard count >= 0, let retries = Int32(exactly: count) else {
        throw FishError.invalid("maxRetries is out of range; set it to a count, or to 0 for no retries.")
    }
    return retries == 0 ? -1 : retries
}

private func roots(_ system: Bool) -> Int32 {
    system ? Int32(FISH_TLS_ROOTS_SYSTEM) : Int32(FISH_TLS_ROOTS_BUNDLED)
}

/// Calls `body` with a C string for each text, and NULL for nil.
private func withCStrings<R>(
    _ texts: [String?], _ pointers: [UnsafePointer<CChar>?] = [], _ body: ([UnsafePointer<CChar>?]) -> R
) -> R {
    guard pointers.count < texts.count else { return body(pointers) }
    guard let text = texts[pointers.count] else { return withCStrings(texts, pointers + [nil], body) }
    return text.withCString { pointer in
        withCStrings(texts, pointers + [pointer], body)
    }
}
