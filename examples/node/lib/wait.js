'use strict';

// Waiting for a descriptor of the library's on this thread's own event loop: no thread of Node's pool, and nothing that
// process.exit would wait for.

const { koffi, live, release } = require('./native.js');

/** How often it is looked where no descriptor can be watched. */
const LOOK_MS = 10;

/** Those that wait: kept here from the garbage collector. */
const waiters = new Set();

let pinned = null;

/**
 * Whether koffi can watch descriptors here. A worker thread that ends would unload koffi's addon with a watch of it still
 * closing, and crash (koffi 3.3.4), so the addon is made to stay first.
 */
function canPoll() {
  if (typeof koffi.node?.poll !== 'function') return false;
  pinned ??= pin();
  return pinned;
}

function pin() {
  const NODELETE = { linux: 0x1000, darwin: 0x80 }[process.platform];
  const LAZY = 1;
  const addon = Object.keys(require.cache).find((file) => /koffi[^/]*\.node$/.test(file));
  if (NODELETE === undefined || addon === undefined) return require('node:worker_threads').isMainThread;
  try {
    return koffi.load(null).func('dlopen', 'void *', ['str', 'int'])(addon, LAZY | NODELETE) !== null;
  } catch {
    return require('node:worker_threads').isMainThread;
  }
}

/** Calls `wake` once after each start(), when the descriptor has become readable or `ready` says so. */
class Waiter {
  #descriptor;
  #ready;
  #wake;
  #handle = null;
  #timer = null;
  #immediate = null;
  #held = true;

  constructor(descriptor, ready, wake) {
    this.#descriptor = Number(descriptor);
    this.#ready = ready;
    this.#wake = wake;
  }

  start() {
    if (waiters.has(this)) return;
    waiters.add(this);
    if (this.#descriptor < 0 || !canPoll()) return this.#look();
    try {
      this.#handle = koffi.node.poll(this.#descriptor, (status) => {
        if (status < 0) this.#descriptor = -1;
        this.soon();
      });
      if (!this.#held) this.#handle.unref();
    } catch {
      this.#descriptor = -1;
      this.#look();
    }
  }

  /** As if it had become readable. Node runs no promise's reaction after koffi's callback; after an immediate's it does. */
  soon() {
    this.stop();
    waiters.add(this);
    this.#immediate = setImmediate(() => {
      this.stop();
      this.#wake();
    });
    if (!this.#held) this.#immediate.unref();
  }

  /** Always before the descriptor's owner is freed: its number may be another's then. */
  stop() {
    this.#handle?.close();
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#handle = this.#timer = this.#immediate = null;
    waiters.delete(this);
  }

  /** Whether the process stays for it. */
  hold(held) {
    this.#held = held;
    for (const one of [this.#handle, this.#timer, this.#immediate]) held ? one?.ref() : one?.unref();
  }

  #look() {
    if (this.#ready()) return this.soon();
    this.#timer = setTimeout(() => this.#look(), LOOK_MS);
    if (!this.#held) this.#timer.unref();
  }
}

// The end of this thread's JavaScript, be it the program's or a worker's: calls are cancelled, watches end, and nothing
// is waited for.
process.on('exit', () => {
  for (const waiter of waiters) waiter.stop();
  for (const one of live) release(one);
});

module.exports = { Waiter };
