'use strict';

// The API credit that a call returns.

const abi = require('./abi.js');
const { library, room } = require('./native.js');
const { taken } = require('./errors.js');

/** An account's API credit, copied from what the library filled. */
class Credit {
  constructor(filled) {
    // Generated from src/ffi: how each field is copied.
    this.id = filled.id;
    this.userId = filled.user_id;
    this.credit = filled.credit;
    this.cumulativeTopUp = filled.cumulative_top_up;
    this.createdAtText = filled.created_at;
    this.updatedAtText = filled.updated_at;
    this.requestId = filled.request_id;
    this.creditMicros = BigInt(filled.credit_micros);
    this.cumulativeTopUpMicros = filled.cumulative_top_up === null ? null : BigInt(filled.cumulative_top_up_micros);
    this.createdAt = date(filled.created_at_unix_us);
    this.createdAtUnixUs = time(filled.created_at_unix_us);
    this.updatedAt = date(filled.updated_at_unix_us);
    this.updatedAtUnixUs = time(filled.updated_at_unix_us);
    this.creditMicrosExact = filled.credit_micros_exact;
    this.hasPhone = answer(filled.has_phone_sha256);
    this.hasFreeCredit = answer(filled.has_free_credit);
    // End of the generated part.
    Object.freeze(this);
  }

  /** JSON has no bigints: they become text. */
  toJSON() {
    const text = ([name, value]) => [name, typeof value === 'bigint' ? String(value) : value];
    return Object.fromEntries(Object.entries(this).map(text));
  }
}

function time(micros) {
  const exact = BigInt(micros);
  return exact === abi.TIME_UNKNOWN ? null : exact;
}

function date(micros) {
  const exact = time(micros);
  // Rounded down, before 1970 too.
  return exact === null ? null : new Date(Number((exact - (((exact % 1000n) + 1000n) % 1000n)) / 1000n));
}

function answer(tristate) {
  return tristate === abi.Tristate.UNKNOWN ? null : tristate === abi.Tristate.TRUE;
}

/** The credit that `fill(credit, error)` fills. */
function creditOf(fill) {
  const filled = room('fish_api_credit');
  const failure = room('fish_error');
  if (fill(filled.buffer, failure.buffer) !== abi.Status.OK) throw taken(failure);
  try {
    return new Credit(filled.read());
  } finally {
    library().fish_api_credit_free(filled.buffer);
  }
}

/** Decodes a document from Client.apiCreditJson. No network. */
function parseCredit(json) {
  if (typeof json !== 'string') throw new TypeError('json is not a string');
  const { fish_api_credit_from_json: parse } = library();
  return creditOf((credit, error) => parse(json, Buffer.byteLength(json), credit, error));
}

/** Exact text for a person, rounded down: (12345678n, 2) is "12.34". */
function formatMicros(micros, decimals = 2) {
  if (typeof micros !== 'bigint') throw new TypeError('micros is not a bigint');
  if (BigInt.asIntN(64, micros) !== micros) throw new RangeError('micros has more than 64 bits');
  if (!Number.isInteger(decimals) || decimals < 0 || decimals > 6) throw new RangeError('decimals is not 0 to 6');
  const buffer = Buffer.alloc(32);
  const length = library().fish_format_micros(micros, decimals, buffer, buffer.length);
  return buffer.toString('latin1', 0, Number(length));
}

module.exports = { Credit, creditOf, parseCredit, formatMicros };
