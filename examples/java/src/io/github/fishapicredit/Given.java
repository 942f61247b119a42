package io.github.fishapicredit;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** What a program gives, in the library's terms. */
final class Given {
    private static final long LONGEST_MS = 0xFFFF_FFFFL;
    private static final BigDecimal MICROS = BigDecimal.valueOf(1_000_000);

    private Given() {}

    /** NULL for null. */
    static MemorySegment text(Arena arena, String name, String text) {
        if (text == null) {
            return MemorySegment.NULL;
        }
        if (text.indexOf('\0') >= 0) {
            throw FishException.invalid(name + " has a NUL character in it; remove it.");
        }
        try {
            var bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
            var copy = arena.allocate(bytes.remaining() + 1L);
            copy.copyFrom(MemorySegment.ofBuffer(bytes));
            return copy;
        } catch (CharacterCodingException lone) {
            throw FishException.invalid(name + " has a lone surrogate in it; pass valid text.");
        }
    }

    /** 0, the library's default, only for null: a very short time is not the default one. */
    static int milliseconds(String name, Duration duration) {
        if (duration == null) {
            return 0;
        }
        if (!duration.isPositive()) {
            throw FishException.invalid(name + " is not above zero; pass null for the default.");
        }
        if (duration.getSeconds() > LONGEST_MS / 1000) {
            return (int) LONGEST_MS;
        }
        return (int) Math.min(duration.plusNanos(999_999).toMillis(), LONGEST_MS);
    }

    static int retries(int most) {
        if (most < 0) {
            throw FishException.invalid("maxRetries is out of range; 0 is none.");
        }
        return most == 0 ? -1 : most;
    }

    static int roots(boolean system) {
        return system ? Abi.TLS_ROOTS_SYSTEM : Abi.TLS_ROOTS_BUNDLED;
    }

    /** Rounded up: a credit is below it exactly if its whole micros are. */
    static long micros(String name, BigDecimal amount) {
        if (amount == null) {
            return 0;
        }
        if (amount.signum() < 0 || amount.compareTo(BigDecimal.valueOf(Long.MAX_VALUE / 1_000_000)) >= 0) {
            throw FishException.invalid(name + " is out of range; pass an amount from 0, or null.");
        }
        return amount.multiply(MICROS).setScale(0, RoundingMode.CEILING).longValueExact();
    }
}
