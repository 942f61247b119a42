/* The same struct, filled by hand with libcurl and cJSON, as a C program would without this library: one
 * reused easy handle a thread, a timeout, and no signals, as a threaded program needs. */
#define _GNU_SOURCE /* strptime, timegm */
#include <cjson/cJSON.h>
#include <curl/curl.h>

#include "contender.h"

struct caller {
  CURL *easy;
  struct curl_slist *headers;
  char *body;
  size_t filled, room;
};

struct api_credit {
  char *id, *user_id, *credit, *cumulative_top_up, *created_at, *updated_at;
  int64_t credit_micros, cumulative_top_up_micros, created_at_unix_us, updated_at_unix_us;
  int has_phone_sha256, has_free_credit; /* -1: unknown */
};

static size_t keep(char *bytes, size_t size, size_t count, void *argument) {
  struct caller *caller = argument;
  size_t length = size * count;
  if (caller->filled + length + 1 > caller->room) {
    caller->room = 2 * (caller->filled + length + 1);
    caller->body = realloc(caller->body, caller->room);
    if (!caller->body) die("out of memory");
  }
  memcpy(caller->body + caller->filled, bytes, length);
  caller->filled += length;
  caller->body[caller->filled] = 0;
  return length;
}

static struct caller *caller_new(const struct server *server) {
  static int ready;
  if (!ready++) curl_global_init(CURL_GLOBAL_DEFAULT);
  struct caller *caller = calloc(1, sizeof *caller);
  if (!caller || !(caller->easy = curl_easy_init())) die("out of memory");
  char url[256];
  snprintf(url, sizeof url, "%s://%s:%s/wallet/self/api-credit", server->ca_file ? "https" : "http",
           server->host, server->port);
  caller->headers = curl_slist_append(NULL, "Authorization: Bearer " KEY);
  caller->headers = curl_slist_append(caller->headers, "Accept: application/json");
  curl_easy_setopt(caller->easy, CURLOPT_URL, url);
  curl_easy_setopt(caller->easy, CURLOPT_HTTPHEADER, caller->headers);
  curl_easy_setopt(caller->easy, CURLOPT_USERAGENT, "fish-api-credit/0.1.0");
  curl_easy_setopt(caller->easy, CURLOPT_PROXY, "");
  curl_easy_setopt(caller->easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(caller->easy, CURLOPT_TIMEOUT_MS, 15000L);
  curl_easy_setopt(caller->easy, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
  curl_easy_setopt(caller->easy, CURLOPT_WRITEFUNCTION, keep);
  curl_easy_setopt(caller->easy, CURLOPT_WRITEDATA, caller);
  if (server->ca_file) {
    curl_easy_setopt(caller->easy, CURLOPT_CAINFO, server->ca_file);
    curl_easy_setopt(caller->easy, CURLOPT_CAPATH, NULL);
  }
  return caller;
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

static void caller_call(struct caller *caller) {
  caller->filled = 0;
  CURLcode code = curl_easy_perform(caller->easy);
  if (code) die(curl_easy_strerror(code));
  long status = 0;
  curl_easy_getinfo(caller->easy, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) die("not a 200");
  cJSON *document = cJSON_ParseWithLength(caller->body, caller->filled);
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
  if (credit.credit_micros != EXPECTED_CREDIT_MICROS || credit.created_at_unix_us == INT64_MIN)
    die("not the expected credit");

  free(credit.id);
  free(credit.user_id);
  free(credit.credit);
  free(credit.cumulative_top_up);
  free(credit.created_at);
  free(credit.updated_at);
}

static void caller_free(struct caller *caller) {
  curl_easy_cleanup(caller->easy);
  curl_slist_free_all(caller->headers);
  free(caller->body);
  free(caller);
}
