// Written from the library's source: FISH_WRITE=1 cargo test --test generated
package io.github.fishapicredit;

/** How a call ended. */
public enum Status {
    /** Success. */
    OK(0),
    /** Caller: an argument or option is invalid; nothing was sent. The message names it. */
    INVALID_ARGUMENT(1),
    /** Caller: no apiKey and no FISH_API_KEY in the environment. */
    MISSING_API_KEY(2),
    /** Caller: the thread was interrupted or the client was closed. */
    CANCELLED(3),
    /** Caller: there is no result yet. Not a failure. */
    PENDING(4),
    /** Transport: the host name could not be resolved. Check baseUrl and DNS. */
    RESOLVE_FAILED(20),
    /** Transport: no connection could be made to any of the host's addresses. Check the network and firewalls. */
    CONNECT_FAILED(21),
    /**
     * Transport: the TLS connection failed. The message says why. In a company network, try systemRoots or
     * caFile.
     */
    TLS_FAILED(22),
    /**
     * Transport: the proxy was unreachable, refused the connection, or sent an invalid response. Check
     * proxyUrl or the proxy variables.
     */
    PROXY_FAILED(23),
    /** Transport: the timeout or connect timeout passed. Try later, or allow more time. */
    TIMED_OUT(24),
    /** Transport: the connection ended before the whole response had arrived. Try later. */
    CONNECTION_LOST(25),
    /** Response: 401. The API key is wrong. */
    UNAUTHORIZED(40),
    /** Response: 402. The account needs a top-up. */
    PAYMENT_REQUIRED(41),
    /** Response: 403. The key may not read this wallet. */
    FORBIDDEN(42),
    /** Response: 404. There is no such user or team, or baseUrl is wrong. */
    NOT_FOUND(43),
    /** Response: 400 or 422. See FishException.fieldErrors. */
    VALIDATION_FAILED(44),
    /** Response: 429. Wait for FishException.retryAfter, and ask less often. */
    RATE_LIMITED(45),
    /** Response: 500 to 599. Try later. */
    SERVER_ERROR(46),
    /** Response: any other HTTP status, including redirects, which are never followed. Check baseUrl. */
    UNEXPECTED_STATUS(47),
    /** Response: not HTTP, or a 200 whose body is not the documented JSON. None of it is used. Check baseUrl. */
    BAD_RESPONSE(48),
    /** Response: a body above 1 MiB, or a head above 64 KiB or 100 header fields. Check baseUrl. */
    RESPONSE_TOO_LARGE(49),
    /** Library: a bug in this library, caught before it reached the caller. Please report the message. */
    INTERNAL_ERROR(90),
    /** A status that this package does not know: the library is newer. */
    UNRECOGNIZED(-1);

    private final int code;

    Status(int code) {
        this.code = code;
    }

    /** The library's number. */
    public int code() {
        return code;
    }

    static Status of(int code) {
        for (var one : values()) {
            if (one.code == code) {
                return one;
            }
        }
        return UNRECOGNIZED;
    }
}
