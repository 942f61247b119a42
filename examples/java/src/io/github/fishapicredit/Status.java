// Written from the library's source: FISH_WRITE=1 cargo test --test generated
package io.github.fishapicredit;

/** How a call ended. */
public enum Status {
    /** Success. */
    OK(0),
    /** The caller: an argument or option was refused, and nothing was sent. The message names it. */
    INVALID_ARGUMENT(1),
    /** The caller: no apiKey, and no FISH_API_KEY in the environment. */
    MISSING_API_KEY(2),
    /** The caller: the thread was interrupted, or the client closed. */
    CANCELLED(3),
    /** The caller: asked before there was a result. Not a failure. */
    PENDING(4),
    /** On the way: the host name could not be resolved. Check baseUrl and DNS. */
    RESOLVE_FAILED(20),
    /** On the way: no connection could be made to any of the host's addresses. Check the network and firewalls. */
    CONNECT_FAILED(21),
    /**
     * On the way: no secure connection could be made. The message says what was wrong with it. In a company's
     * network, set systemRoots or caFile.
     */
    TLS_FAILED(22),
    /**
     * On the way: the proxy could not be reached, refused, or gave an answer that is not a proxy's. Check
     * proxyUrl or the environment's proxies.
     */
    PROXY_FAILED(23),
    /** On the way: the timeout passed. A call never takes longer. Try later, or allow more time. */
    TIMED_OUT(24),
    /** On the way: the connection ended before a whole answer had arrived. Try later. */
    CONNECTION_LOST(25),
    /** The server's answer: 401. The API key is wrong. */
    UNAUTHORIZED(40),
    /** The server's answer: 402. Top up the account. */
    PAYMENT_REQUIRED(41),
    /** The server's answer: 403. The key may not read this wallet. */
    FORBIDDEN(42),
    /** The server's answer: 404. There is no such user or team, or baseUrl is wrong. */
    NOT_FOUND(43),
    /** The server's answer: 400 or 422. See FishException.fieldErrors. */
    VALIDATION_FAILED(44),
    /** The server's answer: 429. Wait FishException.retryAfter, and ask less often. */
    RATE_LIMITED(45),
    /** The server's answer: 500 to 599. Try later. */
    SERVER_ERROR(46),
    /** The server's answer: any other HTTP status. Redirects too: they are never followed. Check baseUrl. */
    UNEXPECTED_STATUS(47),
    /**
     * The server's answer: not HTTP, or a 200 that is not the documented document. No value of it is used.
     * Check baseUrl.
     */
    BAD_RESPONSE(48),
    /** The server's answer: a document above 1 MiB, or a head above 64 KiB or 100 header fields. Check baseUrl. */
    RESPONSE_TOO_LARGE(49),
    /** This library: a bug of ours, caught before it could reach the caller. Please report the message. */
    INTERNAL_ERROR(90),
    /** A status that is not here: the library is newer. */
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
