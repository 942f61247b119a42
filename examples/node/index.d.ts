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

/** A number that this package does not know is a failure of a newer library. */
export type Status = (typeof Status)[keyof typeof Status] | (number & {});
export type Level = (typeof Level)[keyof typeof Level];

/** An account's API credit: what its programs spend, not the platform credit of a plan. */
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
  /** For JSON.stringify: the integers are texts. */
  toJSON(): Record<string, unknown>;
}

/** One thing that the server found wrong with the request. */
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

/** Settings of a client. What is left out, undefined or null, is the library's default. */
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
  /** null: the key's own account. */
  userId?: string | null;
  /** The team whose wallet is meant. */
  teamId?: string | null;
  /** Ask for hasFreeCredit too. */
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
  /** A credit below this is Level.LOW. null: there is no such level. */
  lowMicros?: bigint | null;
  /** From LOW or EMPTY the level is OK again only at or above this. null: lowMicros. */
  recoveredMicros?: bigint | null;
}

/** Any failure of a call. Its message is one sentence that says what to do; no secret is in it. */
export declare class FishError extends Error {
  private constructor();
  name: 'FishError';
  /** The name of the status, such as "FISH_TIMED_OUT". */
  readonly code: string;
  readonly status: Status;
  /** null: no answer arrived. */
  readonly httpStatus: number | null;
  /** Tries, retries and failed connections included. 0: refused before anything was sent. */
  readonly attempts: number;
  /** null: the server did not say. */
  readonly retryAfterMs: number | null;
  /** The same call may succeed later. */
  readonly retryable: boolean;
  /** The server's own words. */
  readonly apiMessage: string | null;
  /** Its machine-readable reason. */
  readonly apiReason: string | null;
  /** Its name for this request, for its support. */
  readonly requestId: string | null;
  /** The start of the error answer's body. */
  readonly body: string | null;
  /** What a 422 found wrong. */
  readonly fieldErrors: readonly FieldError[];
}

/** Keeps connections and settings. Make one and share it. It belongs to its thread: a worker makes its own. */
export declare class Client {
  /** @throws FishError what is refused before anything is sent. */
  constructor(options?: ClientOptions);
  /** Asks for an account's API credit. Rejects with a FishError, or the signal's reason. */
  apiCredit(query?: CallOptions): Promise<Credit>;
  /** The same call, giving the server's document exactly as sent. parseCredit reads it later. */
  apiCreditJson(query?: CallOptions): Promise<string>;
  /** Starts reading the credit again and again, in the background. It ends with the client, or by its close(). */
  watch(options?: WatchOptions): Watch;
  /** Cancels the calls in flight, ends the watches, and lets go. Never waits; closing twice is harmless. */
  close(): void;
}

/** What a watch knows. */
export interface WatchState {
  /** The last that was read. null: nothing has been yet. A failure never replaces it. */
  readonly credit: Credit | null;
  /** The level of that credit. */
  readonly level: Level;
  /** How the newest reading ended. Status.PENDING: none has. Status.CANCELLED: the watch has ended. */
  readonly status: Status;
  /** Why the newest reading failed. null: it did not. */
  readonly error: FishError | null;
  /** How many readings in a row failed. */
  readonly failures: number;
  /** Milliseconds until the next reading begins. null: never. */
  readonly nextMs: number | null;
  /** Milliseconds since credit was read, time asleep included. null: nothing has been read. */
  readonly ageMs: number | null;
  /** Grows by one whenever credit, level or status changes. */
  readonly changes: number;
}

/**
 * Emits "change" at each change, and "close" once; iterating over it gives the same states, and ends with it. A slow
 * listener misses what lies between, and gets the newest. The process stays while somebody waits for a change.
 */
export declare class Watch extends EventEmitter {
  private constructor();
  /** What it knows now. Never waits for the network. */
  read(): WatchState;
  /** Reads now, after a purchase or a spend. Never waits; several at once are one. */
  refresh(): void;
  /** Ends it. Never waits; closing twice is harmless. */
  close(): void;
  readonly closed: boolean;
  /** The process does not stay for this watch. */
  unref(): this;
  /** It stays again while somebody waits. */
  ref(): this;
  [Symbol.asyncIterator](): AsyncGenerator<WatchState, void, undefined>;
  on(event: 'change', listener: (state: WatchState) => void): this;
  on(event: 'close', listener: () => void): this;
  once(event: 'change', listener: (state: WatchState) => void): this;
  once(event: 'close', listener: () => void): this;
  off(event: 'change', listener: (state: WatchState) => void): this;
  off(event: 'close', listener: () => void): this;
}

/** Reads a document kept from Client.apiCreditJson. No network. */
export declare function parseCredit(json: string): Credit;

/** Exact text for a person, rounded down: (12345678n, 2) is "12.34". Decimals are 0 to 6; by default 2. */
export declare function formatMicros(micros: bigint, decimals?: number): string;

/** Names the library's file. Without it: FISH_API_CREDIT_LIBRARY, this package's own folder, or the system's loader. */
export declare function load(file: string | URL): void;
