package io.github.fishapicredit;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.math.BigDecimal;
import java.time.Instant;

// Generated from src/ffi: the fields of fish_api_credit.
/**
 * An account's API credit, which programs spend; not the platform credit of a plan.
 *
 * @param id The wallet's id ("_id").
 * @param userId The account's id.
 * @param credit The balance exactly as sent, presumably in US dollars. May be negative.
 * @param cumulativeTopUp The total ever paid in, exactly as sent. null if the server did not send it.
 * @param createdAtText When the wallet was created, as sent (RFC 3339).
 * @param updatedAtText When the wallet last changed, as sent (RFC 3339).
 * @param requestId The server's id for this request (x-fish-trace-id, else cf-ray), to quote to its support.
 *     null if the server did not send one, or after parse.
 * @param creditMicros the balance x 1,000,000, rounded down (never overstated), saturating.
 * @param cumulativeTopUpMicros cumulativeTopUp x 1,000,000, likewise. null if the server did not send it.
 * @param createdAt When the wallet was created. null: the text is no RFC 3339 time.
 * @param updatedAt When the wallet last changed. null: the text is no RFC 3339 time.
 * @param creditMicrosExact False if creditMicros was rounded or saturated. The BigDecimal is always exact.
 * @param hasPhone Whether the account has a phone number. null: absent or null.
 * @param hasFreeCredit Whether free credit is left. null: absent or null, as it is without checkFreeCredit.
 */
public record Credit(
        String id,
        String userId,
        BigDecimal credit,
        BigDecimal cumulativeTopUp,
        String createdAtText,
        String updatedAtText,
        String requestId,
        long creditMicros,
        Long cumulativeTopUpMicros,
        Instant createdAt,
        Instant updatedAt,
        boolean creditMicrosExact,
        Boolean hasPhone,
        Boolean hasFreeCredit) {
    // End of the generated part.

    /** Decodes a document saved from {@link FishClient#apiCreditJson}. Does not use the network. */
    public static Credit parse(String json) {
        Library.load();
        try (var arena = Arena.ofConfined()) {
            var document = arena.allocateFrom(json);
            var filled = arena.allocate(Abi.ApiCredit.SIZE, 8);
            var failure = arena.allocate(Abi.Error.SIZE, 8);
            long length = document.byteSize() - 1;
            if (Abi.fish_api_credit_from_json(document, length, filled, failure) != Abi.OK) {
                throw FishException.take(failure);
            }
            return take(filled);
        }
    }

    /** Copies what the library filled in, and frees that. */
    static Credit take(MemorySegment filled) {
        try {
            return copy(filled);
        } finally {
            Abi.fish_api_credit_free(filled);
        }
    }

    static Credit copy(MemorySegment filled) {
        return new Credit(
                // Generated from src/ffi: how each is copied.
                Taken.text(filled, Abi.ApiCredit.ID),
                Taken.text(filled, Abi.ApiCredit.USER_ID),
                Taken.decimal(filled, Abi.ApiCredit.CREDIT),
                Taken.decimal(filled, Abi.ApiCredit.CUMULATIVE_TOP_UP),
                Taken.text(filled, Abi.ApiCredit.CREATED_AT),
                Taken.text(filled, Abi.ApiCredit.UPDATED_AT),
                Taken.text(filled, Abi.ApiCredit.REQUEST_ID),
                filled.get(JAVA_LONG, Abi.ApiCredit.CREDIT_MICROS),
                Taken.text(filled, Abi.ApiCredit.CUMULATIVE_TOP_UP) == null
                        ? null : filled.get(JAVA_LONG, Abi.ApiCredit.CUMULATIVE_TOP_UP_MICROS),
                Taken.instant(filled.get(JAVA_LONG, Abi.ApiCredit.CREATED_AT_UNIX_US)),
                Taken.instant(filled.get(JAVA_LONG, Abi.ApiCredit.UPDATED_AT_UNIX_US)),
                filled.get(JAVA_BOOLEAN, Abi.ApiCredit.CREDIT_MICROS_EXACT),
                Taken.answer(filled.get(JAVA_INT, Abi.ApiCredit.HAS_PHONE_SHA256)),
                Taken.answer(filled.get(JAVA_INT, Abi.ApiCredit.HAS_FREE_CREDIT))
                // End of the generated part.
                );
    }
}
