import { defineCheck, fail, pass, unknown, type Context } from "../../../src/check.ts";
import {
  kalamText,
  listed,
  type Account,
  type KalamOptions,
  type KalamSaid,
  type Target,
} from "../../../src/server/target.ts";
import { crashIn, serverTrouble } from "../kalam-output.ts";

/** After an interrupt, or when nobody reads any more, it must have ended within this time. */
const endWithinMs = 5_000;
/** Then what it had open must be gone from the live view within this time. */
const goneWithinMs = 3_000;
const runMs = 20_000;

/** The one without a live query. */
const plainPart = "a result that nobody reads";

type Part = {
  readonly part: "Ctrl-C in a live query" | "a live query that nobody reads" | typeof plainPart;
  /** It was at work when it was cut short: the rows came, and a change did. */
  readonly walked: boolean;
  readonly overdue: boolean;
  readonly endedAfterMs: number | null;
  readonly crash: string | null;
  /** Live queries of its account while it ran, and after its end; null where that could not be read or was not looked at. */
  readonly listedOpen: number | null;
  readonly listedAfter: number | null;
  readonly trouble: string | null;
  readonly outcome: string;
  readonly exchange: number;
};

export const kalamInterruptClean = defineCheck({
  id: "cli/kalam-interrupt-clean",
  title: "kalam ends at Ctrl-C or a closed pipe, leaving nothing open",
  failureTitle: "kalam hangs, crashes or leaves a live query open when cut short",
  description: `Starts a live query with kalam --subscribe, waits for its rows and for a change, and sends it Ctrl-C; starts another whose output nobody reads after the first of it, and changes a row; and runs a query whose output nobody reads at all. Each must end within ${endWithinMs / 1000} s, without a crash, and the live queries must be gone from the server's live view within ${goneWithinMs / 1000} s.`,
  blindTo:
    "It interrupts live queries and looks at closed pipes; Ctrl-C in the middle of a statement or a file is not tried.",
  risk: "Scripts pile up processes that do not end, and the server runs out of subscriptions.",
  remedy: "End kalam with timeout(1) -s KILL where it hangs, and look for what is left with SELECT * FROM system.live.",
  covers: [],
  touches: "scratch",
  needs: ["dba", "kalam"],
  level: "block",
  estimateMs: 2_500,
  estimateRequests: 30,
  // Each of its three runs of kalam may take until it is overdue.
  timeoutMs: 120_000,
  findings: {
    hung: { say: (d: { part: string; outcome: string }) => `${d.part}: it did not end: ${d.outcome}` },
    lingering: {
      say: (d: { part: string; open: number }) =>
        `${d.part}: ${goneWithinMs / 1000} s after its end ${d.open} live queries of its account are still listed`,
    },
    crashed: { say: (d: { part: string; line: string }) => `${d.part}: ${d.line}`, level: "warn" },
  },
  async observe(target, context) {
    if (target.kalam === undefined) return { parts: [] as readonly Part[] };
    const op = await target.account("dba");
    // Only these live queries belong to it, so that what is listed is theirs.
    const follower = await target.fresh("dba");
    const table = `${context.scratch}.t`;
    await target.sql(op, `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, v TEXT) WITH (TYPE='SHARED')`);
    await target.sql(op, `INSERT INTO ${table} (id, v) VALUES (1, 'the first row')`);
    const stage = { target, context, op, follower, table };
    const cutShort = await interrupted(stage);
    return { parts: [cutShort, await unread(stage, cutShort.walked), await unreadResult(stage)] };
  },
  judge({ parts }) {
    const clear = parts.filter((one) => one.trouble === null && one.walked);
    const found = clear.flatMap((one) => {
      const { part, outcome, exchange, crash, listedAfter } = one;
      const about = { case: part, sent: [exchange] };
      const hung = one.overdue || (one.endedAfterMs !== null && one.endedAfterMs > endWithinMs);
      return [
        ...(hung ? [{ name: "hung" as const, data: { part, outcome }, ...about }] : []),
        ...(!hung && listedAfter !== null && listedAfter > 0
          ? [{ name: "lingering" as const, data: { part, open: listedAfter }, ...about }]
          : []),
        ...(crash === null ? [] : [{ name: "crashed" as const, data: { part, line: crash }, ...about }]),
      ];
    });
    if (found.length > 0) return fail(...found);
    if (parts.length < 3) return unknown(`kalam was run only ${parts.length} of 3 times`);
    const unclear = parts.find((one) => !clear.includes(one));
    if (unclear !== undefined)
      return unknown(
        `${unclear.part}: ${unclear.trouble ?? `it was not at work when it was cut short: ${unclear.outcome}`}`,
      );
    const unlisted = parts.find(
      (one) => one.listedAfter === null || one.listedOpen === 0 || (one.listedOpen === null && one.part !== plainPart),
    );
    if (unlisted !== undefined)
      return unknown(
        `${unlisted.part}: it was not listed while it was open, or what is open could not be read, so nothing can be said of what stays`,
      );
    const slowest = Math.max(...parts.map((one) => one.endedAfterMs ?? 0));
    return pass(`${parts.length} of ${parts.length} ended within ${slowest} ms; their live queries are gone`);
  },
});

interface Stage {
  readonly target: Target;
  readonly context: Context;
  readonly op: Account;
  readonly follower: Account;
  readonly table: string;
}

/** Ctrl-C when it has shown the rows and then a change. */
async function interrupted({ target, context, op, follower, table }: Stage): Promise<Part> {
  const interrupt = new AbortController();
  const live = start(target, follower, table, { interrupt: interrupt.signal });
  const cameRows = await live.shows("the first row");
  const listedOpen = cameRows ? await openOnes({ target, context, op, follower }, (open) => open > 0) : null;
  await target.sql(op, `INSERT INTO ${table} (id, v) VALUES (2, 'a later row')`);
  const cameChange = cameRows && (await live.shows("a later row"));
  interrupt.abort();
  const said = await live.end;
  const listedAfter = await openOnes({ target, context, op, follower }, (open) => open === 0);
  return partOf("Ctrl-C in a live query", said, { walked: cameChange, listedOpen, listedAfter });
}

/**
 * `kalam --subscribe … | head -1`: it can notice only when there is something more to write. Whether changes come is
 * not to be seen here, so they must have come just before: a server that tells none is not kalam's fault.
 */
async function unread(stage: Stage, changesCome: boolean): Promise<Part> {
  const { target, context, op, follower, table } = stage;
  const live = start(target, follower, table, { closeStdout: "after the first" });
  const began = await live.shows("");
  const listedOpen = began ? await openOnes({ target, context, op, follower }, (open) => open > 0) : null;
  for (const id of [3, 4]) await target.sql(op, `INSERT INTO ${table} (id, v) VALUES (${id}, 'unread')`);
  const said = await live.end;
  const listedAfter = await openOnes({ target, context, op, follower }, (open) => open === 0);
  return partOf("a live query that nobody reads", said, { walked: began && changesCome, listedOpen, listedAfter });
}

async function unreadResult({ target, context, op, follower, table }: Stage): Promise<Part> {
  const options = { closeStdout: "at once", timeoutMs: runMs } as const;
  const said = await target.kalam?.(follower, ["-c", `SELECT * FROM ${table} ORDER BY id LIMIT 10`], options);
  const listedAfter = await openOnes({ target, context, op, follower }, (open) => open === 0);
  return partOf(plainPart, said, { walked: true, listedOpen: null, listedAfter });
}

/** A live query under way. `shows` tells whether the text came before it ended; an empty text is the first of it. */
function start(
  target: Target,
  follower: Account,
  table: string,
  options: KalamOptions,
): { readonly end: Promise<KalamSaid | undefined>; shows(text: string): Promise<boolean> } {
  let soFar = "";
  const waiting = new Set<() => void>();
  const onStdout = (text: string): void => {
    soFar = text;
    for (const look of waiting) look();
  };
  const args = ["--subscribe", `SELECT * FROM ${table}`];
  const end = Promise.resolve(target.kalam?.(follower, args, { ...options, onStdout, timeoutMs: runMs }));
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

/** How many live queries the follower has open, asked until it is as wanted or the time is up. */
async function openOnes(
  { target, context, op, follower }: Pick<Stage, "target" | "context" | "op" | "follower">,
  wanted: (open: number) => boolean,
): Promise<number | null> {
  const ask = async (): Promise<number | null> => {
    for (const view of views) {
      const sql = `SELECT user_id FROM system.${view} WHERE user_id = '${follower.name}' LIMIT 100`;
      const open = listed(await target.sql(op, sql));
      if (open !== undefined) return open.length;
    }
    return null;
  };
  return await context.poll(ask, (open) => open === null || wanted(open), { withinMs: goneWithinMs, everyMs: 100 });
}

function partOf(
  part: Part["part"],
  said: KalamSaid | undefined,
  seen: Pick<Part, "walked" | "listedOpen" | "listedAfter">,
): Part {
  if (said === undefined) throw new Error("there is no kalam");
  return {
    part,
    ...seen,
    overdue: said.overdue,
    endedAfterMs: said.endedAfterMs,
    crash: crashIn(said.stderr) ?? null,
    // To be overdue is what this is about; only what kept it from starting says nothing.
    trouble: said.overdue ? null : serverTrouble(said),
    outcome: kalamText(said),
    exchange: said.exchange,
  };
}
