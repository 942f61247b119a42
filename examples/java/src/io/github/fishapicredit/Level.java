// Written from the library's source: FISH_WRITE=1 cargo test --test generated
package io.github.fishapicredit;

/** How much credit there is, told from its amount and a watch's options. */
public enum Level {
    /** Nothing has been read yet. */
    UNKNOWN(0),
    /** Enough. */
    OK(1),
    /** Below low, or still below recovered after a low or empty credit. */
    LOW(2),
    /** At or below zero; without low also while still below recovered. */
    EMPTY(3),
    /** A level that this package does not know: the library is newer. */
    UNRECOGNIZED(-1);

    private final int code;

    Level(int code) {
        this.code = code;
    }

    /** The library's number. */
    public int code() {
        return code;
    }

    static Level of(int code) {
        for (var one : values()) {
            if (one.code == code) {
                return one;
            }
        }
        return UNRECOGNIZED;
    }
}
