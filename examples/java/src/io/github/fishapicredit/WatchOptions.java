package io.github.fishapicredit;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.math.BigDecimal;
import java.time.Duration;

/**
 * The options of a watch. null means the library's default.
 *
 * @param interval between two readings, at least a second; null: a minute
 * @param low a credit below this is {@link Level#LOW}; null: no such level
 * @param recovered after LOW or EMPTY, the level returns to OK only at or above this; null: low
 */
public record WatchOptions(Duration interval, BigDecimal low, BigDecimal recovered) {
    /** The library's defaults. */
    public static final WatchOptions DEFAULT = new WatchOptions(null, null, null);

    /** The struct that C reads, whose own messages would speak of other units. */
    MemorySegment given(Arena arena) {
        if (interval != null && interval.compareTo(Duration.ofSeconds(1)) < 0) {
            throw FishException.invalid(
                    "interval is below 1 second; set it to 1 second or more, or pass null for 1 minute.");
        }
        if (recovered != null && recovered.compareTo(low == null ? BigDecimal.ZERO : low) < 0) {
            throw FishException.invalid("recovered is below low; set it to low or more, or pass null for low.");
        }
        var given = arena.allocate(Abi.WatchOptions.SIZE, 8);
        given.set(JAVA_INT, Abi.WatchOptions.INTERVAL_MS, Given.milliseconds("interval", interval));
        given.set(JAVA_LONG, Abi.WatchOptions.LOW_MICROS, Given.micros("low", low));
        given.set(JAVA_LONG, Abi.WatchOptions.RECOVERED_MICROS, Given.micros("recovered", recovered));
        return given;
    }
}
