// Written from the library's source: FISH_WRITE=1 cargo test --test generated
package io.github.fishapicredit;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Map;

/** fish_api_credit.h in java.lang.foreign's words: constants, layouts and functions, where pointers have 64 bits. */
final class Abi {
    private Abi() {}

    static final String VERSION = "0.1.0";
    static final int VERSION_MAJOR = 0;
    static final int VERSION_MINOR = 1;
    static final int VERSION_PATCH = 0;
    static final int ABI_VERSION = 1;
    static final int TLS_ROOTS_BUNDLED = 0;
    static final int TLS_ROOTS_SYSTEM = 1;
    static final long TIME_UNKNOWN = Long.MIN_VALUE;

    static final int OK = 0;
    static final int INVALID_ARGUMENT = 1;
    static final int MISSING_API_KEY = 2;
    static final int CANCELLED = 3;
    static final int PENDING = 4;
    static final int RESOLVE_FAILED = 20;
    static final int CONNECT_FAILED = 21;
    static final int TLS_FAILED = 22;
    static final int PROXY_FAILED = 23;
    static final int TIMED_OUT = 24;
    static final int CONNECTION_LOST = 25;
    static final int UNAUTHORIZED = 40;
    static final int PAYMENT_REQUIRED = 41;
    static final int FORBIDDEN = 42;
    static final int NOT_FOUND = 43;
    static final int VALIDATION_FAILED = 44;
    static final int RATE_LIMITED = 45;
    static final int SERVER_ERROR = 46;
    static final int UNEXPECTED_STATUS = 47;
    static final int BAD_RESPONSE = 48;
    static final int RESPONSE_TOO_LARGE = 49;
    static final int INTERNAL_ERROR = 90;
    static final int UNKNOWN = -1;
    static final int FALSE = 0;
    static final int TRUE = 1;
    static final int LEVEL_UNKNOWN = 0;
    static final int LEVEL_OK = 1;
    static final int LEVEL_LOW = 2;
    static final int LEVEL_EMPTY = 3;

    /** fish_client_options: its size, and where its fields are, in bytes. */
    static final class ClientOptions {
        static final long SIZE = 120;
        static final long API_KEY = 0;
        static final long BASE_URL = 8;
        static final long PROXY_URL = 16;
        static final long CA_FILE = 24;
        static final long USER_AGENT = 32;
        static final long TIMEOUT_MS = 40;
        static final long CONNECT_TIMEOUT_MS = 44;
        static final long MAX_RETRIES = 48;
        static final long TLS_ROOTS = 52;

        private ClientOptions() {}
    }

    /** fish_api_credit_query: its size, and where its fields are, in bytes. */
    static final class ApiCreditQuery {
        static final long SIZE = 64;
        static final long USER_ID = 0;
        static final long TEAM_ID = 8;
        static final long CHECK_FREE_CREDIT = 16;
        static final long TIMEOUT_MS = 20;
        static final long CANCEL = 24;

        private ApiCreditQuery() {}
    }

    /** fish_api_credit: its size, and where its fields are, in bytes. */
    static final class ApiCredit {
        static final long SIZE = 144;
        static final long ID = 0;
        static final long USER_ID = 8;
        static final long CREDIT = 16;
        static final long CUMULATIVE_TOP_UP = 24;
        static final long CREATED_AT = 32;
        static final long UPDATED_AT = 40;
        static final long REQUEST_ID = 48;
        static final long CREDIT_MICROS = 56;
        static final long CUMULATIVE_TOP_UP_MICROS = 64;
        static final long CREATED_AT_UNIX_US = 72;
        static final long UPDATED_AT_UNIX_US = 80;
        static final long CREDIT_MICROS_EXACT = 88;
        static final long HAS_PHONE_SHA256 = 92;
        static final long HAS_FREE_CREDIT = 96;
        static final long OWNER = 104;

        private ApiCredit() {}
    }

    /** fish_field_error: its size, and where its fields are, in bytes. */
    static final class FieldError {
        static final long SIZE = 40;
        static final long LOCATION = 0;
        static final long SOURCE = 8;
        static final long TYPE = 16;
        static final long MESSAGE = 24;
        static final long CONTEXT = 32;

        private FieldError() {}
    }

    /** fish_error: its size, and where its fields are, in bytes. */
    static final class Error {
        static final long SIZE = 120;
        static final long STATUS = 0;
        static final long HTTP_STATUS = 4;
        static final long ATTEMPTS = 8;
        static final long RETRY_AFTER_MS = 12;
        static final long RETRYABLE = 16;
        static final long MESSAGE = 24;
        static final long API_MESSAGE = 32;
        static final long API_REASON = 40;
        static final long REQUEST_ID = 48;
        static final long BODY = 56;
        static final long FIELD_ERRORS = 64;
        static final long FIELD_ERROR_COUNT = 72;
        static final long OWNER = 80;

        private Error() {}
    }

    /** fish_watch_options: its size, and where its fields are, in bytes. */
    static final class WatchOptions {
        static final long SIZE = 72;
        static final long INTERVAL_MS = 0;
        static final long LOW_MICROS = 8;
        static final long RECOVERED_MICROS = 16;

        private WatchOptions() {}
    }

    /** fish_watch_state: its size, and where its fields are, in bytes. */
    static final class WatchState {
        static final long SIZE = 216;
        static final long CREDIT = 0;
        static final long LEVEL = 144;
        static final long STATUS = 148;
        static final long FAILURES = 152;
        static final long NEXT_MS = 156;
        static final long AGE_MS = 160;
        static final long CHANGES = 168;
        static final long OWNER = 176;

        private WatchState() {}
    }

    /** The names in the library's messages that differ here. */
    static final Map<String, String> NAMES = Map.ofEntries(
            Map.entry("api_key", "apiKey"),
            Map.entry("api_message", "apiMessage"),
            Map.entry("api_reason", "apiReason"),
            Map.entry("base_url", "baseUrl"),
            Map.entry("ca_file", "caFile"),
            Map.entry("check_free_credit", "checkFreeCredit"),
            Map.entry("connect_timeout_ms", "connectTimeout"),
            Map.entry("field_error_count", "fieldErrorCount"),
            Map.entry("field_errors", "fieldErrors"),
            Map.entry("http_status", "httpStatus"),
            Map.entry("interval_ms", "interval"),
            Map.entry("low_micros", "low"),
            Map.entry("max_retries", "maxRetries"),
            Map.entry("proxy_url", "proxyUrl"),
            Map.entry("recovered_micros", "recovered"),
            Map.entry("request_id", "requestId"),
            Map.entry("retry_after_ms", "retryAfter"),
            Map.entry("team_id", "teamId"),
            Map.entry("timeout_ms", "timeout"),
            Map.entry("tls_roots", "systemRoots"),
            Map.entry("user_agent", "userAgent"),
            Map.entry("user_id", "userId"),
            Map.entry("FISH_TLS_ROOTS_SYSTEM", "true"),
            Map.entry("FISH_TLS_ROOTS_BUNDLED", "false"),
            Map.entry("NULL", "null"));

    private static final MethodHandle FISH_VERSION =
            Library.function("fish_version", FunctionDescriptor.of(ADDRESS));

    static MemorySegment fish_version() {
        try {
            return (MemorySegment) FISH_VERSION.invokeExact();
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static final MethodHandle FISH_ABI_VERSION =
            Library.function("fish_abi_version", FunctionDescriptor.of(JAVA_INT));

    static int fish_abi_version() {
        try {
            return (int) FISH_ABI_VERSION.invokeExact();
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static final MethodHandle FISH_STATUS_NAME =
            Library.function("fish_status_name", FunctionDescriptor.of(ADDRESS, JAVA_INT));

    static MemorySegment fish_status_name(int status) {
        try {
            return (MemorySegment) FISH_STATUS_NAME.invokeExact(status);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static final MethodHandle FISH_CLIENT_NEW =
            Library.function("fish_client_new", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS));

    static int fish_client_new(MemorySegment options, MemorySegment client, MemorySegment error) {
        try {
            return (int) FISH_CLIENT_NEW.invokeExact(options, client, error);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static final MethodHandle FISH_CLIENT_CANCEL =
            Library.function("fish_client_cancel", FunctionDescriptor.ofVoid(ADDRESS));

    static void fish_client_cancel(MemorySegment client) {
        try {
            FISH_CLIENT_CANCEL.invokeExact(client);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static final MethodHandle FISH_CLIENT_FREE =
            Library.function("fish_client_free", FunctionDescriptor.ofVoid(ADDRESS));

    static void fish_client_free(MemorySegment client) {
        try {
            FISH_CLIENT_FREE.invokeExact(client);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static final MethodHandle FISH_GET_API_CREDIT =
            Library.function("fish_get_api_credit", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS));

    static int fish_get_api_credit(MemorySegment client, MemorySegment query, MemorySegment credit, MemorySegment error) {
        try {
            return (int) FISH_GET_API_CREDIT.invokeExact(client, query, credit, error);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static final MethodHandle FISH_API_CREDIT_FREE =
            Library.function("fish_api_credit_free", FunctionDescriptor.ofVoid(ADDRESS));

    static void fish_api_credit_free(MemorySegment credit) {
        try {
            FISH_API_CREDIT_FREE.invokeExact(credit);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static final MethodHandle FISH_FORMAT_MICROS =
            Library.function("fish_format_micros", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG));

    static long fish_format_micros(long micros, int decimals, MemorySegment buffer, long size) {
        try {
            return (long) FISH_FORMAT_MICROS.invokeExact(micros, decimals, buffer, size);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static final MethodHandle FISH_GET_API_CREDIT_JSON =
            Library.function("fish_get_api_credit_json", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS));

    static int fish_get_api_credit_json(MemorySegment client, MemorySegment query, MemorySegment json, MemorySegment error) {
        try {
            return (int) FISH_GET_API_CREDIT_JSON.invokeExact(client, query, json, error);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static final MethodHandle FISH_STRING_FREE =
            Library.function("fish_string_free", FunctionDescriptor.ofVoid(ADDRESS));

    static void fish_string_free(MemorySegment string) {
        try {
            FISH_STRING_FREE.invokeExact(string);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static final MethodHandle FISH_API_CREDIT_FROM_JSON =
            Library.function("fish_api_credit_from_json", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS));

    static int fish_api_credit_from_json(MemorySegment json, long length, MemorySegment credit, MemorySegment error) {
        try {
            return (int) FISH_API_CREDIT_FROM_JSON.invokeExact(json, length, credit, error);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static final MethodHandle FISH_ERROR_FREE =
            Library.function("fish_error_free", FunctionDescriptor.ofVoid(ADDRESS));

    static void fish_error_free(MemorySegment error) {
        try {
            FISH_ERROR_FREE.invokeExact(error);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static final MethodHandle FISH_CANCEL_TOKEN_NEW =
            Library.function("fish_cancel_token_new", FunctionDescriptor.of(ADDRESS));

    static MemorySegment fish_cancel_token_new() {
        try {
            return (MemorySegment) FISH_CANCEL_TOKEN_NEW.invokeExact();
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static final MethodHandle FISH_CANCEL_TOKEN_CANCEL =
            Library.function("fish_cancel_token_cancel", FunctionDescriptor.ofVoid(ADDRESS));

    static void fish_cancel_token_cancel(MemorySegment token) {
        try {
            FISH_CANCEL_TOKEN_CANCEL.invokeExact(token);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static final MethodHandle FISH_CANCEL_TOKEN_FREE =
            Library.function("fish_cancel_token_free", FunctionDescriptor.ofVoid(ADDRESS));

    static void fish_cancel_token_free(MemorySegment token) {
        try {
            FISH_CANCEL_TOKEN_FREE.invokeExact(token);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static final MethodHandle FISH_CALL_START =
            Library.function("fish_call_start", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS));

    static int fish_call_start(MemorySegment client, MemorySegment query, MemorySegment call, MemorySegment error) {
        try {
            return (int) FISH_CALL_START.invokeExact(client, query, call, error);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static final MethodHandle FISH_CALL_IS_DONE =
            Library.function("fish_call_is_done", FunctionDescriptor.of(JAVA_BOOLEAN, ADDRESS));

    static boolean fish_call_is_done(MemorySegment call) {
        try {
            return (boolean) FISH_CALL_IS_DONE.invokeExact(call);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static final MethodHandle FISH_CALL_WAIT =
            Library.function("fish_call_wait", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));

    static int fish_call_wait(MemorySegment call, int timeoutMs) {
        try {
            return (int) FISH_CALL_WAIT.invokeExact(call, timeoutMs);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static final MethodHandle FISH_CALL_DESCRIPTOR =
            Library.function("fish_call_descriptor", FunctionDescriptor.of(JAVA_LONG, ADDRESS));

    static long fish_call_descriptor(MemorySegment call) {
        try {
            return (long) FISH_CALL_DESCRIPTOR.invokeExact(call);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static final MethodHandle FISH_CALL_RESULT =
            Library.function("fish_call_result", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS));

    static int fish_call_result(MemorySegment call, MemorySegment credit, MemorySegment error) {
        try {
            return (int) FISH_CALL_RESULT.invokeExact(call, credit, error);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static final MethodHandle FISH_CALL_RESULT_JSON =
            Library.function("fish_call_result_json", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS));

    static int fish_call_result_json(MemorySegment call, MemorySegment json, MemorySegment error) {
        try {
            return (int) FISH_CALL_RESULT_JSON.invokeExact(call, json, error);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static final MethodHandle FISH_CALL_FREE =
            Library.function("fish_call_free", FunctionDescriptor.ofVoid(ADDRESS));

    static void fish_call_free(MemorySegment call) {
        try {
            FISH_CALL_FREE.invokeExact(call);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static final MethodHandle FISH_WATCH_START =
            Library.function("fish_watch_start", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS));

    static int fish_watch_start(MemorySegment client, MemorySegment query, MemorySegment options, MemorySegment watch, MemorySegment error) {
        try {
            return (int) FISH_WATCH_START.invokeExact(client, query, options, watch, error);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static final MethodHandle FISH_WATCH_READ =
            Library.function("fish_watch_read", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS));

    static int fish_watch_read(MemorySegment watch, MemorySegment state, MemorySegment error) {
        try {
            return (int) FISH_WATCH_READ.invokeExact(watch, state, error);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static final MethodHandle FISH_WATCH_REFRESH =
            Library.function("fish_watch_refresh", FunctionDescriptor.ofVoid(ADDRESS));

    static void fish_watch_refresh(MemorySegment watch) {
        try {
            FISH_WATCH_REFRESH.invokeExact(watch);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static final MethodHandle FISH_WATCH_DESCRIPTOR =
            Library.function("fish_watch_descriptor", FunctionDescriptor.of(JAVA_LONG, ADDRESS));

    static long fish_watch_descriptor(MemorySegment watch) {
        try {
            return (long) FISH_WATCH_DESCRIPTOR.invokeExact(watch);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static final MethodHandle FISH_WATCH_STATE_FREE =
            Library.function("fish_watch_state_free", FunctionDescriptor.ofVoid(ADDRESS));

    static void fish_watch_state_free(MemorySegment state) {
        try {
            FISH_WATCH_STATE_FREE.invokeExact(state);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static final MethodHandle FISH_WATCH_FREE =
            Library.function("fish_watch_free", FunctionDescriptor.ofVoid(ADDRESS));

    static void fish_watch_free(MemorySegment watch) {
        try {
            FISH_WATCH_FREE.invokeExact(watch);
        } catch (Throwable impossible) {
            throw new AssertionError(impossible);
        }
    }
}
