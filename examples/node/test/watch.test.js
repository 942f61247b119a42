'use strict';

// Watches: as an emitter, as an async iterable, and read now and then.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { test } = require('node:test');
const { Level, Status } = require('..');
const { CREDIT, LONG, PROMPT_MS, balance, program, serve, silent } = require('./support.js');

const RARELY = { intervalMs: 3_600_000 };
const answers = (...amounts) => (request, n) => [200, balance(amounts[n])];

test('an iteration gives each change', async (t) => {
  const amounts = ['12', '4', '5.5', '6', '0', '-1'];
  const server = await serve(t, answers(...amounts));
  const watch = server.client().watch({ ...RARELY, lowMicros: 5_000_000n, recoveredMicros: 5_900_000n });
  const seen = [];
  for await (const state of watch) {
    assert.deepEqual([state.status, state.error, state.failures], [Status.OK, null, 0]);
    assert.ok(state.ageMs >= 0 && state.nextMs > 0);
    seen.push([state.credit.credit, state.level]);
    if (seen.length === amounts.length) break;
    watch.refresh();
  }
  const { OK, LOW, EMPTY } = Level;
  assert.deepEqual(seen, [['12', OK], ['4', LOW], ['5.5', LOW], ['6', OK], ['0', EMPTY], ['-1', EMPTY]]);
  assert.equal(watch.read().credit.creditMicros, -1_000_000n);
  assert.equal(watch.closed, false);
  watch.close();
  watch.close();
  assert.throws(() => watch.read(), /closed/);
  assert.throws(() => watch.refresh(), /closed/);
  for await (const _ of watch) assert.fail('it has ended');
});

test('a listener is told each change, and the end', async (t) => {
  const server = await serve(t, answers('3', '2', '1'));
  const client = server.client();
  const watch = client.watch(RARELY);
  const seen = [];
  watch.on('change', (state) => {
    seen.push(state.credit.credit);
    if (seen.length < 3) watch.refresh();
    else client.close(); // ends the watch
  });
  await once(watch, 'close');
  assert.deepEqual(seen, ['3', '2', '1']);
  assert.ok(watch.closed);
});

test('several that wait are all told, though one reads first', async (t) => {
  const server = await serve(t, answers('3', '2'));
  const watch = server.client().watch(RARELY);
  const iterate = async () => {
    const seen = [];
    for await (const state of watch) {
      seen.push(state.credit.credit);
      if (seen.length === 2) return seen;
    }
  };
  const emitted = [];
  watch.addListener('change', (state) => emitted.push(state.credit.credit));
  const both = Promise.all([iterate(), iterate()]);
  await once(watch, 'change');
  await new Promise(setImmediate);
  watch.refresh();
  // This takes the change from the descriptor.
  while (watch.read().changes < 2) await new Promise(setImmediate);
  assert.deepEqual(await both, [['3', '2'], ['3', '2']]);
  while (emitted.length < 2) await new Promise(setImmediate);
  assert.deepEqual(emitted, ['3', '2']);
  watch.close();
});

test('a failure keeps the credit and says why', async (t) => {
  const server = await serve(t, (request, n) => (n === 0 ? [200, CREDIT] : [401, '{"message":"gone"}']));
  const watch = server.client().watch(RARELY);
  const states = watch[Symbol.asyncIterator]();
  assert.equal((await states.next()).value.status, Status.OK);
  watch.refresh();
  const { value: state } = await states.next();
  assert.equal(state.credit.credit, '12.345678');
  assert.deepEqual([state.status, state.failures, state.error.apiMessage], [Status.UNAUTHORIZED, 1, 'gone']);
  assert.equal(state.error.code, 'FISH_UNAUTHORIZED');
  watch.close();
});

test('before the first reading nothing is known', async (t) => {
  const server = await serve(t, silent);
  const state = server.client(LONG).watch().read();
  assert.deepEqual({ ...state, nextMs: 0 }, {
    credit: null, level: Level.UNKNOWN, status: Status.PENDING, error: null, failures: 0, nextMs: 0, ageMs: null, changes: 0,
  });
});

for (const ender of ['the watch', 'its client']) {
  test(`an iteration ends with ${ender}`, async (t) => {
    const server = await serve(t, silent);
    const client = server.client(LONG);
    const [watch, other] = [client.watch(), client.watch()];
    const iterated = (async () => {
      for await (const _ of watch) assert.fail('nothing was read');
    })();
    await server.arrived(2);
    const begun = performance.now();
    if (ender === 'the watch') watch.close();
    else client.close();
    await iterated;
    assert.ok(performance.now() - begun < PROMPT_MS);
    if (ender === 'the watch') assert.equal(other.read().status, Status.PENDING);
  });
}

test('a listener that throws does not silence the watch', async (t) => {
  const server = await serve(t, answers('3', '2'));
  const { said, code } = await program(server.url, `
    const watch = new fish.Client(LONG).watch(${JSON.stringify(RARELY)});
    process.once('uncaughtException', ({ message }) => {
      console.log(message);
      watch.once('change', ({ credit }) => console.log(credit.credit, watch.listenerCount('change')));
      watch.refresh();
    });
    watch.once('change', () => { throw new Error('of a listener'); });`).ended;
  assert.equal(said, 'of a listener\n2 0\n');
  assert.equal(code, 0);
});
