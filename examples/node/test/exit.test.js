'use strict';

// What happens when the process or a worker thread ends while calls hang, and what keeps the process alive.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');
const { CREDIT, LONG, PROMPT_MS, program, script, serve, silent } = require('./support.js');

// A request may arrive before the next line runs, so the signal is listened to first.
const on = (end) => `process.once('SIGUSR2', () => { ${end} });
  const client = new fish.Client(LONG); const all = new AbortController();
  require('node:events').setMaxListeners(0, all.signal);`;
const HANG = 'for (let n = 0; n < 64; n++) client.apiCredit({ signal: all.signal }).catch(() => {});';

for (const [how, code, expected] of [
  ['process.exit', on('process.exit(7)') + HANG, { code: 7, signal: null, said: '' }],
  ['an exception', on('process.stderr.write = () => true; throw new Error()') + HANG, { code: 1, signal: null }],
  ['close', on('client.close()') + HANG, { code: 0, signal: null, said: '' }],
  ['an abort', on('all.abort()') + HANG, { code: 0, signal: null, said: '' }],
  ['SIGTERM', on('process.kill(process.pid)') + HANG, { code: null, signal: 'SIGTERM', said: '' }],
  ['a watch that is unref', `${on('clearInterval(held)')} const held = setInterval(() => {}, 1e6);
    const watch = client.watch(); watch.on('change', () => {}); watch.unref();`, { code: 0, signal: null, said: '' }],
]) {
  test(`the process ends at once while calls hang: ${how}`, { skip: process.platform === 'win32' }, async (t) => {
    const server = await serve(t, silent);
    const { child, ended } = program(server.url, code);
    await server.arrived(how.startsWith('a watch') ? 1 : 64);
    const begun = performance.now();
    child.kill('SIGUSR2');
    const seen = await ended;
    assert.ok(performance.now() - begun < PROMPT_MS);
    for (const [name, value] of Object.entries(expected)) assert.equal(seen[name], value, seen.said);
  });
}

test('the process stays until its promises are settled, and no longer', async (t) => {
  const server = await serve(t, () => [200, CREDIT]);
  const { said, code } = await program(server.url, `
    const client = new fish.Client(LONG);
    client.apiCredit().then((credit) => console.log(credit.credit));
    client.watch().once('change', (state) => console.log(state.credit.credit));`).ended;
  assert.equal(said, '12.345678\n12.345678\n');
  assert.equal(code, 0);
});

const WORKER = `
  const { parentPort, workerData } = require('node:worker_threads');
  const fish = require(workerData.package);
  const client = new fish.Client(workerData.options);
  parentPort.on('message', (message) => message === 'exit' && process.exit(3));
  (async () => {
    if (workerData.answers) {
      parentPort.postMessage(await client.apiCredit());
      const watch = client.watch();
      for await (const { credit } of watch) { parentPort.postMessage(credit); break; }
      client.close();
      parentPort.close();
    } else {
      client.watch().on('change', () => {});
      for (let n = 0; n < 8; n++) client.apiCredit().catch(() => {});
      // koffi ends the whole process if a worker is terminated while it calls koffi; from here on it does not.
      parentPort.postMessage('ready');
    }
  })();`;

function worker(url, answers) {
  const workerData = { package: path.join(__dirname, '..'), options: { apiKey: 'sk-test', baseUrl: url, ...LONG }, answers };
  const one = new Worker(WORKER, { eval: true, workerData });
  const said = [];
  one.on('message', (message) => said.push(message));
  const ended = new Promise((resolve, reject) => one.on('exit', resolve).on('error', reject));
  return { one, said, ended };
}

test('each worker thread has a client of its own', async (t) => {
  const server = await serve(t, () => [200, CREDIT]);
  const workers = Array.from({ length: 4 }, () => worker(server.url, true));
  for (const { said, ended } of workers) {
    assert.equal(await ended, 0);
    assert.deepEqual(said.map((credit) => [credit.credit, credit.creditMicros]), Array(2).fill(['12.345678', 12345678n]));
  }
});

for (const how of ['terminate', 'process.exit']) {
  test(`a worker ends at once while its calls hang: ${how}`, async (t) => {
    const server = await serve(t, silent);
    for (let round = 1; round <= 5; round++) {
      const { one, ended } = worker(server.url, false);
      await Promise.all([once(one, 'message'), server.arrived(9 * round)]);
      const begun = performance.now();
      if (how === 'terminate') await one.terminate();
      else one.postMessage('exit');
      assert.equal(await ended, how === 'terminate' ? 1 : 3);
      assert.ok(performance.now() - begun < PROMPT_MS);
    }
  });
}

test('a worker can be terminated when the main thread does not use koffi', async (t) => {
  const server = await serve(t, silent);
  const data = { package: path.join(__dirname, '..'), options: { apiKey: 'sk-test', baseUrl: server.url, ...LONG } };
  const { ended } = script(`
    const { Worker } = require('node:worker_threads');
    const one = new Worker(${JSON.stringify(WORKER)}, { eval: true, workerData: ${JSON.stringify(data)} });
    one.on('exit', (code) => console.log('exit', code));
    one.on('message', () => one.terminate());`);
  const { said, code, signal } = await ended;
  assert.deepEqual([said, code, signal], ['exit 1\n', 0, null]);
});

test('without the library the package loads, and the first use reports the problem', () => {
  const run = (code, env) =>
    spawnSync(process.execPath, ['-e', code], { env: { ...process.env, ...env }, cwd: __dirname, encoding: 'utf8' });
  const code = `const fish = require('..'); try { new fish.Client({ apiKey: 'k' }); } catch (error) { console.log(error.message); }`;
  const missing = run(code, { FISH_API_CREDIT_LIBRARY: '/nowhere.so' });
  assert.match(missing.stdout, /^libfish_api_credit cannot be loaded \(.*nowhere.*; install it, or set FISH_API_CREDIT_LIBRARY/);
  // Some shared library that is not ours.
  const another = Object.keys(require.cache).find((file) => file.endsWith('koffi.node'));
  const wrong = run(code, { FISH_API_CREDIT_LIBRARY: another });
  assert.match(wrong.stdout, /is not this package's libfish_api_credit \(.*; install the two together/);
});

test('load() takes a file beside the program; two copies of the package work in one process', () => {
  const { library } = require('../lib/native.js');
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fish-'));
  try {
    fs.copyFileSync(library().file, path.join(folder, 'beside.so'));
    const copy = path.join(folder, 'copy');
    fs.cpSync(path.join(__dirname, '..'), copy, { recursive: true, filter: (name) => !name.endsWith('node_modules') });
    const from = require('node:module').createRequire(path.join(__dirname, '../index.js')).resolve('koffi');
    fs.writeFileSync(path.join(folder, 'program.mjs'), `
      import { createRequire } from 'node:module';
      import { Client, load } from ${JSON.stringify(path.join(__dirname, '../index.js'))};
      const require = createRequire(import.meta.url);
      const Module = require('node:module');
      const resolve = Module._resolveFilename;
      Module._resolveFilename = (name, ...rest) => name === 'koffi' ? ${JSON.stringify(from)} : resolve(name, ...rest);
      const copy = require('./copy/index.js');
      load(new URL('./beside.so', import.meta.url));
      new Client({ apiKey: 'k' }).close();
      new copy.Client({ apiKey: 'k' }).close();
      try { load('/another.so'); } catch (error) { console.log(error.message); }
      console.log(copy.Client === Client);`);
    const run = spawnSync(process.execPath, [path.join(folder, 'program.mjs')], { encoding: 'utf8' });
    assert.equal(run.stdout, `the library is already loaded from ${path.join(fs.realpathSync(folder), 'beside.so')}\nfalse\n`, run.stderr);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});
