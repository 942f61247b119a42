// The library's statuses and levels. Written from its source: FISH_WRITE=1 cargo test --test generated

extension FishError.Status {
    /// Success.
    public static let ok = FishError.Status(rawValue: 0)
    /// Caller: an argument or option is invalid; nothing was sent. The message names it.
    public static let invalidArgument = FishError.Status(rawValue: 1)
    /// Caller: no `apiKey` and no FISH_API_KEY in the environment.
    public static let missingAPIKey = FishError.Status(rawValue: 2)
    /// Caller: its task or its token was cancelled.
    public static let cancelled = FishError.Status(rawValue: 3)
    /// Caller: there is no result yet. Not a failure.
    public static let pending = FishError.Status(rawValue: 4)
    /// Transport: the host name could not be resolved. Check `baseURL` and DNS.
    public static let resolveFailed = FishError.Status(rawValue: 20)
    /// Transport: no connection could be made to any of the host's addresses. Check the network and
    /// firewalls.
    public static let connectFailed = FishError.Status(rawValue: 21)
    /// Transport: the TLS connection failed. The message says why. In a company network, try `systemRoots` or
    /// `caFile`.
    public static let tlsFailed = FishError.Status(rawValue: 22)
    /// Transport: the proxy was unreachable, refused the connection, or sent an invalid response. Check
    /// `proxy` or the proxy variables.
    public static let proxyFailed = FishError.Status(rawValue: 23)
    /// Transport: the timeout or connect timeout passed. Try later, or allow more time.
    public static let timedOut = FishError.Status(rawValue: 24)
    /// Transport: the connection ended before the whole response had arrived. Try later.
    public static let connectionLost = FishError.Status(rawValue: 25)
    /// Response: 401. The API key is wrong.
    public static let unauthorized = FishError.Status(rawValue: 40)
    /// Response: 402. The account needs a top-up.
    public static let paymentRequired = FishError.Status(rawValue: 41)
    /// Response: 403. The key may not read this wallet.
    public static let forbidden = FishError.Status(rawValue: 42)
    /// Response: 404. There is no such user or team, or `baseURL` is wrong.
    public static let notFound = FishError.Status(rawValue: 43)
    /// Response: 400 or 422. See `FishError.fields`.
    public static let validationFailed = FishError.Status(rawValue: 44)
    /// Response: 429. Wait for `FishError.retryAfter`, and ask less often.
    public static let rateLimited = FishError.Status(rawValue: 45)
    /// Response: 500 to 599. Try later.
    public static let serverError = FishError.Status(rawValue: 46)
    /// Response: any other HTTP status, including redirects, which are never followed. Check `baseURL`.
    public static let unexpectedStatus = FishError.Status(rawValue: 47)
    /// Response: not HTTP, or a 200 whose body is not the documented JSON. None of it is used. Check
    /// `baseURL`.
    public static let badResponse = FishError.Status(rawValue: 48)
    /// Response: a body above 1 MiB, or a head above 64 KiB or 100 header fields. Check `baseURL`.
    public static let responseTooLarge = FishError.Status(rawValue: 49)
    /// Library: a bug in this library, caught before it reached the caller. Please report the message.
    public static let internalError = FishError.Status(rawValue: 90)
}

/// How much credit is left, by its amount and a watch's options.
public enum FishLevel: Int32, Sendable, Hashable {
    /// Nothing has been read yet.
    case unknown = 0
    /// Enough.
    case ok = 1
    /// Below `low`, or still below `recovered` after a low or empty credit.
    case low = 2
    /// At or below zero; without `low` also while still below `recovered`.
    case empty = 3
}

/// Stands for a time whose text is not an RFC 3339 date-time.
let timeUnknown = Int64.min
