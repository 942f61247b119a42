// What a user does with the installed npm package, against the sandbox; given the version that it should have, and the platform
// as its folder is named.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Client, FishError, Level, Status, parseCredit } from 'fish-api-credit';

const [version, platform] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const folder = fs.realpathSync(new URL('./node_modules/fish-api-credit', import.meta.url));
assert.equal(require('fish-api-credit/package.json').version, version);
assert.equal(require('fish-api-credit').Client, Client);

const baseUrl = process.env.FISH_BASE_URL;
const client = new Client({ baseUrl });
const credit = await client.apiCredit({ signal: AbortSignal.timeout(60_000) });
assert.deepEqual([credit.credit, credit.creditMicros], ['12.345678', 12345678n]);
assert.deepEqual(parseCredit(await client.apiCreditJson()).credit, credit.credit);
await assert.rejects(new Client({ apiKey: 'another', baseUrl }).apiCredit(), (error) => {
  assert.ok(error instanceof FishError);
  return error.status === Status.UNAUTHORIZED && error.httpStatus === 401;
});
for await (const state of client.watch({ intervalMs: 60_000, lowMicros: 20_000_000n })) {
  assert.deepEqual([state.credit.credit, state.level], ['12.345678', Level.LOW]);
  break;
}
client.close();

// What is loaded is the package's own file. Where the system itself tells what is mapped, no other of its name is.
const file = platform.startsWith('win32') ? 'fish_api_credit.dll' : 'libfish_api_credit.so.0';
const own = path.join(folder, 'native', platform, file);
assert.equal(require('fish-api-credit/lib/native.js').library().file, own);
if (platform.startsWith('linux-x64')) {
  const maps = fs.readFileSync('/proc/self/maps', 'utf8').split('\n').filter((line) => line.includes('fish_api_credit'));
  assert.deepEqual([...new Set(maps.map((line) => line.replace(/^.* (?=\/)/, '')))], [own]);
}
console.log(`Node ${process.version} for ${process.platform}-${process.arch}: ${credit.credit}, by ${own}`);
