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
 * One daemon thread that waits for the descriptors of all calls and watches, by poll(2), so that no thread of the
 * program's, virtual or not, is in native code for long. It begins with the first of them, and ends a second after the
 * last. Where there is no poll (Windows), and for what has no descriptor, it looks every 20 ms.
 */
final class Waiter {
    /** What is waited for. All its methods are called on the waiter's thread. */
    interface Entry {
        /** Readable when it is worth looking; -1: there is none. */
        int descriptor();

        /** Looks. True: nothing more will come, and it is forgotten. */
        boolean look();

        /** It was removed: what the descriptor belongs to may be freed. */
        void removed();
    }

    static final Waiter SHARED = new Waiter();

    private static final int LOOK_MS = 20;
    private static final int IDLE_MS = 1000;

    private final ReentrantLock lock = new ReentrantLock();
    /** For a thread that cannot be woken through a descriptor. */
    private final Condition asked = lock.newCondition();
    private final ArrayDeque<Runnable> requests = new ArrayDeque<>();
    private boolean running;
    private Wake wake;
    /** Used by the thread alone. */
    private final LinkedHashSet<Entry> entries = new LinkedHashSet<>();

    void add(Entry entry) {
        ask(() -> entries.add(entry));
    }

    /** Never waits: it happens on the waiter's thread. */
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
                wake = Wake.open();
                Thread.ofPlatform().daemon().name("fish-wait").inheritInheritableThreadLocals(false).start(this::run);
                running = true;
            } else if (wake == null) {
                asked.signal();
            } else {
                wake.up();
            }
        } finally {
            lock.unlock();
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
                entries.removeIf(Entry::look);
            } else {
                wake.poll(entries, idle ? IDLE_MS : -1);
            }
        }
    }

    private void sleep(int milliseconds) {
        lock.lock();
        try {
            if (requests.isEmpty()) {
                asked.await(milliseconds, TimeUnit.MILLISECONDS);
            }
        } catch (InterruptedException none) {
            // Nobody has this thread to interrupt it.
        } finally {
            lock.unlock();
        }
    }

    /** A pipe that wakes poll, and poll itself. */
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

        /** Null where there is no poll, or no descriptor left. */
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

        /** Waits until there is a request or something readable, looks at that, and forgets what is over. */
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
                    // A signal, or more descriptors than the process may have.
                    Thread.sleep(LOOK_MS);
                    all = true;
                }
                for (int at = 0; at < looked.size(); at++) {
                    boolean told = found > 0 && rows.get(JAVA_SHORT, (at + 1L) * POLLFD_SIZE + 6) != 0;
                    if ((told || all) && looked.get(at).look()) {
                        entries.remove(looked.get(at));
                    }
                }
            } catch (InterruptedException none) {
                // Nobody has this thread to interrupt it.
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
