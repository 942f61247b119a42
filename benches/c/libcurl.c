/* Fills the same struct with libcurl and cJSON, as a C program would without this library: one reused easy handle, a
 * timeout, and no signals, as a threaded program needs. */
#define _GNU_SOURCE /* strptime, timegm */
#include <cjson/cJSON.h>
#include <curl/curl.h>

#include "contender.h"

static CURL *easy;
static struct curl_slist *headers;
static char *body;
static size_t filled, room;

struct api_credit {
  char *id, *user_id, *credit, *cumulative_top_up, *created_at, *updated_at;
  int64_t credit_micros, cumulative_top_up_micros, created_at_unix_us, updated_at_unix_us;
  int has_phone_sha256, has_free_credit; /* -1: unknown */
};

static size_t keep(char *bytes, size_t size, size_t count, void *unused) {
  (void)unused;
  size_t length = size * count;
  if (filled + length + 1 > room) {
    room = 2 * (filled + length + 1);
    body = realloc(body, room);
    if (!body) die("out of memory");
  }
  memcpy(body + filled, bytes, length);
  filled += length;
  return length;
}

static void open_client(const char *host, const char *port, const char *ca_file) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  if (!(easy = curl_easy_init())) die("out of memory");
  char url[256];
  snprintf(url, sizeof url, "%s://%s:%s/wallet/self/api-credit", ca_file ? "https" : "http", host, port);
  headers = curl_slist_append(NULL, "Authorization: Bearer " KEY);
  headers = curl_slist_append(headers, "Accept: application/json");
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "fish-api-credit/0.1.0");
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 15000L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep);
  if (ca_file) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
  }
}

static char *text(const cJSON *document, const char *name) {
  const cJSON *field = cJSON_GetObjectItemCaseSensitive(document, name);
  return cJSON_IsString(field) ? strdup(field->valuestring) : NULL;
}

static int flag(const cJSON *document, const char *name) {
  const cJSON *field = cJSON_GetObjectItemCaseSensitive(document, name);
  return cJSON_IsBool(field) ? cJSON_IsTrue(field) : -1;
}

static int64_t micros(const char *decimal) {
  if (!decimal) return 0;
  int negative = *decimal == '-', places = -1;
  int64_t value = 0;
  for (decimal += negative; *decimal && places < 6; decimal++) {
    if (*decimal == '.') {
      places = 0;
    } else {
      value = value * 10 + (*decimal - '0');
      if (places >= 0) places++;
    }
  }
  for (places = places < 0 ? 0 : places; places < 6; places++) value *= 10;
  return negative ? -value : value;
}

static int64_t unix_us(const char *stamp) {
  struct tm tm = {0};
  char *rest = stamp ? strptime(stamp, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
  if (!rest) return INT64_MIN;
  int64_t fraction = 0;
  if (*rest == '.') {
    int64_t unit = 100000;
    for (rest++; *rest >= '0' && *rest <= '9'; rest++, unit /= 10) fraction += unit * (*rest - '0');
  }
  return (int64_t)timegm(&tm) * 1000000 + fraction;
}

static void call(void) {
  filled = 0;
  CURLcode code = curl_easy_perform(easy);
  if (code) die(curl_easy_strerror(code));
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) die("not a 200");
  cJSON *document = cJSON_ParseWithLength(body, filled);
  if (!document) die("not JSON");

  struct api_credit credit = {
      .id = text(document, "_id"),
      .user_id = text(document, "user_id"),
      .credit = text(document, "credit"),
      .cumulative_top_up = text(document, "cumulative_top_up"),
      .created_at = text(document, "created_at"),
      .updated_at = text(document, "updated_at"),
      .has_phone_sha256 = flag(document, "has_phone_sha256"),
      .has_free_credit = flag(document, "has_free_credit"),
  };
  cJSON_Delete(document);
  credit.credit_micros = micros(credit.credit);
  credit.cumulative_top_up_micros = micros(credit.cumulative_top_up);
  credit.created_at_unix_us = unix_us(credit.created_at);
  credit.updated_at_unix_us = unix_us(credit.updated_at);
  check_credit(credit.credit_micros);
  if (credit.created_at_unix_us == INT64_MIN)
    die("not the expected credit");

  free(credit.id);
  free(credit.user_id);
  free(credit.credit);
  free(credit.cumulative_top_up);
  free(credit.created_at);
  free(credit.updated_at);
}

static void close_client(void) {
  curl_easy_cleanup(easy);
  curl_slist_free_all(headers);
  free(body);
}
