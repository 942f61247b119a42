'use strict';

// The command line of fish-credit.

const { invalid } = require('../errors.js');

const FLAGS = {
  '--help': 'help',
  '-h': 'help',
  '--version': 'version',
  '--check-free-credit': 'checkFreeCredit',
  '--watch': 'watch',
  '--json': 'json',
  '--prometheus': 'prometheus',
};
const VALUES = ['--user', '--team', '--base-url', '--timeout', '--interval', '--low'];

const MOST_MS = 2n ** 32n - 1n;
const MOST_WHOLE = (2n ** 63n - 1n) / 1_000_000n - 1n;

/** {asked}, or the complaint if the command line is wrong. */
function parse(argv) {
  const asked = { checkFreeCredit: false, intervalMs: null, lowMicros: null, timeoutMs: null };
  const given = {};
  for (let i = 0; i < argv.length; i++) {
    const at = argv[i].indexOf('=');
    const [name, joined] = at < 0 ? [argv[i], null] : [argv[i].slice(0, at), argv[i].slice(at + 1)];
    if (Object.hasOwn(FLAGS, name) && joined === null) {
      asked[FLAGS[name]] = true;
      if (asked.help || asked.version) return { asked };
      continue;
    }
    if (!VALUES.includes(name)) return { complaint: unknown(name, joined, i + 1) };
    const value = joined ?? argv[++i];
    if (value === undefined) return { complaint: `${name} needs a value; see --help.` };
    given[name] = value;
  }
  const complaint = check(asked, given);
  if (complaint) return { complaint };
  asked.wallet = '--team' in given ? 'team' : 'account';
  asked.client = () => ({ baseUrl: text(given, '--base-url'), timeoutMs: asked.timeoutMs });
  asked.query = () => ({
    userId: text(given, '--user'),
    teamId: text(given, '--team'),
    checkFreeCredit: asked.checkFreeCredit,
  });
  return { asked };
}

/** An argument that does not look like an option's name is not printed: it may be a misplaced key. */
function unknown(name, joined, number) {
  return /^--[-a-z]*$/.test(name)
    ? `unknown option ${name}${joined === null ? '' : '='}; see --help.`
    : `argument ${number} is not an option; set the key in FISH_API_KEY, see --help.`;
}

/** Takes the numbers; a complaint if one is wrong. */
function check(asked, given) {
  if ('--timeout' in given) {
    asked.timeoutMs = whole(given['--timeout'], MOST_MS);
    if (!asked.timeoutMs) return '--timeout takes whole milliseconds, from 1 to 4294967295.';
  }
  if ('--interval' in given) {
    if (!asked.watch) return '--interval needs --watch; see --help.';
    asked.intervalMs = whole(given['--interval'], MOST_MS / 1000n) * 1000;
    if (!asked.intervalMs) return '--interval takes whole seconds, from 1 to 4294967.';
  }
  if ('--low' in given) {
    asked.lowMicros = amount(given['--low']);
    if (!asked.lowMicros) return '--low takes an amount above 0 with at most six decimals, such as 5 or 0.50.';
  }
  if (asked.prometheus && (asked.watch || asked.json)) {
    return '--prometheus cannot be combined with --watch or --json; see --help.';
  }
  return null;
}

/** A whole number up to `most`; null if the text is none. */
function whole(text, most) {
  return /^[0-9]+$/.test(text) && BigInt(text) <= most ? Number(text) : null;
}

/** Millionths of "12.34"; null if the text is no amount. */
function amount(text) {
  const [, units, decimals = ''] = /^([0-9]+)(?:\.([0-9]{1,6}))?$/.exec(text) ?? [];
  if (units === undefined || BigInt(units) > MOST_WHOLE) return null;
  return BigInt(units + decimals.padEnd(6, '0'));
}

/** Node puts U+FFFD in place of what is no UTF-8. Sent to the server, it would be another text than was meant. */
function text(given, name) {
  if (given[name]?.includes('\u{fffd}')) throw invalid(`${name} is not valid UTF-8; encode it as UTF-8.`);
  return given[name];
}

module.exports = { parse };
