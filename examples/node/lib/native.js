'use strict';

// Finds and loads the library, and holds its handles. abi.js describes its functions and structs.
//
// The library is loaded on first use, so that a program can load this package without it and report the problem.

const fs = require('node:fs');
const path = require('node:path');
const { fileURLToPath } = require('node:url');
const koffi = require('koffi');
const abi = require('./abi.js');

const NAMES = { win32: 'fish_api_credit.dll', darwin: 'libfish_api_credit.0.dylib' };

let named = null;
let loaded = null;

/** Loads the library from this file. To be called before anything else. */
function load(file) {
  file = file instanceof URL ? fileURLToPath(file) : path.resolve(file);
  if (loaded !== null && loaded.file !== file) throw new Error(`the library is already loaded from ${loaded.file}`);
  named = file;
  library();
}

/** The loader that a 64-bit ELF program names, such as /lib/ld-musl-x86_64.so.1; '' if the file is none, or unreadable. */
function loaderOf(program) {
  let file;
  try {
    file = fs.openSync(program, 'r');
    const read = (length, at) => {
      const bytes = Buffer.alloc(Number(length));
      fs.readSync(file, bytes, 0, bytes.length, Number(at));
      return bytes;
    };
    const head = read(64, 0);
    if (head.readUInt32BE(0) !== 0x7f454c46 || head[4] !== 2) return '';
    const size = head.readUInt16LE(54);
    const segments = read(size * head.readUInt16LE(56), head.readBigUInt64LE(32));
    for (let at = 0; at < segments.length; at += size) {
      if (segments.readUInt32LE(at) !== 3) continue; // PT_INTERP
      return read(segments.readBigUInt64LE(at + 32), segments.readBigUInt64LE(at + 8)).toString('latin1');
    }
  } catch {
    // Then it is taken for a program of glibc's.
  } finally {
    if (file !== undefined) fs.closeSync(file);
  }
  return '';
}

/** The folder of this package that has the library for this platform; packaging/npm.sh fills it. */
function native() {
  const libc = process.platform === 'linux' && loaderOf(process.execPath).includes('/ld-musl-') ? '-musl' : '';
  return path.join(__dirname, '..', 'native', `${process.platform}-${process.arch}${libc}`);
}

/** The file given to load(), FISH_API_CREDIT_LIBRARY, the one in this package, or what the system's loader finds. */
function find() {
  if (named !== null) return named;
  if (process.env.FISH_API_CREDIT_LIBRARY) return process.env.FISH_API_CREDIT_LIBRARY;
  const name = NAMES[process.platform] ?? 'libfish_api_credit.so.0';
  const own = path.join(native(), name);
  return fs.existsSync(own) ? own : name;
}

/** The library's functions by name, its structs in `types`, and its `file`. */
function library() {
  loaded ??= open(find());
  return loaded;
}

function open(file) {
  let handle;
  try {
    handle = koffi.load(file);
  } catch (error) {
    throw new Error(
      `libfish_api_credit cannot be loaded (${file}: ${error.message}); install it, or set FISH_API_CREDIT_LIBRARY to its file`,
      { cause: error }
    );
  }
  try {
    const version = handle.func('fish_abi_version', 'uint32_t', [])();
    if (version !== abi.ABI_VERSION) {
      throw new Error(`it has ABI ${version}, but this package is for ABI ${abi.ABI_VERSION}`);
    }
    const types = {};
    // koffi's type names are global. The types have none, so that two copies of this package can be loaded.
    const type = (kind) => {
      if (Array.isArray(kind)) return koffi.array(kind[0], kind[1]);
      const [, name, star] = /^(\w+)( \*)?$/.exec(kind);
      const one = name === 'pointer' ? koffi.pointer('void') : (types[name] ?? name);
      return star ? koffi.pointer(one) : one;
    };
    for (const [name, fields] of Object.entries(abi.STRUCTS)) {
      types[name] = koffi.struct(Object.fromEntries(Object.entries(fields).map(([field, kind]) => [field, type(kind)])));
    }
    const functions = Object.entries(abi.FUNCTIONS).map(([name, [returns, takes]]) => {
      const parameters = takes.map((kind) => (kind === 'pointer *' ? koffi.out(type(kind)) : type(kind)));
      return [name, handle.func(name, type(returns), parameters)];
    });
    return { file, types, ...Object.fromEntries(functions) };
  } catch (error) {
    throw new Error(`${file} is not this package's libfish_api_credit (${error.message}); install the two together`, {
      cause: error,
    });
  }
}

/** Memory for a struct that the library fills. */
function room(name) {
  const type = library().types[name];
  const buffer = Buffer.alloc(koffi.sizeof(type));
  return { buffer, read: () => koffi.decode(buffer, type) };
}

/** What is not freed yet. It is freed by Handle.free, by the garbage collector, or when the thread ends. */
const live = new Set();
const forgotten = new FinalizationRegistry((one) => release(one));

function release(one) {
  if (live.delete(one)) library()[one.free](one.pointer);
}

/** Owns a pointer of the library's, and frees it once. */
class Handle {
  #one;

  constructor(pointer, free) {
    this.#one = { pointer, free };
    live.add(this.#one);
    forgotten.register(this, this.#one);
  }

  get pointer() {
    return this.#one.pointer;
  }

  /** Never waits. */
  free() {
    release(this.#one);
  }
}

module.exports = { koffi, load, library, native, loaderOf, room, live, release, Handle };
