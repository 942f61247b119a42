'use strict';

// What fish-credit prints: for people, for programs, and why a call failed.

const fs = require('node:fs');
const util = require('node:util');
const { Level, Status } = require('../abi.js');
const { FishError } = require('../errors.js');
const { formatMicros } = require('../credit.js');

/** Names in messages, and the command's options in place of them. Longer names come before their prefixes. */
const OPTIONS = {
  'apiKey or FISH_API_KEY': 'FISH_API_KEY',
  'apiKey, or FISH_API_KEY': 'FISH_API_KEY',
  apiKey: 'FISH_API_KEY',
  baseUrl: '--base-url',
  userId: '--user',
  teamId: '--team',
  connectTimeoutMs: 'the connect timeout',
  'check the network, or raise it': 'check the network',
  timeoutMs: '--timeout',
  'proxyUrl or the proxy variables': 'the proxy variables',
  ' (see caFile and systemRoots)': '',
  requestId: 'the request id',
  'see fieldErrors and apiMessage': 'check the options',
};
const NAMES = new RegExp(Object.keys(OPTIONS).map((name) => name.replace(/[()]/g, '\\$&')).join('|'), 'g');

const LEVELS = { [Level.OK]: 'ok', [Level.LOW]: 'low', [Level.EMPTY]: 'empty' };

let pending = '';
let unwritten = null;

/** Prints, at the next flush(). */
function put(text) {
  pending += text;
}

/** Whether everything could be written so far. Written here and not by process.stdout, which reports a failure too late. */
function flush() {
  try {
    let left = Buffer.from(unwritten === null ? pending : '');
    while (left.length > 0) left = left.subarray(fs.writeSync(1, left));
  } catch (error) {
    unwritten = error;
  }
  pending = '';
  return unwritten === null;
}

/** Why something could not be written, in the system's words; null: it could. */
function failure() {
  if (unwritten === null) return null;
  const [, words] = util.getSystemErrorMap().get(unwritten.errno) ?? [null, unwritten.message];
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Prints a line of the command's own. */
function explain(complaint) {
  stderr(`fish-credit: ${complaint}\n`);
}

function stderr(text) {
  try {
    fs.writeSync(2, text);
  } catch {
    // There is nowhere left to say it.
  }
}

/** Replaces control characters, with which a server's text could control the terminal. */
function plain(text) {
  return text.replace(/\p{Cc}/gu, '?');
}

function row(label, text) {
  return `${label.padEnd(18)} ${plain(text)}\n`;
}

function inOptions(message) {
  return message.replace(NAMES, (name) => OPTIONS[name]);
}

/** In cents, rounded down like the micros. */
function dollars(credit) {
  const micros = credit.creditMicros;
  const saturated = micros === 2n ** 63n - 1n || micros === -(2n ** 63n);
  return saturated && !credit.creditMicrosExact ? 'see the exact text' : `${formatMicros(micros)} US dollars`;
}

function show(credit, level, asked) {
  const unsaid = 'not sent by the server';
  const yesOrNo = (flag, unknown) => (flag === null ? unknown : flag ? 'yes' : 'no');
  const whose = asked.wallet === 'team' ? "the team's API credit, not the account's" : "the account's API credit, not a team's";
  put(row('API credit', dollars(credit)));
  put(row('  exact text', credit.credit));
  put(row('  which wallet', `${whose} or a plan's platform credit`));
  if (asked.lowMicros !== null) put(row('  level', LEVELS[level]));
  put(row('Total paid in', credit.cumulativeTopUp ?? unsaid));
  put(row('Free credit left', yesOrNo(credit.hasFreeCredit, asked.checkFreeCredit ? unsaid : 'not requested (--check-free-credit)')));
  put(row('Phone number known', yesOrNo(credit.hasPhone, unsaid)));
  put(row('Account', credit.userId));
  put(row('Wallet', credit.id));
  put(row('Created', credit.createdAtText));
  put(row('Last changed', credit.updatedAtText));
}

/** Prints Prometheus' text format, also for a failure (credit is null). */
function expose(credit, level, asked) {
  const metric = (name, help, value) => {
    put(`# HELP fish_api_credit_${name} ${help}\n# TYPE fish_api_credit_${name} gauge\n`);
    put(`fish_api_credit_${name}{wallet="${asked.wallet}"} ${value}\n`);
  };
  metric('success', 'Whether the API credit could be read: 1 or 0.', credit === null ? 0 : 1);
  metric('level', '0 unknown, 1 ok, 2 low, 3 empty.', level);
  if (credit === null) return;
  const balance = formatMicros(credit.creditMicros, 6);
  metric('balance', "The API credit that is left, in US dollars. Not a plan's platform credit.", balance);
  metric('age_seconds', 'How long ago the balance was read.', 0);
}

/** Prints one line with the watch's state. */
function putLine({ credit, level, status, error, failures, ageMs }, asked) {
  const now = new Date().toISOString().replace(/\.\d+/, '');
  const code = error?.code ?? (status === Status.PENDING ? 'FISH_PENDING' : 'FISH_OK');
  const message = error && inOptions(error.message);
  if (asked.json) {
    const text = credit === null ? 'null' : `"${credit.credit}"`; // a number: nothing to escape
    put(`{"time":"${now}","wallet":"${asked.wallet}","credit":${text},"level":"${LEVELS[level] ?? 'unknown'}"`);
    put(`,"age_ms":${ageMs ?? 0},"status":"${code}","failures":${failures},"message":${quoted(message)}}\n`);
    return;
  }
  let line = `${now}  API credit of the ${asked.wallet}: `;
  if (credit !== null) line += `${dollars(credit)} (${credit.credit}), ${LEVELS[level]}`;
  else line += status === Status.PENDING ? 'not read yet' : 'unknown';
  if (error && credit !== null) line += ` ${Math.floor(ageMs / 1000)} s ago`;
  if (error) line += `; ${code}: ${plain(message)}`;
  put(`${line}\n`);
}

/** Text as JSON. Only control characters, quotes and backslashes are escaped. */
function quoted(text) {
  if (text === null) return 'null';
  const escape = (c) => (c < ' ' ? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}` : `\\${c}`);
  return `"${text.replace(/[\x00-\x1f"\\]/g, escape)}"`;
}

/** Prints "FISH_TIMED_OUT: message", followed by what the server sent. */
function complain(error) {
  if (!(error instanceof FishError)) return explain(error.message);
  let text = `${error.code}: ${plain(inOptions(error.message))}\n`;
  if (error.apiMessage) text += row('  the server said', error.apiMessage);
  if (error.apiReason) text += row('  its reason', error.apiReason);
  for (const { location, message, type, context } of error.fieldErrors) {
    const more = context ? ` (${context})` : '';
    text += plain(`  ${location || '(no field)'}: ${message || type}${more}`) + '\n';
  }
  if (error.retryAfterMs) {
    // In tenths of a second, rounded up: never earlier than the server said.
    text += row('  ask again after', `${(Math.ceil(error.retryAfterMs / 100) / 10).toFixed(1)} s`);
  }
  if (error.attempts > 1) text += row('  tried', `${error.attempts} times`);
  if (error.requestId) text += row('  request id', error.requestId);
  stderr(text);
}

module.exports = { complain, expose, explain, failure, flush, put, putLine, show };
