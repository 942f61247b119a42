package io.github.fishapicredit;

import java.lang.foreign.MemorySegment;

// Generated from src/ffi: the fields of fish_field_error.
/**
 * One problem that the server found in the request.
 *
 * @param location The field, such as "query.check_free_credit": the parts of "loc" joined by dots.
 * @param source "in": "path", "query", "header", "cookie" or "body". null if not sent.
 * @param type The kind of error, such as "bool_parsing".
 * @param message The server's description.
 * @param context "ctx" as text. null if not sent.
 */
public record FieldError(
        String location,
        String source,
        String type,
        String message,
        String context) {
    // End of the generated part.

    static FieldError copy(MemorySegment row) {
        return new FieldError(
                // Generated from src/ffi: how each is copied.
                Taken.text(row, Abi.FieldError.LOCATION),
                Taken.text(row, Abi.FieldError.SOURCE),
                Taken.text(row, Abi.FieldError.TYPE),
                Taken.text(row, Abi.FieldError.MESSAGE),
                Taken.text(row, Abi.FieldError.CONTEXT)
                // End of the generated part.
                );
    }
}
