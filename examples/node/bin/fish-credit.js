#!/usr/bin/env node
'use strict';

// fish-credit: shows a Fish Audio account's API credit, once or whenever it changes.
//
// Its options, output and exit statuses are those of the C program of this name, and --help lists them. This file reads
// the credit; in lib/command, options.js reads the command line and output.js has what is printed.

const { Client, FishError, Level, VERSION, libraryVersion, parseCredit } = require('..');
const { parse } = require('../lib/command/options.js');
const output = require('../lib/command/output.js');

const [SHOWN, FAILED, USAGE, UNWRITTEN, NO_LIBRARY, LOW, EMPTY] = [0, 1, 2, 2, 2, 3, 4];

async function run(argv) {
  const { asked, complaint } = parse(argv);
  if (complaint) {
    output.explain(complaint);
    return USAGE;
  }
  if (asked.help) {
    output.put(require('../lib/command/help.js'));
    return SHOWN;
  }
  let client = null;
  try {
    if (asked.version) {
      output.put(`fish-credit ${VERSION}, library ${libraryVersion()}\n`);
      return SHOWN;
    }
    client = new Client(asked.client());
    return await (asked.watch ? keepWatching(client, asked) : ask(client, asked));
  } catch (error) {
    // Without the library nothing was asked, and asking again would not help.
    const asks = error instanceof FishError;
    if (asked.prometheus && asks) output.expose(null, Level.UNKNOWN, asked);
    output.complain(error);
    return asks ? FAILED : NO_LIBRARY;
  } finally {
    client?.close();
  }
}

/** Makes one call. */
async function ask(client, asked) {
  const document = asked.json ? await client.apiCreditJson(asked.query()) : null;
  const credit = asked.json ? parseCredit(document) : await client.apiCredit(asked.query());
  const level = levelOf(credit.creditMicros, asked.lowMicros ?? 0n);
  if (asked.prometheus) output.expose(credit, level, asked);
  else if (asked.json) output.put(document.replace(/[\r\n]+$/, '') + '\n');
  else output.show(credit, level, asked);
  return asked.lowMicros === null ? SHOWN : outcome(level);
}

/** Prints a line for each change, and a last one when a signal ends it. */
async function keepWatching(client, asked) {
  let level = Level.UNKNOWN;
  const print = (state) => {
    level = state.level;
    output.putLine(state, asked);
    return output.flush();
  };
  let end;
  const ended = new Promise((resolve) => (end = resolve));
  // Before the first request is sent. A second Ctrl-C ends the program at once.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => end('a signal'));
  const watch = client.watch({ ...asked.query(), intervalMs: asked.intervalMs, lowMicros: asked.lowMicros });
  watch.on('change', (state) => print(state) || end('a write error'));
  if ((await ended) === 'a signal') print(watch.read());
  watch.close();
  if (level !== Level.UNKNOWN) return outcome(level);
  output.explain('no balance was read.');
  return FAILED;
}

function levelOf(micros, low) {
  if (micros <= 0n) return Level.EMPTY;
  return micros < low ? Level.LOW : Level.OK;
}

/** The exit status for a credit that was shown. */
function outcome(level) {
  return { [Level.EMPTY]: EMPTY, [Level.LOW]: LOW }[level] ?? SHOWN;
}

run(process.argv.slice(2)).then((status) => {
  process.exitCode = output.flush() ? status : UNWRITTEN;
  const why = output.failure();
  if (why !== null) output.explain(`standard output: ${why}`);
});
