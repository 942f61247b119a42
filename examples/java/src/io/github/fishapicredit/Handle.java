package io.github.fishapicredit;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * A thing of the library's: freed when it is closed and no thread is in a function with it. Never waits. Closing is
 * its {@code run}, for a Cleaner.
 */
final class Handle implements Runnable {
    private final MemorySegment pointer;
    private final Consumer<MemorySegment> free;
    private final AtomicBoolean closed = new AtomicBoolean();
    /** Who may still use the pointer; its owner is one of them until it closes. */
    private final AtomicInteger users = new AtomicInteger(1);

    Handle(MemorySegment pointer, Consumer<MemorySegment> free) {
        this.pointer = pointer;
        this.free = free;
    }

    /** The pointer, until {@link #release}; null once this is closed. */
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
