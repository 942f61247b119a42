'use strict';

// fish-credit, as far as it can be seen without the C program. That every command prints the same is tested in
// tests/commands.rs.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const { spawn } = require('node:child_process');
const { test } = require('node:test');
const { parse } = require('../lib/command/options.js');
const { balance, serve } = require('./support.js');

/** Runs the command, and gives each line of its output to `told(line, child)`. */
async function command(url, argv, { stdout = 'pipe', told = () => {}, env = {} } = {}) {
  const program = path.join(__dirname, '..', 'bin', 'fish-credit.js');
  const child = spawn(process.execPath, [program, '--base-url', url, ...argv], {
    stdio: ['ignore', stdout, 'pipe'],
    env: { ...process.env, FISH_API_KEY: 'sk-test', ...env },
  });
  const lines = [];
  let said = '';
  child.stderr.on('data', (data) => (said += data));
  if (child.stdout) {
    readline.createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      told(line, child);
    });
  }
  const [code] = await once(child, 'close');
  return { code, lines, said };
}

test('wrong usage is explained, and no key is printed', () => {
  for (const [line, expected] of [
    ['sk-stray', 'argument 1 is not an option;'],
    ['--json --sk-stray-0', 'argument 2 is not an option;'],
    ['--api-key=sk-stray', 'unknown option --api-key=;'],
    ['--json=stray', 'unknown option --json=;'],
    ['--toString=stray', 'argument 1 is not an option;'],
    ['--user', '--user needs a value;'],
    ['--timeout=1.5', '--timeout takes whole milliseconds,'],
    ['--timeout 4294967296', '--timeout takes whole milliseconds,'],
    ['--low=0', '--low takes an amount above 0'],
    ['--low 9223372036854', '--low takes an amount above 0'],
    ['--interval 5', '--interval needs --watch;'],
    ['--watch --interval 4294968', '--interval takes whole seconds,'],
    ['--prometheus --json', '--prometheus cannot be combined'],
  ]) {
    const { complaint } = parse(line.split(' '));
    assert.ok(complaint?.startsWith(expected) && !complaint.includes('stray'), `${line}: ${complaint}`);
  }
});

test('without the library, one line says so', async () => {
  for (const argv of [[], ['--version'], ['--json', '--watch'], ['--prometheus']]) {
    const { code, lines, said } = await command('http://127.0.0.1:9', argv, { env: { FISH_API_CREDIT_LIBRARY: '/nowhere.so' } });
    assert.deepEqual([code, lines], [2, []], said);
    assert.match(said, /^fish-credit: libfish_api_credit cannot be loaded .*nowhere.*\n$/);
  }
});

test('an amount is exact', () => {
  for (const [text, micros] of [['5', 5_000_000n], ['0.50', 500_000n], ['0.000001', 1n], ['9223372036853.999999', 9223372036853_999_999n]]) {
    assert.equal(parse(['--low', text]).asked.lowMicros, micros);
  }
});

test('the exit status says what the balance is', async (t) => {
  for (const [amount, expected] of [['5', 0], ['4.999999', 3], ['0', 4], ['-0.0000001', 4]]) {
    const server = await serve(t, () => [200, balance(amount)]);
    const { code, lines, said } = await command(server.url, ['--low', '5']);
    assert.deepEqual([code, lines[1], said], [expected, `  exact text       ${amount}`, '']);
  }
});

test('a signal ends a watch with the last balance', { skip: process.platform === 'win32' }, async (t) => {
  for (const signal of ['SIGINT', 'SIGTERM']) {
    const server = await serve(t, (_, n) => [200, balance(['7', '2.5'][Math.min(n, 1)])]);
    let low = 0;
    // A second signal would end it at once.
    const told = (line, child) => line.endsWith(' low') && ++low === 1 && child.kill(signal);
    const { code, lines, said } = await command(server.url, ['--watch', '--interval', '1', '--low', '5'], { told });
    const amounts = lines.map((line) => line.split(': ')[1]);
    assert.deepEqual(amounts, ['7.00 US dollars (7), ok', '2.50 US dollars (2.5), low', '2.50 US dollars (2.5), low']);
    assert.deepEqual([code, said], [3, '']);
  }
});

test('what cannot be written is told in one line', { skip: !fs.existsSync('/dev/full') }, async (t) => {
  const server = await serve(t, () => [200, balance('5')]);
  const full = fs.openSync('/dev/full', 'w');
  t.after(() => fs.closeSync(full));
  for (const argv of [['--help'], ['--low=13'], ['--watch']]) {
    const { code, said } = await command(server.url, argv, { stdout: full });
    assert.deepEqual([code, said], [2, 'fish-credit: standard output: No space left on device\n']);
  }
});
