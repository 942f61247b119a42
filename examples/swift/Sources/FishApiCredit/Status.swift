// The library's statuses and levels. Written from its source: FISH_WRITE=1 cargo test --test generated

extension FishError.Status {
    /// Success.
    public static let ok = FishError.Status(rawValue: 0)
    /// The caller: an argument or option was refused, and nothing was sent. The message names it.
    public static let invalidArgument = FishError.Status(rawValue: 1)
    /// The caller: no `apiKey`, and no FISH_API_KEY in the environment.
    public static let missingAPIKey = FishError.Status(rawValue: 2)
    /// The caller: its task or its token was cancelled.
    public static let cancelled = FishError.Status(rawValue: 3)
    /// The caller: asked before there was a result. Not a failure.
    public static let pending = FishError.Status(rawValue: 4)
    /// On the way: the host name could not be resolved. Check `baseURL` and DNS.
    public static let resolveFailed = FishError.Status(rawValue: 20)
    /// On the way: no connection could be made to any of the host's addresses. Check the network and
    /// firewalls.
    public static let connectFailed = FishError.Status(rawValue: 21)
    /// On the way: no secure connection could be made. The message says what was wrong with it. In a
    /// company's network, set `systemRoots` or `caFile`.
    public static let tlsFailed = FishError.Status(rawValue: 22)
    /// On the way: the proxy could not be reached, refused, or gave an answer that is not a proxy's. Check
    /// `proxy` or the environment's proxies.
    public static let proxyFailed = FishError.Status(rawValue: 23)
    /// On the way: the timeout passed. A call never takes longer. Try later, or allow more time.
    public static let timedOut = FishError.Status(rawValue: 24)
    /// On the way: the connection ended before a whole answer had arrived. Try later.
    public static let connectionLost = FishError.Status(rawValue: 25)
    /// The server's answer: 401. The API key is wrong.
    public static let unauthorized = FishError.Status(rawValue: 40)
    /// The server's answer: 402. Top up the account.
    public static let paymentRequired = FishError.Status(rawValue: 41)
    /// The server's answer: 403. The key may not read this wallet.
    public static let forbidden = FishError.Status(rawValue: 42)
    /// The server's answer: 404. There is no such user or team, or `baseURL` is wrong.
    public static let notFound = FishError.Status(rawValue: 43)
    /// The server's answer: 400 or 422. See `FishError.fields`.
    public static let validationFailed = FishError.Status(rawValue: 44)
    /// The server's answer: 429. Wait `FishError.retryAfter`, and ask less often.
    public static let rateLimited = FishError.Status(rawValue: 45)
    /// The server's answer: 500 to 599. Try later.
    public static let serverError = FishError.Status(rawValue: 46)
    /// The server's answer: any other HTTP status. Redirects too: they are never followed. Check `baseURL`.
    public static let unexpectedStatus = FishError.Status(rawValue: 47)
    /// The server's answer: not HTTP, or a 200 that is not the documented document. No value of it is used.
    /// Check `baseURL`.
    public static let badResponse = FishError.Status(rawValue: 48)
    /// The server's answer: a document above 1 MiB, or a head above 64 KiB or 100 header fields. Check
    /// `baseURL`.
    public static let responseTooLarge = FishError.Status(rawValue: 49)
    /// This library: a bug of ours, caught before it could reach the caller. Please report the message.
    public static let internalError = FishError.Status(rawValue: 90)
}

/// How much credit there is, told from its amount and a watch's options.
public enum FishLevel: Int32, Sendable, Hashable {
    /// Nothing has been read yet.
    case unknown = 0
    /// Enough.
    case ok = 1
    /// Below `low`, or not yet recovered from there.
    case low = 2
    /// At or below zero, or not yet recovered from there where there is no `low`.
    case empty = 3
}

/// In place of a time whose text is no RFC 3339 date-time.
let timeUnknown = Int64.min
