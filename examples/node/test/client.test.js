'use strict';

// Calls: what is sent, returned and refused; the thread pool, the event loop and AbortSignal; leaks.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { getEventListeners } = require('node:events');
const { promisify } = require('node:util');
const { test } = require('node:test');
const { Client, FishError, Level, Status, VERSION, Watch, formatMicros, libraryVersion, parseCredit } = require('..');
const abi = require('../lib/abi.js');
const { koffi, library, live } = require('../lib/native.js');
const { CREDIT, LONG, PROMPT_MS, balance, serve, silent } = require('./support.js');

test('a credit has every field, exactly', async (t) => {
  const server = await serve(t, () => [200, CREDIT, { 'x-fish-trace-id': 't-9' }]);
  const credit = await server.client().apiCredit({ userId: 'a/b', teamId: 't&1', checkFreeCredit: true });
  assert.equal(server.requests[0].url, '/wallet/a%2Fb/api-credit?check_free_credit=true&team_id=t%261');
  assert.equal(server.requests[0].headers.authorization, 'Bearer sk-test');
  const expected = {
    id: 'w1',
    userId: 'u1',
    credit: '12.345678',
    cumulativeTopUp: '100.00',
    createdAtText: '2026-01-02T03:04:05Z',
    updatedAtText: '2026-02-03T04:05:06.789012Z',
    requestId: 't-9',
    creditMicros: 12345678n,
    cumulativeTopUpMicros: 100000000n,
    createdAt: new Date('2026-01-02T03:04:05Z'),
    createdAtUnixUs: 1767323045000000n,
    updatedAt: new Date('2026-02-03T04:05:06.789Z'),
    updatedAtUnixUs: 1770091506789012n,
    creditMicrosExact: true,
    hasPhone: true,
    hasFreeCredit: null,
  };
  for (const [name, value] of Object.entries(expected)) assert.deepEqual(credit[name], value, name);
  assert.ok(Object.isFrozen(credit));
  assert.equal(JSON.parse(JSON.stringify(credit)).creditMicros, '12345678');
  assert.equal(structuredClone(credit).creditMicros, 12345678n);
});

test('money is exact', () => {
  const of = (amount) => parseCredit(balance(amount));
  assert.equal(of('-0.0000001').creditMicros, -1n);
  assert.equal(of('-0.0000001').creditMicrosExact, false);
  assert.equal(of('9007199254.740993').creditMicros, 9007199254740993n); // above 2^53
  assert.equal(of('1e30').creditMicros, 2n ** 63n - 1n);
  assert.equal(of('0.12345678901234567890').credit, '0.12345678901234567890');
  const bare = parseCredit('{"_id":"w","user_id":"u","credit":"1","created_at":"1969-12-31T23:59:59.9999Z","updated_at":"?"}');
  assert.deepEqual([bare.cumulativeTopUp, bare.cumulativeTopUpMicros, bare.requestId], [null, null, null]);
  assert.deepEqual([bare.createdAt.getTime(), bare.createdAtUnixUs], [-1, -100n]);
  assert.deepEqual([bare.updatedAt, bare.updatedAtUnixUs, bare.updatedAtText], [null, null, '?']);
  assert.throws(() => parseCredit('{"credit":"NaN\0"}'), { code: 'FISH_BAD_RESPONSE' });
  assert.throws(() => parseCredit(Buffer.from(CREDIT)), TypeError);
  assert.equal(formatMicros(12345678n), '12.34');
  assert.equal(formatMicros(-1n, 6), '-0.000001');
  assert.equal(formatMicros(-(2n ** 63n), 6), '-9223372036854.775808');
  assert.throws(() => formatMicros(2n ** 63n), RangeError);
  assert.throws(() => formatMicros(1n, 7), RangeError);
});

test('the JSON is the document as sent, and is read later', async (t) => {
  const document = balance('7').replace('{', '{"new":"\u00e9\u{1f41f}",');
  const server = await serve(t, () => [200, document]);
  const json = await server.client().apiCreditJson();
  assert.equal(json, document);
  assert.equal(parseCredit(json).credit, '7');
});

test('an error has every field', async (t) => {
  const fields = [
    { loc: ['query', 'check_free_credit'], type: 'bool_parsing', msg: 'not a bool', in: 'query', ctx: { error: 'x' } },
    { loc: ['path', 'user_id'], type: 'missing', msg: 'needed' },
  ];
  const server = await serve(t, (request, n) => [
    [422, JSON.stringify(fields), { 'x-fish-trace-id': 't-1' }],
    [429, '{"status":429,"message":"slow down","reason":"rate"}', { 'Retry-After': '7', 'cf-ray': 'r-1' }],
    [401, '{"message":"no such key"}'],
  ][n]);
  const client = server.client({ maxRetries: 0 });
  const error = await client.apiCredit().catch((error) => error);
  assert.ok(error instanceof FishError && error instanceof Error);
  assert.equal(error.name, 'FishError');
  assert.deepEqual(
    [error.code, error.status, error.httpStatus, error.attempts, error.requestId, error.retryable],
    ['FISH_VALIDATION_FAILED', Status.VALIDATION_FAILED, 422, 1, 't-1', false]
  );
  assert.match(error.message, /fieldErrors/);
  assert.equal(error.body, JSON.stringify(fields));
  assert.deepEqual(error.fieldErrors, [
    { location: 'query.check_free_credit', source: 'query', type: 'bool_parsing', message: 'not a bool', context: '{"error":"x"}' },
    { location: 'path.user_id', source: null, type: 'missing', message: 'needed', context: null },
  ]);
  await assert.rejects(client.apiCredit(), {
    code: 'FISH_RATE_LIMITED', httpStatus: 429, retryAfterMs: 7000, retryable: true, apiMessage: 'slow down',
    apiReason: 'rate', requestId: 'r-1', attempts: 1,
  });
  await assert.rejects(client.apiCreditJson(), { code: 'FISH_UNAUTHORIZED', apiMessage: 'no such key', retryAfterMs: null });
});

test('a refused option is named as in JavaScript, and nothing is sent', async (t) => {
  const server = await serve(t, silent);
  const refused = async (why, attempt) => {
    await assert.rejects(async () => attempt(), (error) => {
      assert.equal(error.status, Status.INVALID_ARGUMENT, String(error));
      assert.match(error.message, why);
      return true;
    });
  };
  const client = server.client();
  await refused(/^baseUrl is neither/, () => new Client({ apiKey: 'k', baseUrl: 'ftp://x' }));
  await refused(/^apiKey/, () => new Client({ apiKey: 'two\nlines' }));
  await refused(/^apiKey contains a NUL/, () => new Client({ apiKey: 'k\0' }));
  await refused(/^userAgent contains a lone surrogate/, () => new Client({ apiKey: 'k', userAgent: '\ud800' }));
  await refused(/^timeoutMs is not above zero/, () => new Client({ apiKey: 'k', timeoutMs: 0 }));
  await refused(/^maxRetries is out of range/, () => new Client({ apiKey: 'k', maxRetries: -1 }));
  await refused(/^userId is empty/, () => client.apiCredit({ userId: '' }));
  await refused(/^timeoutMs/, () => client.apiCredit({ timeoutMs: NaN }));
  await refused(/^intervalMs/, () => client.watch({ intervalMs: 999 }));
  await refused(/^lowMicros/, () => client.watch({ lowMicros: -1n }));
  await refused(/^recoveredMicros/, () => client.watch({ lowMicros: 5n, recoveredMicros: 4n }));
  assert.throws(() => new Client({ apiKey: 5 }), TypeError);
  assert.throws(() => new Client({ timeout: 5 }), /unknown option timeout/);
  assert.throws(() => client.watch({ lowMicros: 5 }), /5_000_000n/);
  await assert.rejects(client.apiCredit({ user: 'u' }), /unknown option user/);
  assert.throws(() => new Client({ apiKey: 'k', caFile: path.join(__dirname, 'none.pem') }), /caFile/);
  delete process.env.FISH_API_KEY;
  assert.throws(() => new Client(), { code: 'FISH_MISSING_API_KEY' });
  client.close();
  await assert.rejects(client.apiCredit(), /the client is closed/);
  assert.equal(server.requests.length, 0);
});

test("a message keeps the names of the server's document", () => {
  const document = CREDIT.replace('"u1"', '[]');
  assert.throws(() => parseCredit(document), { message: /: its field "user_id" is not a string; / });
});

test("the versions are the package's and the library's", () => {
  assert.equal(VERSION, require('../package.json').version);
  assert.match(libraryVersion(), /^\d+\.\d+\.\d+/);
});

test('hundreds of hanging calls use no thread of the pool, and close ends them', async (t) => {
  const server = await serve(t, silent);
  const client = server.client(LONG);
  const calls = Array.from({ length: 200 }, () => client.apiCredit());
  const ended = Promise.allSettled(calls);
  await server.arrived(200);
  // The pool's four threads are free for files, names and ciphers.
  assert.ok((await promisify(fs.readFile)(__filename)).length > 0);
  await promisify(require('node:crypto').pbkdf2)('p', 's', 1, 8, 'sha256');
  await promisify(require('node:dns').lookup)('127.0.0.1');
  const begun = performance.now();
  client.close();
  client.close();
  for (const { reason } of await ended) assert.equal(reason.code, 'FISH_CANCELLED');
  assert.ok(performance.now() - begun < PROMPT_MS);
});

test('a signal ends the call at once, with its reason', async (t) => {
  const server = await serve(t, silent);
  const client = server.client(LONG);
  await assert.rejects(client.apiCredit({ signal: AbortSignal.abort() }), { name: 'AbortError' });
  assert.equal(server.requests.length, 0);
  const begun = performance.now();
  await assert.rejects(client.apiCredit({ signal: AbortSignal.timeout(20) }), { name: 'TimeoutError' });
  const controller = new AbortController();
  const calls = [client.apiCredit({ signal: controller.signal }), client.apiCreditJson({ signal: controller.signal })];
  const reason = new Error('enough');
  await server.arrived(2);
  controller.abort(reason);
  for (const call of calls) assert.equal(await call.catch((error) => error), reason);
  assert.ok(performance.now() - begun < PROMPT_MS);
  assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
});

test('an abort after the call does nothing, and no listener is left', async (t) => {
  const server = await serve(t, () => [200, CREDIT]);
  const controller = new AbortController();
  await server.client().apiCredit({ signal: controller.signal });
  assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
  controller.abort();
});

for (const without of ['koffi.node.poll', 'a descriptor', 'a descriptor that can be watched', 'a watch that lasts']) {
  test(`without ${without} a timer is used`, async (t) => {
    const functions = library();
    const saved = { poll: koffi.node.poll, call: functions.fish_call_descriptor, watch: functions.fish_watch_descriptor };
    t.after(() => {
      koffi.node.poll = saved.poll;
      Object.assign(functions, { fish_call_descriptor: saved.call, fish_watch_descriptor: saved.watch });
    });
    if (without === 'koffi.node.poll') koffi.node.poll = undefined;
    else if (without === 'a descriptor') functions.fish_call_descriptor = functions.fish_watch_descriptor = () => -1;
    else if (without === 'a watch that lasts') {
      koffi.node.poll = (descriptor, callback) => {
        const failed = setImmediate(callback, -9);
        return { close: () => clearImmediate(failed), ref() {}, unref() {} };
      };
    } else {
      koffi.node.poll = () => { throw new Error('no'); };
    }
    const server = await serve(t, (request, n) => [200, balance(String(9 - n))]);
    const client = server.client();
    assert.equal((await client.apiCredit()).credit, '9');
    const seen = [];
    const watch = client.watch({ intervalMs: 3_600_000 });
    for await (const state of watch) {
      seen.push(state.credit.credit);
      if (seen.length === 2) watch.close();
      else watch.refresh();
    }
    assert.deepEqual(seen, ['8', '7']);
  });
}

test('a thousand calls and fifty watches leak nothing', async (t) => {
  const server = await serve(t, (request, n) => (n % 10 === 9 ? [404, '{"message":"gone"}'] : [200, CREDIT]));
  const functions = library();
  const counts = {};
  const saved = { ...functions };
  t.after(() => Object.assign(functions, saved));
  for (const [name, one] of Object.entries(saved)) {
    if (typeof one !== 'function') continue;
    functions[name] = (...given) => {
      counts[name] = (counts[name] ?? 0) + 1;
      return one(...given);
    };
  }
  const held = live.size;
  const fds = () => (fs.existsSync('/proc/self/fd') ? fs.readdirSync('/proc/self/fd').length : 0);
  const client = server.client({ maxRetries: 0 });
  const rounds = async (count) => {
    for (let n = 0; n < count; n += 20) {
      await Promise.allSettled(Array.from({ length: 20 }, (_, k) => (k % 2 ? client.apiCredit() : client.apiCreditJson())));
      const watch = client.watch();
      for await (const state of watch) {
        assert.equal(state.failures <= 1, true);
        break;
      }
      watch.close();
    }
  };
  await rounds(100);
  const before = fds();
  await rounds(1000);
  assert.equal(counts.fish_call_start, 1100);
  assert.equal(counts.fish_call_free, 1100);
  assert.equal(counts.fish_watch_start, 55);
  assert.equal(counts.fish_watch_free, 55);
  assert.equal(live.size, held + 1, 'the client alone');
  // A watch's thread ends within 100 ms. A client keeps at most 16 connections.
  const begun = performance.now();
  while (fds() > before + 16) {
    assert.ok(performance.now() - begun < PROMPT_MS, String(fds()));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  client.close();
  assert.equal(live.size, held);
});

test('a client that is not closed is freed by the garbage collector', async (t) => {
  const server = await serve(t, () => [200, CREDIT]);
  const { program } = require('./support.js');
  const { said, code } = await program(server.url, `
    const { live } = require(require('node:path').join(${JSON.stringify(path.join(__dirname, '..'))}, 'lib/native.js'));
    (async () => {
      await (async () => {
        const client = new fish.Client(LONG);
        await client.apiCredit();
        client.watch().read();
      })();
      for (let n = 0; live.size > 0 && n < 1000; n++) { gc(); await new Promise((resolve) => setTimeout(resolve, 10)); }
      console.log('left', live.size);
    })();`, '--expose-gc').ended;
  assert.equal(said, 'left 0\n');
  assert.equal(code, 0);
});

test('the layouts are those of the machine-readable ABI', () => {
  const file = process.env.FISH_API_CREDIT_ABI ?? path.join(__dirname, '../../../docs/abi.json');
  const json = JSON.parse(fs.readFileSync(file, 'utf8'));
  const { types } = library();
  assert.deepEqual(Object.keys(abi.STRUCTS), json.structs.map((one) => one.name));
  for (const one of json.structs) {
    assert.equal(koffi.sizeof(types[one.name]), one.size, one.name);
    assert.equal(koffi.alignof(types[one.name]), one.align, one.name);
    const fields = one.fields.map((field) => [field.name, koffi.offsetof(types[one.name], field.name)]);
    assert.deepEqual(fields, one.fields.map((field) => [field.name, field.offset]), one.name);
  }
  assert.deepEqual(Object.keys(abi.FUNCTIONS), json.functions.map((one) => one.name));
  for (const { name, value } of json.constants) {
    const here = abi[name.replace('FISH_', '')];
    assert.equal(typeof here === 'bigint' ? Number(here) : here, value, name);
  }
  for (const [in_c, prefix, here] of [['fish_status_code', 'FISH_', Status], ['fish_level', 'FISH_LEVEL_', Level]]) {
    const { values } = json.enums.find((one) => one.name === in_c);
    assert.deepEqual({ ...here }, Object.fromEntries(values.map(({ name, value }) => [name.replace(prefix, ''), value])));
  }
  assert.equal(library().fish_version(), abi.VERSION);
  assert.equal(require('../package.json').version, abi.VERSION);
  assert.equal(typeof Watch, 'function');
});
