/** A server whose answers a test writes: for what observers make of answers that no real server gives on demand. */
import type { CheckOf, Context, Findings, Limits } from "../src/check.ts";
import type { Account, Answer, Target } from "../src/server/target.ts";
import { need } from "../src/server/need.ts";
import type { Json } from "../src/wire/json.ts";

/** A result with these columns. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Json[])[];
}

/** `done`: acknowledged, one row written. Undefined: as a healthy server, which has flushed what it should. */
export type Reply = "done" | "lost" | "refused" | Table | undefined;

export interface Scripted {
  readonly target: Target;
  readonly context: Context;
  /** All statements so far. */
  readonly sent: readonly string[];
}

/** `reply` gets each statement, with its parameters and the name of the account. A moment passes at each request and answer. */
export function scripted(
  reply: (sql: string, params: readonly Json[], as: string) => Reply,
  more: Partial<Target> = {},
): Scripted {
  const sent: string[] = [];
  let moment = 0;
  const sql: Target["sql"] = async (as, text, { params = [] } = {}) => {
    sent.push(text);
    const exchange = sent.length;
    const sentAt = (moment += 1);
    await Promise.resolve();
    const said = reply(text, params, as?.name ?? "") ?? healthy(text);
    return answer(said, { exchange, sentAt, doneAt: (moment += 1) });
  };
  const account = async (role: string, label = ""): Promise<Account> =>
    await Promise.resolve({ name: `${role} ${label}`.trim(), role: role as "user" });
  const capabilities = { settings: {}, loginField: "user" };
  const dialect = { sharedAccess: { known: true, value: "levels", from: "version" } };
  const target = { sql, account, fresh: account, password: () => "secret", capabilities, dialect, ...more };
  return { target: target as unknown as Target, context: context(), sent };
}

/** The evidence that the check gathers there. */
export async function observed<Seen extends Json, const F extends Findings, L extends Limits>(
  { observation }: CheckOf<Seen, F, L>,
  { target, context: given }: Scripted,
): Promise<Seen> {
  return await observation.observe(target, given);
}

/** Everything is in segments, whoever owns it. */
function healthy(sql: string): "done" | Table {
  if (!/FROM system\.manifest /.test(sql)) return "done";
  const manifest = JSON.stringify({ segments: [{ row_count: 3 }] });
  return { columns: ["scope", "manifest_json"], rows: ["user", "dba", "shared"].map((scope) => [scope, manifest]) };
}

function answer(said: Exclude<Reply, undefined>, times: Pick<Answer, "exchange" | "sentAt" | "doneAt">): Answer {
  if (said === "lost") return { kind: "unsure", because: "timeout", message: "no answer", ...times };
  if (said === "refused")
    return { kind: "refused", status: 400, code: "INVALID_SQL", message: "no", cause: "rule", ...times };
  const { columns, rows } = said === "done" ? { columns: [], rows: [] } : said;
  const result = {
    columns: columns.map((name) => ({ name, type: "Text", flags: [] })),
    rows,
    rowCount: said === "done" ? 1 : rows.length,
  };
  return { kind: "ok", status: 200, results: [result], tookMs: 1, ...times };
}

/** At light effort. Polls without waiting, forty times at most. */
function context(): Context {
  const part = {
    scratch: "kr_s",
    effort: "light" as const,
    need,
    size: ({ light }: { readonly light: number }) => light,
    random: () => () => 0.4,
    async poll<T>(ask: () => Promise<T>, done: (value: T) => boolean): Promise<T> {
      for (let tries = 1; ; tries += 1) {
        const value = await ask();
        if (done(value) || tries === 40) return value;
      }
    },
  };
  return part as unknown as Context;
}
