package io.github.fishapicredit;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;

/**
 * The state of a watch.
 *
 * @param credit the last credit that was read; null: none yet. A failure never replaces it
 * @param level the level of that credit
 * @param status how the latest reading ended. PENDING: none has ended yet. CANCELLED: the watch has ended
 * @param error why the latest reading failed; null: it did not
 * @param failures how many readings in a row failed
 * @param nextIn until the next reading starts; null: never
 * @param age since credit was read, including time asleep; null: nothing has been read
 * @param changes increases by one whenever credit, level or status changes
 */
public record WatchState(
        Credit credit,
        Level level,
        Status status,
        FishException error,
        int failures,
        Duration nextIn,
        Duration age,
        long changes) {
    static WatchState read(MemorySegment watch) {
        try (var arena = Arena.ofConfined()) {
            var filled = arena.allocate(Abi.WatchState.SIZE, 8);
            var failure = arena.allocate(Abi.Error.SIZE, 8);
            Abi.fish_watch_read(watch, filled, failure);
            boolean failed = failure.get(JAVA_INT, Abi.Error.STATUS) != Abi.OK;
            var error = failed ? FishException.take(failure) : null;
            try {
                var credit = filled.asSlice(Abi.WatchState.CREDIT, Abi.ApiCredit.SIZE);
                boolean known = !credit.get(ADDRESS, Abi.ApiCredit.ID).equals(MemorySegment.NULL);
                int next = filled.get(JAVA_INT, Abi.WatchState.NEXT_MS);
                return new WatchState(
                        known ? Credit.copy(credit) : null,
                        Level.of(filled.get(JAVA_INT, Abi.WatchState.LEVEL)),
                        Status.of(filled.get(JAVA_INT, Abi.WatchState.STATUS)),
                        error,
                        filled.get(JAVA_INT, Abi.WatchState.FAILURES),
                        next == -1 ? null : Duration.ofMillis(Integer.toUnsignedLong(next)),
                        known ? Duration.ofMillis(filled.get(JAVA_LONG, Abi.WatchState.AGE_MS)) : null,
                        filled.get(JAVA_LONG, Abi.WatchState.CHANGES));
            } finally {
                Abi.fish_watch_state_free(filled);
            }
        }
    }
}
