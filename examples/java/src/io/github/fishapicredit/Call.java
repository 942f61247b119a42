package io.github.fishapicredit;

import static java.lang.foreign.ValueLayout.ADDRESS;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

/**
 * One background call. Until it is done, only the waiter's thread frees it, because that thread may be waiting for its
 * descriptor. After that, the thread that takes its result frees it.
 */
final class Call implements Waiter.Entry {
    private final MemorySegment pointer;
    private final int descriptor;
    private final AtomicBoolean freed = new AtomicBoolean();
    /** Completed on the waiter's thread, where nothing of the program's may run. */
    private final CompletableFuture<Void> done = new CompletableFuture<>();

    private Call(MemorySegment pointer) {
        this.pointer = pointer;
        descriptor = (int) Abi.fish_call_descriptor(pointer);
    }

    /** Throws errors that can be found before anything is sent. */
    static Call start(MemorySegment client, Query query) {
        try (var arena = Arena.ofConfined()) {
            var made = arena.allocate(ADDRESS);
            var failure = arena.allocate(Abi.Error.SIZE, 8);
            if (Abi.fish_call_start(client, query.given(arena), made, failure) != Abi.OK) {
                throw FishException.take(failure);
            }
            var call = new Call(made.get(ADDRESS, 0));
            try {
                Waiter.SHARED.add(call);
            } catch (Throwable none) {
                call.removed();
                throw none;
            }
            return call;
        }
    }

    /** Waits in this thread for the result. An interrupt cancels the call. */
    <T> T wait(Function<MemorySegment, T> take) {
        try {
            done.get();
        } catch (InterruptedException interrupt) {
            cancel();
            Thread.currentThread().interrupt();
            throw FishException.cancelled("The thread was interrupted; call again.");
        } catch (java.util.concurrent.ExecutionException impossible) {
            throw new AssertionError(impossible);
        }
        return take(take);
    }

    /** Completed on a virtual thread. Completing or cancelling it from outside cancels the call. */
    <T> CompletableFuture<T> future(Function<MemorySegment, T> take) {
        var future = new CompletableFuture<T>();
        done.thenRun(() -> Thread.ofVirtual().inheritInheritableThreadLocals(false).start(() -> {
            try {
                var result = take(take);
                if (result != null) {
                    future.complete(result);
                }
            } catch (Throwable failure) {
                future.completeExceptionally(failure);
            }
        }));
        future.whenComplete((result, failure) -> cancel());
        return future;
    }

    private void cancel() {
        if (!freed.get()) {
            Waiter.SHARED.remove(this);
        }
    }

    /** Returns null if the call was cancelled. */
    private <T> T take(Function<MemorySegment, T> take) {
        if (!freed.compareAndSet(false, true)) {
            return null;
        }
        try {
            return take.apply(pointer);
        } finally {
            Abi.fish_call_free(pointer);
        }
    }

    @Override
    public int descriptor() {
        return descriptor;
    }

    @Override
    public boolean look() {
        boolean over = Abi.fish_call_is_done(pointer);
        if (over) {
            done.complete(null);
        }
        return over;
    }

    @Override
    public void removed() {
        if (freed.compareAndSet(false, true)) {
            Abi.fish_call_free(pointer);
        }
    }

    static Credit credit(MemorySegment call) {
        try (var arena = Arena.ofConfined()) {
            var filled = arena.allocate(Abi.ApiCredit.SIZE, 8);
            var failure = arena.allocate(Abi.Error.SIZE, 8);
            if (Abi.fish_call_result(call, filled, failure) != Abi.OK) {
                throw FishException.take(failure);
            }
            return Credit.take(filled);
        }
    }

    static String json(MemorySegment call) {
        try (var arena = Arena.ofConfined()) {
            var text = arena.allocate(ADDRESS);
            var failure = arena.allocate(Abi.Error.SIZE, 8);
            if (Abi.fish_call_result_json(call, text, failure) != Abi.OK) {
                throw FishException.take(failure);
            }
            var given = text.get(ADDRESS, 0);
            try {
                return Taken.text(given);
            } finally {
                Abi.fish_string_free(given);
            }
        }
    }
}
