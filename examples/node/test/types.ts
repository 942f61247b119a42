// Compiled, not run: what the types promise to a program.

import { Client, FishError, Level, Status, VERSION, formatMicros, libraryVersion, load, parseCredit, type Credit, type WatchState } from 'fish-api-credit';

async function all(): Promise<void> {
  load(new URL('file:///libfish_api_credit.so'));
  const client = new Client({ apiKey: 'k', caFile: new URL('file:///ca.pem'), timeoutMs: 10, maxRetries: 0, systemRoots: true });
  const credit: Credit = await client.apiCredit({ teamId: 't', signal: AbortSignal.timeout(5) });
  const micros: bigint = credit.creditMicros;
  const top: string | null = credit.cumulativeTopUp;
  const at: Date | null = parseCredit(await client.apiCreditJson()).updatedAt;
  console.log(formatMicros(micros, 2), top, at, VERSION === libraryVersion());
  const watch = client.watch({ lowMicros: 5_000_000n, intervalMs: null });
  watch.on('change', (state: WatchState) => console.log(state.level === Level.LOW)).unref();
  for await (const { credit, error } of watch) {
    if (error instanceof FishError && error.status === Status.RATE_LIMITED) console.log(error.fieldErrors[0]?.location);
    console.log(credit?.credit);
  }
  // @ts-expect-error A number would lose cents.
  client.watch({ lowMicros: 5 });
  // @ts-expect-error There is no such option.
  new Client({ timeout: 5 });
  // @ts-expect-error It is read only.
  credit.credit = '1';
  client.close();
}

void all;
