package io.github.fishapicredit;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One daemon thread that waits for the descriptors of all calls and watches with poll(2), so that no thread of the
 * program blocks in native code. It starts with the first entry and ends a second after the last. Without poll
 * (Windows), and for an entry without a descriptor, it checks every 20 ms.
 */
final class Waiter {
    /** What is waited for. The waiter's thread calls all its methods. */
    interface Entry {
        /** Readable when {@link #look} has something to do. -1: none. */
        int descriptor();

        /** Handles what has happened. Returns true if the entry is finished, which removes it. */
        boolean look();

        /** After {@link Waiter#remove}: the owner of the descriptor may be freed. */
        void removed();
    }

    static final Waiter SHARED = new Waiter();

    private static final int LOOK_MS = 20;
    private static final int IDLE_MS = 1000;

    private final ReentrantLock lock = new ReentrantLock();
    /** Wakes the thread if there is no pipe. */
    private final Condition asked = lock.newCondition();
    private final ArrayDeque<Runnable> requests = new ArrayDeque<>();
    private boolean running;
    private Wake wake;
    /** Only for the thread itself. */
    private final LinkedHashSet<Entry> entries = new LinkedHashSet<>();

    /** Throws if there is no thread to be had. */
    void add(Entry entry) {
        ask(() -> entries.add(entry));
    }

    /** Never waits: the waiter's thread does it. */
    void remove(Entry entry) {
        ask(() -> {
            entries.remove(entry);
            entry.removed();
        });
    }

    private void ask(Runnable request) {
        lock.lock();
        try {
            requests.add(request);
            if (!running) {
                start();
            } else if (wake == null) {
                asked.signal();
            } else {
                wake.up();
            }
        } finally {
            lock.unlock();
        }
    }

    private void start() {
        wake = Wake.open();
        try {
            Thread.ofPlatform().daemon().name("fish-wait").inheritInheritableThreadLocals(false).start(this::run);
            running = true;
        } finally {
            if (!running) { // There is no thread to be had.
                requests.clear();
                if (wake != null) {
                    wake.close();
                }
            }
        }
    }

    private void run() {
        Thread.currentThread().setContextClassLoader(null);
        var doing = new ArrayList<Runnable>();
        boolean idle = false;
        while (true) {
            lock.lock();
            try {
                if (requests.isEmpty() && entries.isEmpty() && idle) {
                    running = false;
                    if (wake != null) {
                        wake.close();
                    }
                    return;
                }
                doing.addAll(requests);
                requests.clear();
                if (wake != null) {
                    wake.clear();
                }
            } finally {
                lock.unlock();
            }
            doing.forEach(Runnable::run);
            doing.clear();
            idle = entries.isEmpty();
            if (wake == null) {
                sleep(idle ? IDLE_MS : LOOK_MS);
                entries.removeIf(Waiter::isFinished);
            } else {
                wake.poll(entries, idle ? IDLE_MS : -1);
            }
        }
    }

    /** An entry that fails, for want of memory perhaps, must not end the thread. */
    private static boolean isFinished(Entry entry) {
        try {
            return entry.look();
        } catch (RuntimeException | Error failure) {
            return true;
        }
    }

    private void sleep(int milliseconds) {
        lock.lock();
        try {
            if (requests.isEmpty()) {
                asked.await(milliseconds, TimeUnit.MILLISECONDS);
            }
        } catch (InterruptedException none) {
            // No code has a reference to this thread.
        } finally {
            lock.unlock();
        }
    }

    /** poll(2), and a pipe that wakes it. */
    private static final class Wake {
        private static final short POLLIN = 1;
        private static final int POLLFD_SIZE = 8;
        private static final MethodHandle PIPE = function("pipe", ValueLayout.ADDRESS);
        private static final MethodHandle CLOSE = function("close", JAVA_INT);
        private static final MethodHandle POLL = function("poll", ValueLayout.ADDRESS, JAVA_LONG, JAVA_INT);
        private static final MethodHandle READ = transfer("read");
        private static final MethodHandle WRITE = transfer("write");

        private final int reading;
        private final int writing;
        private boolean full;

        private Wake(int reading, int writing) {
            this.reading = reading;
            this.writing = writing;
        }

        /** Returns null if there is no poll or no free descriptor. */
        static Wake open() {
            if (POLL == null || PIPE == null) {
                return null;
            }
            try (var arena = Arena.ofConfined()) {
                var ends = arena.allocate(JAVA_INT, 2);
                return (int) PIPE.invokeExact(ends) == 0
                        ? new Wake(ends.getAtIndex(JAVA_INT, 0), ends.getAtIndex(JAVA_INT, 1)) : null;
            } catch (Throwable impossible) {
                throw new AssertionError(impossible);
            }
        }

        void up() {
            full = full || move(WRITE, writing);
        }

        void clear() {
            if (full) {
                full = !move(READ, reading);
            }
        }

        private static boolean move(MethodHandle how, int end) {
            try (var arena = Arena.ofConfined()) {
                return (long) how.invokeExact(end, arena.allocate(JAVA_BYTE), 1L) == 1;
            } catch (Throwable impossible) {
                throw new AssertionError(impossible);
            }
        }

        void close() {
            try {
                int first = (int) CLOSE.invokeExact(reading);
                int second = (int) CLOSE.invokeExact(writing);
                assert first == 0 && second == 0;
            } catch (Throwable impossible) {
                throw new AssertionError(impossible);
            }
        }

        /** Waits for a request or a readable descriptor, and lets the entries handle what has happened. */
        void poll(LinkedHashSet<Entry> entries, int timeout) {
            var looked = new ArrayList<>(entries);
            boolean all = false;
            try (var arena = Arena.ofConfined()) {
                var rows = arena.allocate((long) POLLFD_SIZE * (looked.size() + 1), 8);
                set(rows, 0, reading);
                for (int at = 0; at < looked.size(); at++) {
                    int descriptor = looked.get(at).descriptor();
                    set(rows, at + 1, descriptor);
                    if (descriptor < 0) {
                        timeout = LOOK_MS;
                        all = true;
                    }
                }
                int found = (int) POLL.invokeExact(rows, (long) looked.size() + 1, timeout);
                if (found < 0) {
                    // A signal, or more entries than the process may have descriptors.
                    Thread.sleep(LOOK_MS);
                    all = true;
                }
                for (int at = 0; at < looked.size(); at++) {
                    boolean told = found > 0 && rows.get(JAVA_SHORT, (at + 1L) * POLLFD_SIZE + 6) != 0;
                    if ((told || all) && isFinished(looked.get(at))) {
                        entries.remove(looked.get(at));
                    }
                }
            } catch (InterruptedException none) {
                // No code has a reference to this thread.
            } catch (Throwable impossible) {
                throw new AssertionError(impossible);
            }
        }

        private static void set(MemorySegment rows, int at, int descriptor) {
            rows.set(JAVA_INT, (long) at * POLLFD_SIZE, descriptor);
            rows.set(JAVA_SHORT, (long) at * POLLFD_SIZE + 4, POLLIN);
        }

        private static MethodHandle function(String name, ValueLayout... parameters) {
            return find(name, FunctionDescriptor.of(JAVA_INT, parameters));
        }

        private static MethodHandle transfer(String name) {
            return find(name, FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ValueLayout.ADDRESS, JAVA_LONG));
        }

        private static MethodHandle find(String name, FunctionDescriptor type) {
            var linker = Linker.nativeLinker();
            return Library.WINDOWS ? null
                    : linker.defaultLookup().find(name).map(at -> linker.downcallHandle(at, type)).orElse(null);
        }
    }
}
