'use strict';

// fish_api_credit.h in koffi's words: constants, statuses, structs and functions.
// Written from src/ffi: FISH_WRITE=1 cargo test --test generated

exports.VERSION = '0.1.0';
exports.VERSION_MAJOR = 0;
exports.VERSION_MINOR = 1;
exports.VERSION_PATCH = 0;
exports.ABI_VERSION = 1;
exports.TLS_ROOTS_BUNDLED = 0;
exports.TLS_ROOTS_SYSTEM = 1;
exports.TIME_UNKNOWN = -(2n ** 63n);

/** How a call ended. A newer library may have statuses that are not here. */
exports.Status = Object.freeze({
  OK: 0,
  INVALID_ARGUMENT: 1,
  MISSING_API_KEY: 2,
  CANCELLED: 3,
  PENDING: 4,
  RESOLVE_FAILED: 20,
  CONNECT_FAILED: 21,
  TLS_FAILED: 22,
  PROXY_FAILED: 23,
  TIMED_OUT: 24,
  CONNECTION_LOST: 25,
  UNAUTHORIZED: 40,
  PAYMENT_REQUIRED: 41,
  FORBIDDEN: 42,
  NOT_FOUND: 43,
  VALIDATION_FAILED: 44,
  RATE_LIMITED: 45,
  SERVER_ERROR: 46,
  UNEXPECTED_STATUS: 47,
  BAD_RESPONSE: 48,
  RESPONSE_TOO_LARGE: 49,
  INTERNAL_ERROR: 90,
});

/** Yes, no, or unknown. */
exports.Tristate = Object.freeze({
  UNKNOWN: -1,
  FALSE: 0,
  TRUE: 1,
});

/** How much credit is left, by its amount and a watch's options. */
exports.Level = Object.freeze({
  UNKNOWN: 0,
  OK: 1,
  LOW: 2,
  EMPTY: 3,
});

/** Every struct: the type of each field. A pair is an array. */
exports.STRUCTS = {
  fish_client_options: {
    api_key: 'str',
    base_url: 'str',
    proxy_url: 'str',
    ca_file: 'str',
    user_agent: 'str',
    timeout_ms: 'uint32_t',
    connect_timeout_ms: 'uint32_t',
    max_retries: 'int32_t',
    tls_roots: 'int32_t',
    reserved: ['uint64_t', 8],
  },
  fish_api_credit_query: {
    user_id: 'str',
    team_id: 'str',
    check_free_credit: 'bool',
    timeout_ms: 'uint32_t',
    cancel: 'pointer',
    reserved: ['uint64_t', 4],
  },
  fish_api_credit: {
    id: 'str',
    user_id: 'str',
    credit: 'str',
    cumulative_top_up: 'str',
    created_at: 'str',
    updated_at: 'str',
    request_id: 'str',
    credit_micros: 'int64_t',
    cumulative_top_up_micros: 'int64_t',
    created_at_unix_us: 'int64_t',
    updated_at_unix_us: 'int64_t',
    credit_micros_exact: 'bool',
    has_phone_sha256: 'int32_t',
    has_free_credit: 'int32_t',
    owner: 'pointer',
    reserved: ['uint64_t', 4],
  },
  fish_field_error: {
    location: 'str',
    source: 'str',
    type: 'str',
    message: 'str',
    context: 'str',
  },
  fish_error: {
    status: 'int32_t',
    http_status: 'int32_t',
    attempts: 'uint32_t',
    retry_after_ms: 'uint32_t',
    retryable: 'bool',
    message: 'str',
    api_message: 'str',
    api_reason: 'str',
    request_id: 'str',
    body: 'str',
    field_errors: 'fish_field_error *',
    field_error_count: 'size_t',
    owner: 'pointer',
    reserved: ['uint64_t', 4],
  },
  fish_watch_options: {
    interval_ms: 'uint32_t',
    low_micros: 'int64_t',
    recovered_micros: 'int64_t',
    reserved: ['uint64_t', 6],
  },
  fish_watch_state: {
    credit: 'fish_api_credit',
    level: 'int32_t',
    status: 'int32_t',
    failures: 'uint32_t',
    next_ms: 'uint32_t',
    age_ms: 'uint64_t',
    changes: 'uint64_t',
    owner: 'pointer',
    reserved: ['uint64_t', 4],
  },
};

/** Every function: what it returns, and what it takes. 'pointer *' is filled by the function. */
exports.FUNCTIONS = {
  fish_version: ['str', []],
  fish_abi_version: ['uint32_t', []],
  fish_status_name: ['str', ['int32_t']],
  fish_client_new: ['int32_t', ['fish_client_options *', 'pointer *', 'fish_error *']],
  fish_client_cancel: ['void', ['pointer']],
  fish_client_free: ['void', ['pointer']],
  fish_get_api_credit: ['int32_t', ['pointer', 'fish_api_credit_query *', 'fish_api_credit *', 'fish_error *']],
  fish_api_credit_free: ['void', ['fish_api_credit *']],
  fish_format_micros: ['size_t', ['int64_t', 'uint32_t', 'pointer', 'size_t']],
  fish_get_api_credit_json: ['int32_t', ['pointer', 'fish_api_credit_query *', 'pointer *', 'fish_error *']],
  fish_string_free: ['void', ['pointer']],
  fish_api_credit_from_json: ['int32_t', ['str', 'size_t', 'fish_api_credit *', 'fish_error *']],
  fish_error_free: ['void', ['fish_error *']],
  fish_cancel_token_new: ['pointer', []],
  fish_cancel_token_cancel: ['void', ['pointer']],
  fish_cancel_token_free: ['void', ['pointer']],
  fish_call_start: ['int32_t', ['pointer', 'fish_api_credit_query *', 'pointer *', 'fish_error *']],
  fish_call_is_done: ['bool', ['pointer']],
  fish_call_wait: ['int32_t', ['pointer', 'uint32_t']],
  fish_call_descriptor: ['intptr_t', ['pointer']],
  fish_call_result: ['int32_t', ['pointer', 'fish_api_credit *', 'fish_error *']],
  fish_call_result_json: ['int32_t', ['pointer', 'pointer *', 'fish_error *']],
  fish_call_free: ['void', ['pointer']],
  fish_watch_start: ['int32_t', ['pointer', 'fish_api_credit_query *', 'fish_watch_options *', 'pointer *', 'fish_error *']],
  fish_watch_read: ['int32_t', ['pointer', 'fish_watch_state *', 'fish_error *']],
  fish_watch_refresh: ['void', ['pointer']],
  fish_watch_descriptor: ['intptr_t', ['pointer']],
  fish_watch_state_free: ['void', ['fish_watch_state *']],
  fish_watch_free: ['void', ['pointer']],
};
