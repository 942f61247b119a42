'use strict';

// A watch reads the credit periodically and keeps the last one that was read.

const { EventEmitter } = require('node:events');
const abi = require('./abi.js');
const { library, room } = require('./native.js');
const { Credit } = require('./credit.js');
const { taken } = require('./errors.js');
const { Waiter } = require('./wait.js');

const NEVER_MS = 2 ** 32 - 1;

/** Returned by Client.watch: emits "change" and "close", and is an async iterable of its states. */
class Watch extends EventEmitter {
  #handle;
  #waiter;
  /** `changes` of the last state that was read, and of the last that was emitted. */
  #newest = 0;
  #told = 0;
  /** The iterations that wait. */
  #waiting = new Set();

  constructor(handle) {
    super();
    this.#handle = handle;
    this.#waiter = new Waiter(
      library().fish_watch_descriptor(handle.pointer),
      () => this.#take().changes !== this.#told,
      () => this.#tell(this.#take())
    );
  }

  /** The state now. Never waits for the network. */
  read() {
    const state = this.#take();
    // The descriptor is no longer readable, so those that wait are woken another way.
    this.#attend();
    return state;
  }

  /** Starts a reading now, such as after a purchase. Never waits; several at once are one. */
  refresh() {
    library().fish_watch_refresh(this.#open());
  }

  /** Ends it, and every iteration over it. Never waits; closing twice is harmless. */
  close() {
    if (this.#handle === null) return;
    this.#waiter.stop();
    this.#handle.free();
    this.#handle = null;
    this.#wake();
    this.emit('close');
  }

  get closed() {
    return this.#handle === null;
  }

  /** The process stays while something waits for a change. The default. */
  ref() {
    this.#waiter.hold(true);
    return this;
  }

  /** Lets the process end although there are listeners. */
  unref() {
    this.#waiter.hold(false);
    return this;
  }

  async *[Symbol.asyncIterator]() {
    let seen = 0;
    while (this.#handle !== null) {
      const state = this.read();
      if (state.status === abi.Status.CANCELLED) return this.close();
      if (state.changes === seen) {
        await new Promise((resolve) => {
          this.#waiting.add(resolve);
          this.#attend();
        });
        continue;
      }
      seen = state.changes;
      yield state;
    }
  }

  on(...listener) {
    super.on(...listener);
    return this.#attend();
  }

  addListener(...listener) {
    return this.on(...listener);
  }

  prependListener(...listener) {
    super.prependListener(...listener);
    return this.#attend();
  }

  removeListener(...listener) {
    super.removeListener(...listener);
    return this.#attend();
  }

  off(...listener) {
    return this.removeListener(...listener);
  }

  removeAllListeners(...event) {
    super.removeAllListeners(...event);
    return this.#attend();
  }

  /** Waits, and keeps the process alive, only while there are listeners or iterations. */
  #attend() {
    if (this.#handle === null) return this;
    if (this.listenerCount('change') === 0 && this.#waiting.size === 0) this.#waiter.stop();
    else if (this.#newest !== this.#told) this.#waiter.soon();
    else this.#waiter.start();
    return this;
  }

  #tell(state) {
    if (state.status === abi.Status.CANCELLED) return this.close();
    try {
      if (state.changes !== this.#told) {
        this.#told = state.changes;
        this.#wake();
        this.emit('change', state);
      }
    } finally {
      this.#attend();
    }
  }

  #wake() {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  #take() {
    const [filled, failure] = [room('fish_watch_state'), room('fish_error')];
    library().fish_watch_read(this.#open(), filled.buffer, failure.buffer);
    // This also frees it.
    const error = taken(failure);
    try {
      const state = filled.read();
      const known = state.credit.id !== null;
      this.#newest = Number(state.changes);
      return Object.freeze({
        credit: known ? new Credit(state.credit) : null,
        level: state.level,
        status: state.status,
        error: [abi.Status.OK, abi.Status.PENDING].includes(error.status) ? null : error,
        failures: state.failures,
        nextMs: state.next_ms === NEVER_MS ? null : state.next_ms,
        ageMs: known ? Number(state.age_ms) : null,
        changes: this.#newest,
      });
    } finally {
      library().fish_watch_state_free(filled.buffer);
    }
  }

  #open() {
    if (this.#handle === null) throw new Error('the watch is closed');
    return this.#handle.pointer;
  }
}
if (Symbol.dispose) Watch.prototype[Symbol.dispose] = Watch.prototype.close;

module.exports = { Watch };
