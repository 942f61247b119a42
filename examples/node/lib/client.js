'use strict';

// The client: its call, as a promise of the credit or of the server's JSON, and starting a watch.

const abi = require('./abi.js');
const { koffi, library, Handle } = require('./native.js');
const { check } = require('./errors.js');
const { creditOf } = require('./credit.js');
const { known, text, path, milliseconds, whole, retries, roots, micros } = require('./settings.js');
const { Waiter } = require('./wait.js');
const { Watch } = require('./watch.js');

const QUERY = ['userId', 'teamId', 'checkFreeCredit', 'timeoutMs'];

/** Holds connections and options. Create one and share it. */
class Client {
  #handle;

  constructor(options = {}) {
    const given = optionsOf(options);
    const out = [null];
    check((error) => library().fish_client_new(given, out, error));
    this.#handle = new Handle(out[0], 'fish_client_free');
  }

  async apiCredit(query = {}) {
    return this.#ask(query, (call) =>
      creditOf((credit, error) => library().fish_call_result(call, credit, error)));
  }

  async apiCreditJson(query = {}) {
    return this.#ask(query, (call) => {
      const out = [null];
      check((error) => library().fish_call_result_json(call, out, error));
      try {
        return koffi.decode.string(out[0]);
      } finally {
        library().fish_string_free(out[0]);
      }
    });
  }

  watch(options = {}) {
    known(options, [...QUERY, 'intervalMs', 'lowMicros', 'recoveredMicros']);
    const query = queryOf(options);
    const chosen = {
      interval_ms: milliseconds('intervalMs', options.intervalMs),
      low_micros: micros('lowMicros', options.lowMicros),
      recovered_micros: micros('recoveredMicros', options.recoveredMicros),
    };
    const out = [null];
    check((error) => library().fish_watch_start(this.#open(), query, chosen, out, error));
    return new Watch(new Handle(out[0], 'fish_watch_free'));
  }

  close() {
    this.#handle?.free();
    this.#handle = null;
  }

  #open() {
    if (this.#handle === null) throw new Error('the client is closed');
    return this.#handle.pointer;
  }

  #ask(query, take) {
    known(query, [...QUERY, 'signal']);
    const { signal } = query;
    signal?.throwIfAborted();
    const out = [null];
    check((error) => library().fish_call_start(this.#open(), queryOf(query), out, error));
    const call = new Handle(out[0], 'fish_call_free');
    return new Promise((resolve, reject) => {
      const end = (settle) => {
        try {
          settle();
        } catch (error) {
          reject(error);
        } finally {
          signal?.removeEventListener('abort', aborted);
          waiter.stop();
          call.free();
        }
      };
      const aborted = () => end(() => reject(signal.reason));
      const { fish_call_descriptor: descriptor, fish_call_is_done: isDone } = library();
      const waiter = new Waiter(
        descriptor(call.pointer),
        () => isDone(call.pointer),
        () => end(() => resolve(take(call.pointer)))
      );
      signal?.addEventListener('abort', aborted);
      waiter.start();
    });
  }
}
if (Symbol.dispose) Client.prototype[Symbol.dispose] = Client.prototype.close;

/** Each option's name in C, and what converts it. */
const OPTIONS = {
  // Generated from src/ffi: the fields of fish_client_options.
  apiKey: ['api_key', text],
  baseUrl: ['base_url', text],
  proxyUrl: ['proxy_url', text],
  caFile: ['ca_file', path],
  userAgent: ['user_agent', text],
  timeoutMs: ['timeout_ms', milliseconds],
  connectTimeoutMs: ['connect_timeout_ms', milliseconds],
  maxRetries: ['max_retries', retries],
  systemRoots: ['tls_roots', roots],
  // End of the generated part.
};

function optionsOf(options) {
  known(options, Object.keys(OPTIONS));
  return Object.fromEntries(Object.entries(OPTIONS).map(([name, [inC, checked]]) => [inC, checked(name, options[name])]));
}

function queryOf(query) {
  return {
    user_id: text('userId', query.userId),
    team_id: text('teamId', query.teamId),
    check_free_credit: Boolean(query.checkFreeCredit),
    timeout_ms: milliseconds('timeoutMs', query.timeoutMs),
  };
}

module.exports = { Client };
