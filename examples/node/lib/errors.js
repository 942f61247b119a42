'use strict';

// Errors: why a call failed.

const abi = require('./abi.js');
const { koffi, library, room } = require('./native.js');

/** Why a call failed. The message says what to do; it contains no secret. */
class FishError extends Error {
  constructor(message, status, details = {}) {
    super(message);
    this.name = 'FishError';
    /** "FISH_TIMED_OUT" */
    this.code = library().fish_status_name(status);
    this.status = status;
    this.httpStatus = null;
    this.attempts = 0;
    this.retryAfterMs = null;
    this.retryable = false;
    this.apiMessage = null;
    this.apiReason = null;
    this.requestId = null;
    this.body = null;
    this.fieldErrors = [];
    Object.assign(this, details);
  }
}

/** Copies what the library filled, and frees it. */
function taken(failure) {
  const filled = failure.read();
  try {
    const count = Number(filled.field_error_count);
    const rows = count === 0 ? [] : koffi.decode(filled.field_errors, koffi.array(library().types.fish_field_error, count));
    return new FishError(inJavaScript(filled.message ?? ''), filled.status, {
      httpStatus: filled.http_status || null,
      attempts: filled.attempts,
      retryAfterMs: filled.retry_after_ms || null,
      retryable: filled.retryable,
      apiMessage: filled.api_message,
      apiReason: filled.api_reason,
      requestId: filled.request_id,
      body: filled.body,
      fieldErrors: rows.map(fieldError),
    });
  } finally {
    library().fish_error_free(failure.buffer);
  }
}

function fieldError(row) {
  return {
    // Generated from src/ffi: how each field is copied.
    location: row.location,
    source: row.source,
    type: row.type,
    message: row.message,
    context: row.context,
    // End of the generated part.
  };
}

/** Throws what the library reports. */
function check(attempt) {
  const failure = room('fish_error');
  if (attempt(failure.buffer) !== abi.Status.OK) throw taken(failure);
}

function invalid(message) {
  return new FishError(message, abi.Status.INVALID_ARGUMENT);
}

/** Names in the library's messages, and the package's names in place of them. */
const NAMES = { tls_roots: 'systemRoots', FISH_TLS_ROOTS_SYSTEM: 'true', FISH_TLS_ROOTS_BUNDLED: 'false', NULL: 'null' };
for (const struct of ['fish_client_options', 'fish_api_credit_query', 'fish_watch_options', 'fish_error']) {
  for (const field of Object.keys(abi.STRUCTS[struct]).filter((field) => field.includes('_'))) {
    NAMES[field] ??= field.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
  }
}
const NAMED = new RegExp(`(?<!")\\b(?:${Object.keys(NAMES).join('|')})\\b`, 'g');

/**
 * Replaces C's names in a message by the package's: "options.ca_file" becomes caFile. A name in quotes is a field of the
 * server's document.
 */
function inJavaScript(message) {
  return message.replace(/\b(?:options|query)\.(?=[a-z])/g, '').replace(NAMED, (name) => NAMES[name]);
}

module.exports = { FishError, taken, check, invalid };
