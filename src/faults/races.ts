/** Faults that show when several clients work at once: what a server does that takes a short cut. */
import type { Fault } from "../proof.ts";
import { sleep } from "../session/pacing.ts";
import { acknowledged, duplicateKey, sqlFault, type Said } from "./sql.ts";

/** Chooses every n-th statement that matches. Counts for as long as the process lives. */
export function everyNth(pattern: RegExp, every: number): (sql: string) => boolean {
  let count = 0;
  return (sql) => {
    if (!pattern.test(sql)) return false;
    count += 1;
    return count % every === 0;
  };
}

/** Acknowledges every n-th write of one row, and never does it. */
export function loseWrites(name: string, pattern: RegExp, every: number): Fault {
  const chosen = everyNth(pattern, every);
  return sqlFault(name, (sql) => (chosen(sql) ? Promise.resolve(acknowledged(1)) : undefined));
}

/** Acknowledges every n-th write of one row at once, and does it only later. */
export function acknowledgeEarly(name: string, pattern: RegExp, every: number, delayMs: number): Fault {
  const chosen = everyNth(pattern, every);
  return sqlFault(name, (sql, _, exchange) => {
    if (!chosen(sql)) return undefined;
    void (async () => {
      await sleep(delayMs);
      // Nobody waits for it: when the observation is over, it may be refused.
      await exchange().catch(() => undefined);
    })();
    return Promise.resolve(acknowledged(1));
  });
}

/** Does every n-th write of one row and says that its key was there. */
export function refuseWhatWasDone(name: string, pattern: RegExp, every: number): Fault {
  const chosen = everyNth(pattern, every);
  return sqlFault(name, async (sql, _, exchange) => {
    if (!chosen(sql)) return undefined;
    await exchange();
    return duplicateKey();
  });
}

/** Does every n-th statement twice, as a proxy that sends it again. */
export function repeatWrites(name: string, pattern: RegExp, every: number): Fault {
  const chosen = everyNth(pattern, every);
  return sqlFault(name, async (sql, _, exchange) => {
    if (!chosen(sql)) return undefined;
    await exchange();
    return await exchange();
  });
}

/** Turns every n-th refusal of a write of one row into an acknowledgement. */
export function acknowledgeLosers(name: string, pattern: RegExp, every: number): Fault {
  let count = 0;
  return sqlFault(name, async (sql, _, exchange) => {
    if (!pattern.test(sql)) return undefined;
    const said = await exchange();
    if (said === undefined || said.status < 400) return undefined;
    count += 1;
    return count % every === 0 ? acknowledged(1) : undefined;
  });
}

/** Runs another statement instead of every n-th one. */
export function sometimesInstead(
  name: string,
  pattern: RegExp,
  every: number,
  rewrite: (sql: string) => string,
): Fault {
  const chosen = everyNth(pattern, every);
  return sqlFault(name, (sql, _, exchange) => (chosen(sql) ? exchange(rewrite(sql)) : undefined));
}

/** Reads from a replica that lags: what the same query had returned so long ago, or else the first time. */
export function lagBehind(name: string, pattern: RegExp, lagMs: number): Fault {
  const known = new Map<string, { readonly at: number; readonly said: Said }[]>();
  return sqlFault(name, async (sql, _, exchange) => {
    if (!pattern.test(sql)) return undefined;
    const said = await exchange();
    if (said === undefined || said.status >= 400) return undefined;
    const now = performance.now();
    const past = known.get(sql) ?? [];
    known.set(sql, [...past, { at: now, said }]);
    return (past.findLast(({ at }) => at <= now - lagMs) ?? past[0])?.said;
  });
}

/** Computes a new value from one that it read before: between the two, others write (a lost update, Adya's P4). */
export function readThenWrite(
  name: string,
  pattern: RegExp,
  steps: { readonly read: (sql: string) => string; readonly write: (sql: string, value: number) => string },
): Fault {
  return sqlFault(name, async (sql, _, exchange) => {
    if (!pattern.test(sql)) return undefined;
    const value = valueIn(await exchange(steps.read(sql)));
    if (value === undefined) return undefined;
    const said = await exchange(steps.write(sql, value));
    // A server may count no row where the value was the same already; the one that lost is none the wiser.
    return said !== undefined && said.status < 400 ? acknowledged(1) : said;
  });
}

/** The number in the first cell of the first result. */
function valueIn(said: Said | undefined): number | undefined {
  const body = said?.body as { results?: readonly { rows?: readonly (readonly unknown[])[] }[] } | undefined;
  const cell = body?.results?.[0]?.rows?.[0]?.[0];
  return cell === undefined ? undefined : Number(cell);
}
