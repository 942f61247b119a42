package io.github.fishapicredit;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * Any failure of a call. {@link #status()} is its kind; the message is one sentence that says what failed and what to
 * do, without secrets.
 */
public final class FishException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final int statusCode;
    private final int httpStatus;
    private final int attempts;
    private final Duration retryAfter;
    private final boolean retryable;
    private final String apiMessage;
    private final String apiReason;
    private final String requestId;
    private final String body;
    private final transient List<FieldError> fieldErrors;

    private FishException(int status, String message) {
        super(message + " (" + name(status) + ")");
        statusCode = status;
        httpStatus = 0;
        attempts = 0;
        retryAfter = null;
        retryable = false;
        apiMessage = apiReason = requestId = body = null;
        fieldErrors = List.of();
    }

    private FishException(MemorySegment filled, int status) {
        super(inJava(Taken.text(filled, Abi.Error.MESSAGE)) + " (" + name(status) + ")");
        statusCode = status;
        httpStatus = filled.get(JAVA_INT, Abi.Error.HTTP_STATUS);
        attempts = filled.get(JAVA_INT, Abi.Error.ATTEMPTS);
        long milliseconds = Integer.toUnsignedLong(filled.get(JAVA_INT, Abi.Error.RETRY_AFTER_MS));
        retryAfter = milliseconds == 0 ? null : Duration.ofMillis(milliseconds);
        retryable = filled.get(JAVA_BOOLEAN, Abi.Error.RETRYABLE);
        apiMessage = Taken.text(filled, Abi.Error.API_MESSAGE);
        apiReason = Taken.text(filled, Abi.Error.API_REASON);
        requestId = Taken.text(filled, Abi.Error.REQUEST_ID);
        body = Taken.text(filled, Abi.Error.BODY);
        long count = filled.get(JAVA_LONG, Abi.Error.FIELD_ERROR_COUNT);
        var rows = filled.get(ADDRESS, Abi.Error.FIELD_ERRORS).reinterpret(count * Abi.FieldError.SIZE);
        fieldErrors = LongStream.range(0, count)
                .mapToObj(at -> FieldError.copy(rows.asSlice(at * Abi.FieldError.SIZE, Abi.FieldError.SIZE)))
                .toList();
    }

    /** Copies what the library filled in, and frees that. */
    static FishException take(MemorySegment filled) {
        try {
            return new FishException(filled, filled.get(JAVA_INT, Abi.Error.STATUS));
        } finally {
            Abi.fish_error_free(filled);
        }
    }

    static FishException invalid(String message) {
        return new FishException(Abi.INVALID_ARGUMENT, message);
    }

    static FishException cancelled(String message) {
        return new FishException(Abi.CANCELLED, message);
    }

    /** The kind of failure; {@link Status#UNRECOGNIZED} if this package does not know it. */
    public Status status() {
        return Status.of(statusCode);
    }

    /** The status as the library's number. */
    public int statusCode() {
        return statusCode;
    }

    /** The HTTP status of the last response. 0: none arrived. */
    public int httpStatus() {
        return httpStatus;
    }

    /** Requests tried, including retries and failed connections. 0: nothing was sent. */
    public int attempts() {
        return attempts;
    }

    /** How long the server asks to wait. null: not sent. */
    public Duration retryAfter() {
        return retryAfter;
    }

    /** Whether the same call may succeed later. */
    public boolean retryable() {
        return retryable;
    }

    /** The server's own message. null: there is none. */
    public String apiMessage() {
        return apiMessage;
    }

    /** Its machine-readable reason. null: there is none. */
    public String apiReason() {
        return apiReason;
    }

    /** Its id for this request, to quote to its support. null: not sent. */
    public String requestId() {
        return requestId;
    }

    /** The start of the error body. null: it is empty. */
    public String body() {
        return body;
    }

    /** The problems that a 422 lists. */
    public List<FieldError> fieldErrors() {
        return fieldErrors == null ? List.of() : fieldErrors;
    }

    private static String name(int status) {
        var known = Status.of(status);
        if (known != Status.UNRECOGNIZED) {
            return "FISH_" + known;
        }
        return Taken.text(Abi.fish_status_name(status));
    }

    /** Not within quotes: those are around the server's words. */
    private static final Pattern NAMES = Pattern.compile(Abi.NAMES.keySet().stream()
            .sorted((one, other) -> other.length() - one.length())
            .map(Pattern::quote)
            .collect(Collectors.joining("|", "(?<![\\w\"])(?:options\\.|query\\.)?(", ")(?!\\w)")));

    /** Replaces the C names in the library's message by this package's: "options.ca_file" becomes caFile. */
    private static String inJava(String message) {
        return NAMES.matcher(message).replaceAll(found -> Abi.NAMES.get(found.group(1)));
    }
}
