/// <reference types="node" />
// The types of fish-api-credit.

import { EventEmitter } from 'node:events';

// Generated from src/ffi: the statuses and levels.
/** How a call ended. A newer library may have statuses that are not here. */
export declare const Status: {
  /** Success. */
  readonly OK: 0;
  /** Caller: an argument or option is invalid; nothing was sent. The message names it. */
  readonly INVALID_ARGUMENT: 1;
  /** Caller: no apiKey and no FISH_API_KEY in the environment. */
  readonly MISSING_API_KEY: 2;
  /** Caller: the client was closed. */
  readonly CANCELLED: 3;
  /** Caller: there is no result yet. Not a failure. */
  readonly PENDING: 4;
  /** Transport: the host name could not be resolved. Check baseUrl and DNS. */
  readonly RESOLVE_FAILED: 20;
  /** Transport: no connection could be made to any of the host's addresses. Check the network and firewalls. */
  readonly CONNECT_FAILED: 21;
  /**
   * Transport: the TLS connection failed. The message says why. In a company network, try systemRoots or
   * caFile.
   */
  readonly TLS_FAILED: 22;
  /**
   * Transport: the proxy was unreachable, refused the connection, or sent an invalid response. Check proxyUrl
   * or the proxy variables.
   */
  readonly PROXY_FAILED: 23;
  /** Transport: timeoutMs or connectTimeoutMs passed. Try later, or allow more time. */
  readonly TIMED_OUT: 24;
  /** Transport: the connection ended before the whole response had arrived. Try later. */
  readonly CONNECTION_LOST: 25;
  /** Response: 401. The API key is wrong. */
  readonly UNAUTHORIZED: 40;
  /** Response: 402. The account needs a top-up. */
  readonly PAYMENT_REQUIRED: 41;
  /** Response: 403. The key may not read this wallet. */
  readonly FORBIDDEN: 42;
  /** Response: 404. There is no such user or team, or baseUrl is wrong. */
  readonly NOT_FOUND: 43;
  /** Response: 400 or 422. See FishError.fieldErrors. */
  readonly VALIDATION_FAILED: 44;
  /** Response: 429. Wait for FishError.retryAfterMs, and ask less often. */
  readonly RATE_LIMITED: 45;
  /** Response: 500 to 599. Try later. */
  readonly SERVER_ERROR: 46;
  /** Response: any other HTTP status, including redirects, which are never followed. Check baseUrl. */
  readonly UNEXPECTED_STATUS: 47;
  /** Response: not HTTP, or a 200 whose body is not the documented JSON. None of it is used. Check baseUrl. */
  readonly BAD_RESPONSE: 48;
  /** Response: a body above 1 MiB, or a head above 64 KiB or 100 header fields. Check baseUrl. */
  readonly RESPONSE_TOO_LARGE: 49;
  /** Library: a bug in this library, caught before it reached the caller. Please report the message. */
  readonly INTERNAL_ERROR: 90;
};
/** How much credit is left, by its amount and a watch's options. */
export declare const Level: {
  /** Nothing has been read yet. */
  readonly UNKNOWN: 0;
  /** Enough. */
  readonly OK: 1;
  /** Below lowMicros, or still below recoveredMicros after a low or empty credit. */
  readonly LOW: 2;
  /** At or below zero; without lowMicros also while still below recoveredMicros. */
  readonly EMPTY: 3;
};
// End of the generated part.

/** A newer library may have numbers that are not in the list. Treat them as failures. */
export type Status = (typeof Status)[keyof typeof Status] | (number & {});
export type Level = (typeof Level)[keyof typeof Level];

/** The API credit of one wallet, which API calls spend. It is not the platform credit of a plan. */
export interface Credit {
  // Generated from src/ffi: the fields of fish_api_credit.
  /** The wallet's id ("_id"). */
  readonly id: string;
  /** The account's id. */
  readonly userId: string;
  /** The balance as exact decimal text, as sent, presumably in US dollars. May be negative. */
  readonly credit: string;
  /** The total ever paid in, as decimal text. null if the server did not send it. */
  readonly cumulativeTopUp: string | null;
  /** When the wallet was created, as sent (RFC 3339). */
  readonly createdAtText: string;
  /** When the wallet last changed, as sent (RFC 3339). */
  readonly updatedAtText: string;
  /**
   * The server's id for this request (x-fish-trace-id, else cf-ray), to quote to its support. null if the
   * server did not send one, or after parseCredit.
   */
  readonly requestId: string | null;
  /** credit x 1,000,000, rounded down (never overstated), saturating. */
  readonly creditMicros: bigint;
  /** cumulativeTopUp x 1,000,000, likewise. null if the server did not send it. */
  readonly cumulativeTopUpMicros: bigint | null;
  /** When the wallet was created. null: the text is no RFC 3339 time. */
  readonly createdAt: Date | null;
  /** The same in microseconds since 1970 UTC, of which a Date keeps the milliseconds. */
  readonly createdAtUnixUs: bigint | null;
  /** When the wallet last changed. null: the text is no RFC 3339 time. */
  readonly updatedAt: Date | null;
  /** The same in microseconds since 1970 UTC, of which a Date keeps the milliseconds. */
  readonly updatedAtUnixUs: bigint | null;
  /** False if creditMicros was rounded or saturated. `credit` is always exact. */
  readonly creditMicrosExact: boolean;
  /** Whether the account has a phone number. null: absent or null. */
  readonly hasPhone: boolean | null;
  /** Whether free credit is left. null: absent or null, as it is without checkFreeCredit. */
  readonly hasFreeCredit: boolean | null;
  // End of the generated part.
  /** For JSON.stringify: bigints become text. */
  toJSON(): Record<string, unknown>;
}

/** One field that the server found invalid. */
export interface FieldError {
  // Generated from src/ffi: the fields of fish_field_error.
  /** The field, such as "query.check_free_credit": the parts of "loc" joined by dots. */
  readonly location: string;
  /** "in": "path", "query", "header", "cookie" or "body". null if not sent. */
  readonly source: string | null;
  /** The kind of error, such as "bool_parsing". */
  readonly type: string;
  /** The server's description. */
  readonly message: string;
  /** "ctx" as text. null if not sent. */
  readonly context: string | null;
  // End of the generated part.
}

/** Options of a client. An option that is left out, undefined or null has the library's default. */
export interface ClientOptions {
  // Generated from src/ffi: the fields of fish_client_options.
  /** The secret API key. null: the environment variable FISH_API_KEY. Sent only to baseUrl's host. */
  apiKey?: string | null;
  /**
   * The API's address. null: "https://api.fish.audio". It may have a port and a path, but no user, query or
   * fragment. Plain http:// is allowed for loopback hosts only.
   */
  baseUrl?: string | null;
  /**
   * "http://[user:password@]host:port" or "socks5://...". "": no proxy. null: the environment variables
   * HTTPS_PROXY, ALL_PROXY and NO_PROXY, which are ignored if baseUrl is a loopback host. For such a host,
   * only a proxy on a loopback host is allowed.
   */
  proxyUrl?: string | null;
  /** The path of a PEM file with the certificates to trust, and no others. null: see systemRoots. */
  caFile?: string | URL | null;
  /** Prepended to the library's own User-Agent, such as "studio/2.1". null: "fish-api-credit/0.1.0" alone. */
  userAgent?: string | null;
  /** Milliseconds for a whole call: resolving, connecting, retries and the waits between them. null: 15000. */
  timeoutMs?: number | null;
  /** Milliseconds for one connection attempt, TLS included. null: 5000. */
  connectTimeoutMs?: number | null;
  /** How many times a failed request is retried. 0: never. null: 2 times. */
  maxRetries?: number | null;
  /** Trust the operating system's certificate authorities instead of Mozilla's. */
  systemRoots?: boolean | null;
  // End of the generated part.
}

/** What to ask for. */
export interface Query {
  /** The wallet's owner. null: the key's own account. */
  userId?: string | null;
  /** The team whose API credit to read. null: the account's own. */
  teamId?: string | null;
  /** Also ask for hasFreeCredit. */
  checkFreeCredit?: boolean | null;
  /** Milliseconds for this whole call. null: the client's. */
  timeoutMs?: number | null;
}

export interface CallOptions extends Query {
  /** Ends the call at once; the promise is rejected with the signal's reason. */
  signal?: AbortSignal | null;
}

export interface WatchOptions extends Query {
  /** Milliseconds between two readings, give or take 5 %, at least 1000. null: 60000. */
  intervalMs?: number | null;
  /** A credit below this is Level.LOW. null: no such level. */
  lowMicros?: bigint | null;
  /** After LOW or EMPTY, the level returns to OK only at or above this. null: lowMicros. */
  recoveredMicros?: bigint | null;
}

/** Why a call failed. The message says what to do; it contains no secret. */
export declare class FishError extends Error {
  private constructor();
  name: 'FishError';
  /** The name of the status, such as "FISH_TIMED_OUT". */
  readonly code: string;
  readonly status: Status;
  /** null: no response arrived. */
  readonly httpStatus: number | null;
  /** How many attempts were made, failed connections included. 0: nothing was sent. */
  readonly attempts: number;
  /** The server's Retry-After. null: not sent. */
  readonly retryAfterMs: number | null;
  /** The same call may succeed later. */
  readonly retryable: boolean;
  /** The server's own message. */
  readonly apiMessage: string | null;
  /** The server's machine-readable reason. */
  readonly apiReason: string | null;
  /** The server's id for this request, to quote to its support. */
  readonly requestId: string | null;
  /** The start of the response's body. */
  readonly body: string | null;
  /** The fields that a 422 found invalid. */
  readonly fieldErrors: readonly FieldError[];
}

/** Holds connections and options. Create one and share it. It belongs to its thread: each worker creates its own. */
export declare class Client {
  /** @throws FishError for an invalid option, or if there is no API key. */
  constructor(options?: ClientOptions);
  /** Reads an account's API credit. Rejects with a FishError or the signal's reason. */
  apiCredit(query?: CallOptions): Promise<Credit>;
  /** Like apiCredit, but returns the server's document exactly as sent. parseCredit decodes it. */
  apiCreditJson(query?: CallOptions): Promise<string>;
  /** Starts a watch, which reads the credit periodically. It ends with the client, or by its close(). */
  watch(options?: WatchOptions): Watch;
  /** Cancels the running calls and ends the watches. Never waits; closing twice is harmless. */
  close(): void;
}

/** The state of a watch. */
export interface WatchState {
  /** The last credit that was read. null: none yet. A failure never replaces it. */
  readonly credit: Credit | null;
  /** The level of that credit. */
  readonly level: Level;
  /** How the last reading ended. Status.PENDING: none has. Status.CANCELLED: the watch has ended. */
  readonly status: Status;
  /** Why the last reading failed. null: it did not. */
  readonly error: FishError | null;
  /** How many readings in a row failed. */
  readonly failures: number;
  /** Milliseconds until the next reading begins. null: never. */
  readonly nextMs: number | null;
  /** Milliseconds since credit was read, time asleep included. null: no credit yet. */
  readonly ageMs: number | null;
  /** Grows by one whenever credit, level or status changes. */
  readonly changes: number;
}

/**
 * Emits "change" at each change and "close" once. Iterating over it gives the same states, and ends with it. A slow
 * listener gets the newest state and misses those between. The process stays alive while there is a "change" listener or
 * an iteration.
 */
export declare class Watch extends EventEmitter {
  private constructor();
  /** The state now. Never waits for the network. */
  read(): WatchState;
  /** Starts a reading now, such as after a purchase. Never waits; several at once are one. */
  refresh(): void;
  /** Ends it. Never waits; closing twice is harmless. */
  close(): void;
  readonly closed: boolean;
  /** Lets the process end although there are listeners. */
  unref(): this;
  /** Undoes unref(). */
  ref(): this;
  [Symbol.asyncIterator](): AsyncGenerator<WatchState, void, undefined>;
  on(event: 'change', listener: (state: WatchState) => void): this;
  on(event: 'close', listener: () => void): this;
  once(event: 'change', listener: (state: WatchState) => void): this;
  once(event: 'close', listener: () => void): this;
  off(event: 'change', listener: (state: WatchState) => void): this;
  off(event: 'close', listener: () => void): this;
}

/** Decodes a document from Client.apiCreditJson. No network. */
export declare function parseCredit(json: string): Credit;

/** Exact text for a person, rounded down: (12345678n, 2) is "12.34". Decimals are 0 to 6; by default 2. */
export declare function formatMicros(micros: bigint, decimals?: number): string;

/** Loads the library from this file, before anything else. By default it is searched as docs/node.md says. */
export declare function load(file: string | URL): void;

/** The version of the library that this package was made for. */
export declare const VERSION: string;

/** The version of the library that was loaded, which may be a newer one. */
export declare function libraryVersion(): string;
