package io.github.fishapicredit;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;

/** Converts what a program passes to what the library takes. */
final class Given {
    private static final long LONGEST_MS = 0xFFFF_FFFFL;
    private static final BigDecimal MICROS = BigDecimal.valueOf(1_000_000);

    private Given() {}

    /** A copy in UTF-8; NULL for null. */
    static MemorySegment text(Arena arena, String name, String text) {
        if (text == null) {
            return MemorySegment.NULL;
        }
        if (text.indexOf('\0') >= 0) {
            throw FishException.invalid(name + " contains a NUL character; remove it.");
        }
        try {
            var bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
            var copy = arena.allocate(bytes.remaining() + 1L);
            copy.copyFrom(MemorySegment.ofBuffer(bytes));
            Arrays.fill(bytes.array(), (byte) 0);
            return copy;
        } catch (CharacterCodingException lone) {
            throw FishException.invalid(name + " contains a lone surrogate; pass valid text.");
        }
    }

    /** For a copy of a secret: zeros in its place. */
    static void wipe(MemorySegment text) {
        if (!text.equals(MemorySegment.NULL)) {
            var octets = text.reinterpret(Long.MAX_VALUE);
            for (long at = 0; octets.get(JAVA_BYTE, at) != 0; at++) {
                octets.set(JAVA_BYTE, at, (byte) 0);
            }
        }
    }

    /** Rounds up, so that only null becomes 0, the library's default. */
    static int milliseconds(String name, Duration duration) {
        if (duration == null) {
            return 0;
        }
        if (!duration.isPositive()) {
            throw FishException.invalid(name + " is not above zero; set it above zero, or pass null for the default.");
        }
        if (duration.getSeconds() > LONGEST_MS / 1000) {
            return (int) LONGEST_MS;
        }
        return (int) Math.min(duration.plusNanos(999_999).toMillis(), LONGEST_MS);
    }

    static int retries(int most) {
        if (most < 0) {
            throw FishException.invalid("maxRetries is out of range; set it to a count, or to 0 for no retries.");
        }
        return most == 0 ? -1 : most;
    }

    static int roots(boolean system) {
        return system ? Abi.TLS_ROOTS_SYSTEM : Abi.TLS_ROOTS_BUNDLED;
    }

    /** In micros, rounded up: a credit is below the amount exactly if its whole micros are. */
    static long micros(String name, BigDecimal amount) {
        if (amount == null) {
            return 0;
        }
        if (amount.signum() < 0 || amount.compareTo(BigDecimal.valueOf(Long.MAX_VALUE / 1_000_000)) >= 0) {
            throw FishException.invalid(name + " is out of range; pass an amount of 0 or more, or null.");
        }
        return amount.multiply(MICROS).setScale(0, RoundingMode.CEILING).longValueExact();
    }
}
