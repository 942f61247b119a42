package io.github.fishapicredit;

import static java.lang.foreign.ValueLayout.ADDRESS;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Returned by {@link FishClient#watch}. Iterate over it to get its state at each change, until the watch ends. A slow
 * loop gets only the latest state. Any number of threads may read it and iterate over it.
 *
 * <p>Close it; the garbage collector ends one that is not closed.
 */
public final class Watch implements AutoCloseable, Iterable<WatchState> {
    private final Known known;
    private final Cleaner.Cleanable cleanable;

    private Watch(Known known) {
        this.known = known;
        cleanable = FishClient.CLEANER.register(this, known::end);
    }

    /** Throws errors that can be found before anything is sent. */
    static Watch start(MemorySegment client, Query query, WatchOptions options) {
        try (var arena = Arena.ofConfined()) {
            var made = arena.allocate(ADDRESS);
            var failure = arena.allocate(Abi.Error.SIZE, 8);
            var chosen = options.given(arena);
            if (Abi.fish_watch_start(client, query.given(arena), chosen, made, failure) != Abi.OK) {
                throw FishException.take(failure);
            }
            var known = new Known(made.get(ADDRESS, 0));
            try {
                Waiter.SHARED.add(known);
            } catch (Throwable none) {
                known.removed();
                throw none;
            }
            return new Watch(known);
        }
    }

    /** Returns the state. Never waits for the network. */
    public WatchState read() {
        var state = known.read();
        if (state == null) {
            throw new IllegalStateException("the watch is closed");
        }
        return state;
    }

    /** Starts a reading now, for example after a purchase. Never waits; several at once cause one reading. */
    public void refresh() {
        known.refresh();
    }

    /** Ends the watch and every iteration over it. Never waits; closing twice is harmless. */
    @Override
    public void close() {
        cleanable.clean();
    }

    /** The states from the first reading on. hasNext waits for a change; an interrupt ends the wait. */
    @Override
    public Iterator<WatchState> iterator() {
        return new Iterator<>() {
            private long seen;
            private WatchState next;

            @Override
            public boolean hasNext() {
                if (next == null) {
                    next = known.changed(seen);
                }
                return next != null;
            }

            @Override
            public WatchState next() {
                if (!hasNext()) {
                    throw new NoSuchElementException("the watch has ended");
                }
                var state = next;
                next = null;
                seen = state.changes();
                return state;
            }
        };
    }

    /** What both the Watch and the waiter refer to: the Watch itself can be collected. */
    private static final class Known implements Waiter.Entry {
        private final Handle handle;
        private final int descriptor;
        private final ReentrantLock lock = new ReentrantLock();
        private final Condition changed = lock.newCondition();
        private WatchState newest;
        private boolean ended;

        Known(MemorySegment pointer) {
            handle = new Handle(pointer, Abi::fish_watch_free);
            descriptor = (int) Abi.fish_watch_descriptor(pointer);
        }

        /** Returns null if the watch is closed. A read clears the descriptor, so each wakes all iterations. */
        WatchState read() {
            lock.lock();
            try {
                var watch = ended ? null : handle.acquire();
                if (watch == null) {
                    return null;
                }
                try {
                    newest = WatchState.read(watch);
                } finally {
                    handle.release();
                }
                changed.signalAll();
                return newest;
            } finally {
                lock.unlock();
            }
        }

        void refresh() {
            lock.lock();
            try {
                var watch = ended ? null : handle.acquire();
                if (watch == null) {
                    throw new IllegalStateException("the watch is closed");
                }
                Abi.fish_watch_refresh(watch);
                handle.release();
            } finally {
                lock.unlock();
            }
        }

        /** Waits for a state with another number of changes. Returns null at the end. */
        WatchState changed(long seen) {
            lock.lock();
            try {
                while (!ended && (newest == null || newest.status() != Status.CANCELLED)) {
                    if (newest != null && newest.changes() != seen) {
                        return newest;
                    }
                    changed.await();
                }
                return null;
            } catch (InterruptedException interrupt) {
                Thread.currentThread().interrupt();
                throw FishException.cancelled("The thread was interrupted; call again.");
            } finally {
                lock.unlock();
            }
        }

        void end() {
            lock.lock();
            try {
                ended = true;
                changed.signalAll();
            } finally {
                lock.unlock();
            }
            Waiter.SHARED.remove(this);
        }

        @Override
        public int descriptor() {
            return descriptor;
        }

        @Override
        public boolean look() {
            var state = read();
            return state == null || state.status() == Status.CANCELLED;
        }

        @Override
        public void removed() {
            handle.run();
        }
    }
}
