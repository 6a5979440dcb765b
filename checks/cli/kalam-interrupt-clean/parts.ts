/** Runs of kalam that are cut short, by Ctrl-C or by closing the pipe on stdout, and the live queries they leave open. */
import type { Context } from "../../../src/check.ts";
import {
  listed,
  type Account,
  type KalamOptions,
  type KalamSaid,
  type RunKalam,
  type Target,
} from "../../../src/server/target.ts";
import { crashIn, ranOf, type Ran } from "../kalam-output.ts";
import { waitPatiently, type Pace } from "../../vocabulary/pace.ts";

/** After its run has ended, a live query must be gone from the live view within this time. */
export const goneWithinMs = 3_000;
/** After Ctrl-C or a closed pipe, kalam must have ended within this time. */
export const endWithinMs = 5_000;
const runMs = 20_000;

/** The part without a live query. */
export const plainPart = "a result that nobody reads";

export type Part = Ran & {
  readonly part: "Ctrl-C in a live query" | "a live query that nobody reads" | typeof plainPart;
  /** It was at work when it was cut short: the rows had arrived, and so had a change. */
  readonly atWork: boolean;
  readonly overdue: boolean;
  readonly endedAfterMs: number | null;
  readonly crash: string | null;
  /** Live queries of its account while it ran and after its end; null where they could not be read or were not looked at. */
  readonly listedOpen: number | null;
  readonly listedAfter: number | null;
  /** Of the wait for its end; the control is a plain run of kalam, made where the end was slow. */
  readonly ending: Pace;
  /** Of the wait for its live queries to be gone. */
  readonly leaving: Pace;
};

export interface Stage {
  readonly target: Target;
  readonly kalam: RunKalam;
  readonly context: Pick<Context, "poll">;
  readonly op: Account;
  /** Runs kalam. Has no live queries besides those. */
  readonly follower: Account;
  readonly table: string;
}

/** Ctrl-C once kalam has shown the rows and a change. */
export async function interruptLive(stage: Stage): Promise<Part> {
  const { target, op, table } = stage;
  const interrupt = new AbortController();
  const live = startLive(stage, { interrupt: interrupt.signal });
  const rowsCame = await live.shows("the first row");
  const listedOpen = rowsCame ? (await countOpen(stage, (open) => open > 0)).value : null;
  await target.sql(op, `INSERT INTO ${table} (id, v) VALUES (2, 'a later row')`);
  const atWork = rowsCame && (await live.shows("a later row"));
  interrupt.abort();
  const said = await live.end;
  const left = await countOpen(stage, (open) => open === 0);
  return await partOf(stage, "Ctrl-C in a live query", said, { atWork, listedOpen, left });
}

/**
 * `kalam --subscribe … | head -1`: kalam notices the closed pipe only at its next write. Changes cannot be seen here, so
 * `changesArrive` must have been seen before: a server that sends none is not kalam's fault.
 */
export async function closePipeOfLive(stage: Stage, changesArrive: boolean): Promise<Part> {
  const { target, op, table } = stage;
  const live = startLive(stage, { closeStdout: "after the first" });
  const began = await live.shows("");
  const listedOpen = began ? (await countOpen(stage, (open) => open > 0)).value : null;
  for (const id of [3, 4]) await target.sql(op, `INSERT INTO ${table} (id, v) VALUES (${id}, 'unread')`);
  const said = await live.end;
  const left = await countOpen(stage, (open) => open === 0);
  return await partOf(stage, "a live query that nobody reads", said, {
    atWork: began && changesArrive,
    listedOpen,
    left,
  });
}

export async function closePipeOfResult(stage: Stage): Promise<Part> {
  const { kalam, follower, table } = stage;
  const options = { closeStdout: "at once", timeoutMs: runMs } as const;
  const said = await kalam(follower, ["-c", `SELECT * FROM ${table} ORDER BY id LIMIT 10`], options);
  const left = await countOpen(stage, (open) => open === 0);
  return await partOf(stage, plainPart, said, { atWork: true, listedOpen: null, left });
}

/** Starts a live query. `shows`: whether the text was printed before kalam ended; an empty text stands for any output. */
function startLive(
  { kalam, follower, table }: Stage,
  options: KalamOptions,
): { readonly end: Promise<KalamSaid>; shows(text: string): Promise<boolean> } {
  let soFar = "";
  const waiting = new Set<() => void>();
  const onStdout = (text: string): void => {
    soFar = text;
    for (const look of waiting) look();
  };
  const end = kalam(follower, ["--subscribe", `SELECT * FROM ${table}`], { ...options, onStdout, timeoutMs: runMs });
  return {
    end,
    async shows(text) {
      const came = new Promise<boolean>((resolve) => {
        const look = (): void => {
          if (soFar !== "" && soFar.includes(text)) resolve(true);
        };
        waiting.add(look);
        look();
      });
      return await Promise.race([came, end.then(() => false)]);
    },
  };
}

const views = ["live", "live_queries"];

interface Left {
  readonly value: number | null;
  readonly pace: Pace;
}

/** The follower's open live queries, polled until their number is as wanted or the time is up. */
async function countOpen({ target, context, op, follower }: Stage, wanted: (open: number) => boolean): Promise<Left> {
  const ask = async (): Promise<number | null> => {
    for (const view of views) {
      const sql = `SELECT user_id FROM system.${view} WHERE user_id = '${follower.name}' LIMIT 100`;
      const open = listed(await target.sql(op, sql));
      if (open !== undefined) return open.length;
    }
    return null;
  };
  const done = (open: number | null): boolean => open === null || wanted(open);
  return await waitPatiently(target, op, {
    floorMs: goneWithinMs,
    wait: async (withinMs) => await context.poll(ask, done, { withinMs, everyMs: 100 }),
    done,
  });
}

async function partOf(
  { kalam, follower }: Stage,
  part: Part["part"],
  said: KalamSaid,
  { left, ...seen }: Pick<Part, "atWork" | "listedOpen"> & { readonly left: Left },
): Promise<Part> {
  const { overdue, endedAfterMs, stderr } = said;
  const ran = ranOf(said);
  // Running for too long is what the check is about; only a failure to start shows nothing.
  const trouble = overdue ? null : ran.trouble;
  const waitedMs = Math.round(overdue ? runMs : (endedAfterMs ?? 0));
  const control = waitedMs > endWithinMs ? await kalam(follower, ["-c", "SELECT 1 AS pace"]) : undefined;
  return {
    part,
    ...seen,
    overdue,
    endedAfterMs,
    crash: crashIn(stderr) ?? null,
    listedAfter: left.value,
    ending: { waitedMs, controlMs: control === undefined ? null : Math.round(control.tookMs) },
    leaving: left.pace,
    ...ran,
    trouble,
  };
}
