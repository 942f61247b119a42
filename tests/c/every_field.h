/* Written from src/ffi: FISH_WRITE=1 cargo test --test generated */
#define FISH_CLIENT_OPTIONS_TEXTS(X) \
  X(api_key) \
  X(base_url) \
  X(proxy_url) \
  X(ca_file) \
  X(user_agent)
#define FISH_CLIENT_OPTIONS_NUMBERS(X) \
  X(timeout_ms) \
  X(connect_timeout_ms) \
  X(max_retries) \
  X(tls_roots)
#define FISH_API_CREDIT_QUERY_TEXTS(X) \
  X(user_id) \
  X(team_id)
#define FISH_API_CREDIT_QUERY_NUMBERS(X) \
  X(check_free_credit) \
  X(timeout_ms)
#define FISH_API_CREDIT_TEXTS(X) \
  X(id) \
  X(user_id) \
  X(credit) \
  X(cumulative_top_up) \
  X(created_at) \
  X(updated_at) \
  X(request_id)
#define FISH_API_CREDIT_NUMBERS(X) \
  X(credit_micros) \
  X(cumulative_top_up_micros) \
  X(created_at_unix_us) \
  X(updated_at_unix_us) \
  X(credit_micros_exact)
#define FISH_API_CREDIT_ENUMS(X) \
  X(has_phone_sha256) \
  X(has_free_credit)
#define FISH_FIELD_ERROR_TEXTS(X) \
  X(location) \
  X(source) \
  X(type) \
  X(message) \
  X(context)
#define FISH_ERROR_TEXTS(X) \
  X(message) \
  X(api_message) \
  X(api_reason) \
  X(request_id) \
  X(body)
#define FISH_ERROR_NUMBERS(X) \
  X(http_status) \
  X(attempts) \
  X(retry_after_ms) \
  X(retryable) \
  X(field_error_count)
#define FISH_ERROR_ENUMS(X) \
  X(status)
#define FISH_WATCH_OPTIONS_NUMBERS(X) \
  X(interval_ms) \
  X(low_micros) \
  X(recovered_micros)
#define FISH_WATCH_STATE_NUMBERS(X) \
  X(failures) \
  X(next_ms) \
  X(age_ms) \
  X(changes)
#define FISH_WATCH_STATE_ENUMS(X) \
  X(level) \
  X(status)
