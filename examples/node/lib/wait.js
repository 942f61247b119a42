'use strict';

// Waits for a descriptor of the library's on this thread's event loop: no thread of Node's pool is used, and process.exit
// waits for nothing.

const { koffi, live, release } = require('./native.js');

/** How often to check where no descriptor can be watched. */
const LOOK_MS = 10;

/** The waiters that wait. The set keeps them from the garbage collector. */
const waiters = new Set();

let pinned = null;

/**
 * Whether koffi can watch descriptors here. When the last thread that uses koffi ends, its addon is unloaded, and a poll
 * handle that is still closing crashes (koffi 3.3.4). So the addon is pinned first.
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
        if (status >= 0) return this.soon();
        this.stop();
        this.#descriptor = -1;
        this.start();
      });
      if (!this.#held) this.#handle.unref();
    } catch {
      this.#descriptor = -1;
      this.#look();
    }
  }

  /** Wakes in a moment. Not at once, because Node runs no promise reactions after koffi's callback. */
  soon() {
    this.stop();
    waiters.add(this);
    this.#immediate = setImmediate(() => {
      this.stop();
      this.#wake();
    });
    if (!this.#held) this.#immediate.unref();
  }

  /** Must come before the descriptor's owner is freed: its number may then be reused. */
  stop() {
    this.#handle?.close();
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#handle = this.#timer = this.#immediate = null;
    waiters.delete(this);
  }

  /** Whether waiting keeps the process alive. */
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

// At the end of the process or of a worker, calls are cancelled and watches end. Nothing is waited for.
process.on('exit', () => {
  for (const waiter of waiters) waiter.stop();
  for (const one of live) release(one);
});

module.exports = { Waiter };
