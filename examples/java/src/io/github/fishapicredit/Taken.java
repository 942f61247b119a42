package io.github.fishapicredit;

import static java.lang.foreign.ValueLayout.ADDRESS;

import java.lang.foreign.MemorySegment;
import java.math.BigDecimal;
import java.time.Instant;

/** Converts what the library fills in to Java's types. */
final class Taken {
    private Taken() {}

    /** The text in a field, or null. */
    static String text(MemorySegment filled, long field) {
        return text(filled.get(ADDRESS, field));
    }

    static String text(MemorySegment text) {
        return text.equals(MemorySegment.NULL) ? null : text.reinterpret(Long.MAX_VALUE).getString(0);
    }

    static BigDecimal decimal(MemorySegment filled, long field) {
        var text = text(filled, field);
        return text == null ? null : new BigDecimal(text);
    }

    static Instant instant(long micros) {
        return micros == Abi.TIME_UNKNOWN ? null
                : Instant.ofEpochSecond(Math.floorDiv(micros, 1_000_000L), Math.floorMod(micros, 1_000_000L) * 1000);
    }

    static Boolean answer(int tristate) {
        return tristate == Abi.UNKNOWN ? null : tristate == Abi.TRUE;
    }
}
