#!/usr/bin/env node
'use strict';

// fish-credit: prints the API credit of the account that FISH_API_KEY belongs to.
//
// Its exit status says what to do: 0 success, 1 try again later, 2 change something first. Errors are reported in one
// line on standard error.

const { parseArgs } = require('node:util');
const { Client, FishError } = require('..');

const [LATER, CHANGE] = [1, 2];
const HELP = `usage: fish-credit [--user ID] [--team ID] [--timeout SECONDS]

Prints the API credit of the account that FISH_API_KEY belongs to.
`;

/** Names in messages, and the command's options and variables in place of them. */
const HERE = { apiKey: 'FISH_API_KEY', baseUrl: 'FISH_BASE_URL', userId: '--user', teamId: '--team', timeoutMs: '--timeout' };

function complain(code, ...lines) {
  process.exitCode = code;
  // A server's text must not control the terminal.
  const plain = lines.map((line) => line.replace(/[^\P{C}]/gu, '?'));
  process.stderr.write(`fish-credit: ${plain.join('\n')}\n`);
}

async function main() {
  const string = { type: 'string' };
  let given;
  try {
    given = parseArgs({ options: { user: string, team: string, timeout: string, help: { type: 'boolean', short: 'h' } } });
  } catch {
    // The argument is not printed: it could be a misplaced key.
    return complain(CHANGE, 'an argument is not an option; set the key in FISH_API_KEY; see --help');
  }
  const { user, team, timeout = '10', help } = given.values;
  if (help) return process.stdout.write(HELP);
  if (!/^\d{1,9}(\.\d{1,9})?$/.test(timeout)) return complain(CHANGE, '--timeout takes seconds, such as 2.5');
  const client = new Client({ baseUrl: process.env.FISH_BASE_URL, userAgent: 'fish-credit/1', timeoutMs: timeout * 1000 });
  try {
    const credit = await client.apiCredit({ userId: user, teamId: team });
    const changed = credit.updatedAt === null ? '' : `last change: ${credit.updatedAt.toISOString()}\n`;
    process.stdout.write(`API credit: ${credit.credit} (not the platform credit of a plan)\n${changed}`);
  } finally {
    client.close();
  }
}

process.stdout.on('error', (error) => complain(CHANGE, `standard output: ${error.message}`));
main().catch((error) => {
  if (!(error instanceof FishError)) return complain(CHANGE, error.message);
  const said = error.apiMessage === null ? [] : [`  the server said: ${error.apiMessage}`];
  said.push(...error.fieldErrors.map((field) => `  ${field.location}: ${field.message}`));
  const message = error.message.replace(/(?<![\w"])(apiKey,? or FISH_API_KEY|\w+)(?!\w)/g, (name) =>
    name.endsWith(' or FISH_API_KEY') ? 'FISH_API_KEY' : Object.hasOwn(HERE, name) ? HERE[name] : name);
  complain(error.retryable ? LATER : CHANGE, message, ...said);
});
