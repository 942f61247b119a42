package io.github.fishapicredit;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * An object of the library, freed once it is closed and no thread is in a function with it. Never waits. It is closed
 * by {@code run}, so that a Cleaner can do it.
 */
final class Handle implements Runnable {
    private final MemorySegment pointer;
    private final Consumer<MemorySegment> free;
    private final AtomicBoolean closed = new AtomicBoolean();
    /** How many may use the pointer; the owner is one of them until it closes the handle. */
    private final AtomicInteger users = new AtomicInteger(1);

    Handle(MemorySegment pointer, Consumer<MemorySegment> free) {
        this.pointer = pointer;
        this.free = free;
    }

    /** Returns the pointer, valid until {@link #release}, or null if the handle is closed. */
    MemorySegment acquire() {
        if (closed.get()) {
            return null;
        }
        for (int now = users.get(); now > 0; now = users.get()) {
            if (users.compareAndSet(now, now + 1)) {
                return pointer;
            }
        }
        return null;
    }

    void release() {
        if (users.decrementAndGet() == 0) {
            free.accept(pointer);
        }
    }

    @Override
    public void run() {
        if (closed.compareAndSet(false, true)) {
            release();
        }
    }
}
