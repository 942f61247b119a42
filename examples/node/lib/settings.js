'use strict';

// Checks the caller's options and converts them to C's units. undefined and null are the library's default.

const { fileURLToPath } = require('node:url');
const abi = require('./abi.js');
const { invalid } = require('./errors.js');

const LONGEST_MS = 2 ** 32 - 1;

/** Without this, a misspelt option would silently keep its default. */
function known(options, names) {
  if (options === null || typeof options !== 'object') throw new TypeError('options is not an object');
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) throw new TypeError(`unknown option ${name}; the options are ${names.join(', ')}`);
  }
  return options;
}

function text(name, value) {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') throw new TypeError(`${name} is not a string`);
  if (value.includes('\0')) throw invalid(`${name} contains a NUL character; remove it.`);
  if (/\p{Surrogate}/u.test(value)) throw invalid(`${name} contains a lone surrogate; pass valid text.`);
  return value;
}

function path(name, value) {
  return text(name, value instanceof URL ? fileURLToPath(value) : value);
}

/** 0, the library's default, only for null: a very short timeout is not the default one. */
function milliseconds(name, value) {
  if (value === undefined || value === null) return 0;
  if (!(typeof value === 'number' && value > 0)) {
    throw invalid(`${name} is not above zero; leave it out for the default.`);
  }
  return Math.min(Math.ceil(value), LONGEST_MS);
}

function whole(name, value) {
  if (value === undefined || value === null) return 0;
  if (!Number.isInteger(value) || value < 0 || value > LONGEST_MS) throw invalid(`${name} is out of range; pass a whole number.`);
  return value;
}

function retries(name, value) {
  if (value === undefined || value === null) return 0;
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** 31) throw invalid(`${name} is out of range; set it to a count, or to 0 for no retries.`);
  return value === 0 ? -1 : value;
}

function roots(name, value) {
  return value ? abi.TLS_ROOTS_SYSTEM : abi.TLS_ROOTS_BUNDLED;
}

function micros(name, value) {
  if (value === undefined || value === null) return 0n;
  if (typeof value !== 'bigint') throw new TypeError(`${name} is not a bigint, such as 5_000_000n for 5`);
  if (value < 0n || value >= 2n ** 63n) throw invalid(`${name} is out of range; pass an amount of 0 or more.`);
  return value;
}

module.exports = { known, text, path, milliseconds, whole, retries, roots, micros };
