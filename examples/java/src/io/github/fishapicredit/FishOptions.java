package io.github.fishapicredit;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;

/** The options of a client. What is not set has the library's default. */
public final class FishOptions {
    // Generated from src/ffi: the fields of fish_client_options.
    private String apiKey;
    private String baseUrl;
    private String proxyUrl;
    private String caFile;
    private String userAgent;
    private Duration timeout;
    private Duration connectTimeout;
    private int maxRetries = 2;
    private boolean systemRoots;

    /** The secret API key. null: the environment variable FISH_API_KEY. Sent only to baseUrl's host. */
    public FishOptions apiKey(String apiKey) {
        this.apiKey = apiKey;
        return this;
    }

    /**
     * The API's address. null: "https://api.fish.audio". It may have a port and a path, but no user, query or
     * fragment. Plain http:// is allowed for loopback hosts only.
     */
    public FishOptions baseUrl(String baseUrl) {
        this.baseUrl = baseUrl;
        return this;
    }

    /**
     * "http://[user:password@]host:port" or "socks5://...". "": no proxy. null: the environment variables
     * HTTPS_PROXY, ALL_PROXY and NO_PROXY, which are ignored if baseUrl is a loopback host. For such a host,
     * only a proxy on a loopback host is allowed.
     */
    public FishOptions proxyUrl(String proxyUrl) {
        this.proxyUrl = proxyUrl;
        return this;
    }

    /** The path of a PEM file with the certificates to trust, and no others. null: see systemRoots. */
    public FishOptions caFile(String caFile) {
        this.caFile = caFile;
        return this;
    }

    /** Prepended to the library's own User-Agent, such as "studio/2.1". null: "fish-api-credit/0.1.0" alone. */
    public FishOptions userAgent(String userAgent) {
        this.userAgent = userAgent;
        return this;
    }

    /** For a whole call: resolving, connecting, retries and the waits between them. null: 15 s. */
    public FishOptions timeout(Duration timeout) {
        this.timeout = timeout;
        return this;
    }

    /** For one connection attempt, TLS included. null: 5 s. */
    public FishOptions connectTimeout(Duration connectTimeout) {
        this.connectTimeout = connectTimeout;
        return this;
    }

    /** How many times a failed request is retried. By default 2. 0: never. */
    public FishOptions maxRetries(int maxRetries) {
        this.maxRetries = maxRetries;
        return this;
    }

    /** Trust the operating system's certificate authorities instead of Mozilla's. */
    public FishOptions systemRoots(boolean systemRoots) {
        this.systemRoots = systemRoots;
        return this;
    }
    // End of the generated part.

    /** The struct that C reads. */
    MemorySegment given(Arena arena) {
        var given = arena.allocate(Abi.ClientOptions.SIZE, 8);
        // Generated from src/ffi: how the options are given.
        given.set(ADDRESS, Abi.ClientOptions.API_KEY, Given.text(arena, "apiKey", apiKey));
        given.set(ADDRESS, Abi.ClientOptions.BASE_URL, Given.text(arena, "baseUrl", baseUrl));
        given.set(ADDRESS, Abi.ClientOptions.PROXY_URL, Given.text(arena, "proxyUrl", proxyUrl));
        given.set(ADDRESS, Abi.ClientOptions.CA_FILE, Given.text(arena, "caFile", caFile));
        given.set(ADDRESS, Abi.ClientOptions.USER_AGENT, Given.text(arena, "userAgent", userAgent));
        given.set(JAVA_INT, Abi.ClientOptions.TIMEOUT_MS, Given.milliseconds("timeout", timeout));
        given.set(JAVA_INT, Abi.ClientOptions.CONNECT_TIMEOUT_MS, Given.milliseconds("connectTimeout", connectTimeout));
        given.set(JAVA_INT, Abi.ClientOptions.MAX_RETRIES, Given.retries(maxRetries));
        given.set(JAVA_INT, Abi.ClientOptions.TLS_ROOTS, Given.roots(systemRoots));
        // End of the generated part.
        return given;
    }
}
