package io.github.fishapicredit;

import static java.lang.foreign.ValueLayout.ADDRESS;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * Holds connections and options. Create one and share it: any number of threads may call at once, virtual ones too.
 *
 * <p>Close it; the garbage collector frees one that is not closed.
 */
public final class FishClient implements AutoCloseable {
    static final Cleaner CLEANER = Cleaner.create();

    private final Handle handle;
    private final Cleaner.Cleanable cleanable;

    /** All defaults; the key is in FISH_API_KEY. */
    public FishClient() {
        this(new FishOptions());
    }

    /**
     * @throws FishException an option is invalid, or there is no key
     * @throws UnsatisfiedLinkError the library cannot be loaded
     */
    public FishClient(FishOptions options) {
        Library.load();
        try (var arena = Arena.ofConfined()) {
            var made = arena.allocate(ADDRESS);
            var failure = arena.allocate(Abi.Error.SIZE, 8);
            var given = options.given(arena);
            int status = Abi.fish_client_new(given, made, failure);
            Given.wipe(given.get(ADDRESS, Abi.ClientOptions.API_KEY));
            Given.wipe(given.get(ADDRESS, Abi.ClientOptions.PROXY_URL));
            if (status != Abi.OK) {
                throw FishException.take(failure);
            }
            handle = new Handle(made.get(ADDRESS, 0), Abi::fish_client_free);
        }
        cleanable = CLEANER.register(this, handle);
    }

    /** The version of the library that was loaded. */
    public static String version() {
        Library.load();
        return Taken.text(Abi.fish_version());
    }

    /** The API credit of the key's own account. */
    public Credit apiCredit() {
        return apiCredit(Query.OWN);
    }

    /**
     * Reads an account's API credit. Waits for at most the timeout. An interrupt cancels the call, and is kept for
     * the thread; a virtual thread gives its carrier back meanwhile.
     *
     * @throws FishException any failure
     */
    public Credit apiCredit(Query query) {
        return start(query).wait(Call::credit);
    }

    /** Like apiCredit, but returns the server's document exactly as sent. {@link Credit#parse} decodes it. */
    public String apiCreditJson(Query query) {
        return start(query).wait(Call::json);
    }

    /**
     * Like apiCredit, but no thread waits for it. Cancelling the future, or its orTimeout, ends the call at once; what
     * depends on it runs on a virtual thread. Errors that can be found before anything is sent are thrown here.
     */
    public CompletableFuture<Credit> apiCreditAsync(Query query) {
        return start(query).future(Call::credit);
    }

    /** Starts a watch, which reads the credit periodically. It ends with the client, or by its close(). */
    public Watch watch(Query query, WatchOptions options) {
        return with(client -> Watch.start(client, query, options));
    }

    /**
     * Cancels the running calls, which throw with the status CANCELLED, and ends the watches. The connections are closed
     * and the key is wiped when the last call has returned. Never waits; closing twice is harmless.
     */
    @Override
    public void close() {
        var client = handle.acquire();
        if (client != null) {
            Abi.fish_client_cancel(client);
            handle.release();
        }
        cleanable.clean();
    }

    private Call start(Query query) {
        return with(client -> Call.start(client, query));
    }

    private <T> T with(Function<MemorySegment, T> use) {
        var client = handle.acquire();
        if (client == null) {
            throw new IllegalStateException("the client is closed");
        }
        try {
            return use.apply(client);
        } finally {
            handle.release();
        }
    }
}
