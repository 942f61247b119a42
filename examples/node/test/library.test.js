'use strict';

// Which file of the library is loaded: the package as it is installed, with the library inside.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { test } = require('node:test');
const { library, native, loaderOf } = require('../lib/native.js');

test('the library in the package comes before the system\'s and after the variable', () => {
  const built = library().file;
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'fish-')));
  try {
    const name = { win32: 'fish_api_credit.dll', darwin: 'libfish_api_credit.0.dylib' }[process.platform] ?? 'libfish_api_credit.so.0';
    const here = path.join(__dirname, '..');
    const copy = path.join(folder, 'fish-api-credit');
    fs.cpSync(here, copy, { recursive: true, filter: (file) => !file.endsWith('node_modules') });
    fs.symlinkSync(path.join(here, 'node_modules'), path.join(folder, 'node_modules'));
    // Where the loader would find one of the system's, there is one that is none.
    fs.writeFileSync(path.join(folder, name), 'no library');
    const loaded = (variables) => {
      const env = { ...process.env, LD_LIBRARY_PATH: folder, ...variables };
      if (!variables) delete env.FISH_API_CREDIT_LIBRARY;
      const code = `try { console.log(require('./lib/native.js').library().file); } catch (error) { console.log(error.message); }`;
      return spawnSync(process.execPath, ['-e', code], { cwd: copy, env, encoding: 'utf8' }).stdout.trim();
    };
    const own = path.join(copy, path.relative(here, native()), name);
    assert.match(loaded(), /^libfish_api_credit cannot be loaded /);
    fs.mkdirSync(path.dirname(own), { recursive: true });
    fs.copyFileSync(built, own);
    assert.equal(loaded(), own);
    assert.equal(loaded({ FISH_API_CREDIT_LIBRARY: built }), built);
    assert.match(loaded({ FISH_API_CREDIT_LIBRARY: '/nowhere.so' }), /nowhere/);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

test('this Node is for musl exactly if it says that it has no glibc', { skip: process.platform !== 'linux' }, () => {
  const loader = loaderOf(process.execPath);
  assert.match(loader, /^\/.*ld-/);
  assert.equal(loader.includes('/ld-musl-'), process.report.getReport().header.glibcVersionRuntime === undefined);
  assert.equal(native().endsWith('-musl'), loader.includes('/ld-musl-'));
  assert.deepEqual([loaderOf('/nowhere'), loaderOf(__dirname), loaderOf(__filename)], ['', '', '']);
});
