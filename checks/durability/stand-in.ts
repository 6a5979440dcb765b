/** For tests of what observers send and keep: tables in memory, and a process that is only said to end and start. */
import type { Check, Context } from "../../src/check.ts";
import { learn } from "../../src/server/dialect.ts";
import { need } from "../../src/server/need.ts";
import { cellText, type Account, type Answer, type OwnRole, type Target } from "../../src/server/target.ts";
import type { Lifecycle, Started } from "../../src/wire/control.ts";
import type { Json } from "../../src/wire/json.ts";
import { judged } from "../vocabulary/evidence.ts";

export type Row = Record<string, Json>;
type Answered = { readonly exchange: number; readonly sentAt: number; readonly doneAt: number };

export interface Changes {
  /** What is answered instead; undefined: as always. */
  readonly answer?: (sql: string, as: string) => Said | undefined;
  /** Of the starts, in turn. */
  readonly starts?: readonly ("ready" | "ended" | "late")[];
  readonly stops?: boolean;
  /** The process is the same one after a start. */
  readonly sameProcess?: boolean;
  /** What it finds at its first start. */
  readonly tables?: Map<string, Map<string, Row>>;
  /** Who gets in with the right password. */
  readonly logins?: (name: string) => boolean;
  /** Before the first statement after a start. */
  readonly onStart?: (tables: ReadonlyMap<string, Map<string, Row>>) => void;
}
/** Refused for a cause, without an answer, acknowledged without being done, or with these rows. */
export type Said = "constraint" | "missing" | "rule" | "silence" | "done" | readonly Row[];

export interface StandIn {
  readonly target: Target;
  readonly context: Context;
  /** `account: statement`, and STOP, KILL and START. */
  readonly sent: readonly string[];
  sentLike(pattern: RegExp): string[];
}

export function standIn(changes: Changes = {}): StandIn {
  const {
    answer: instead = () => undefined,
    starts = [],
    stops = true,
    sameProcess = false,
    logins = () => true,
  } = changes;
  const tables = changes.tables ?? new Map<string, Map<string, Row>>();
  const owned = new Set<string>();
  const flushed = new Map<string, number[]>();
  const sent: string[] = [];
  let [process, isUp, exchange, started] = [1, true, 0, 0];

  const rowsFor = (table: string, as: string): Map<string, Row> => {
    const key = owned.has(table) ? `${table} of ${as}` : table;
    const rows = tables.get(key) ?? new Map<string, Row>();
    tables.set(key, rows);
    return rows;
  };
  const ok = (rows?: readonly Row[], message = "done", names = Object.keys(rows?.[0] ?? { none: "" })) => ({
    kind: "ok" as const,
    status: 200,
    results: [
      {
        columns: rows === undefined ? [] : names.map((name) => ({ name, type: "Text", flags: [] })),
        rows: (rows ?? []).map((row) => names.map((name) => row[name] ?? null)),
        rowCount: rows?.length ?? 1,
        message,
      },
    ],
    tookMs: 1,
  });
  const insert = (sql: string, as: string): boolean => {
    const [, table = "", names = "", values = ""] = /^INSERT INTO (\S+) \(([^)]+)\) VALUES (.*)$/s.exec(sql) ?? [];
    const columns = names.split(", ");
    const rows = rowsFor(table, as);
    for (const [, tuple = ""] of values.matchAll(/\(((?:'(?:[^']|'')*'|[^'()])*)\)/g)) {
      const cells = [...tuple.matchAll(/X?'(?:[^']|'')*'|[^,\s]+/g)].map(([cell]) => valueOf(cell));
      const row = Object.fromEntries(columns.map((column, at) => [column, cells[at] ?? null]));
      if (rows.has(cellText(row["id"]))) return false;
      rows.set(cellText(row["id"]), row);
    }
    return true;
  };
  const select = (sql: string, as: string): readonly Row[] => {
    const [, names = "", table = ""] = /^SELECT (.*) FROM (\S+)/.exec(sql) ?? [];
    const above = Number(/WHERE id > (-?\d+)/.exec(sql)?.[1] ?? -Infinity);
    const most = Number(/ id <= (\d+)/.exec(sql)?.[1] ?? Infinity);
    const only = /WHERE id = (\d+)/.exec(sql)?.[1];
    const rows = [...rowsFor(table, as).values()].toSorted((one, other) => Number(one["id"]) - Number(other["id"]));
    const wanted = rows.filter(
      ({ id }) => Number(id) > above && Number(id) <= most && (only === undefined || cellText(id) === only),
    );
    const limit = Number(/LIMIT (\d+)$/.exec(sql)?.[1] ?? Infinity);
    return wanted
      .slice(0, limit)
      .map((row) => Object.fromEntries(names.split(", ").map((name) => [name, row[name] ?? null])));
  };
  const act = (sql: string, as: string): ReturnType<typeof ok> | Said => {
    const [, table = ""] = /^(?:CREATE TABLE|UPDATE|DELETE FROM|STORAGE \w+ TABLE|ALTER TABLE) (\S+)/.exec(sql) ?? [];
    const id = /WHERE id = (\d+)$/.exec(sql)?.[1] ?? "";
    if (sql.startsWith("CREATE TABLE")) {
      if (!sql.includes("'SHARED'")) owned.add(table);
      return ok();
    }
    if (sql.startsWith("INSERT")) return insert(sql, as) ? ok() : "constraint";
    if (sql.startsWith("BEGIN"))
      return sql
        .split("; ")
        .slice(1, -1)
        .every((one) => (one.startsWith("INSERT") ? insert(one, as) : act(one, as) !== "constraint"))
        ? ok()
        : "constraint";
    if (sql.startsWith("DELETE")) {
      rowsFor(table, as).delete(id);
      return ok();
    }
    if (sql.startsWith("UPDATE")) {
      const row = rowsFor(table, as).get(id);
      if (row !== undefined) row["mark"] = /mark = '([^']*)'/.exec(sql)?.[1] ?? null;
      return ok();
    }
    if (sql.startsWith("ALTER")) {
      const [, was = "", now = ""] = /RENAME COLUMN (\w+) TO (\w+)/.exec(sql) ?? [];
      const dropped = /DROP COLUMN (\w+)/.exec(sql)?.[1] ?? "";
      for (const row of rowsFor(table, as).values()) {
        if (was !== "") row[now] = row[was] ?? null;
        delete row[dropped];
      }
      return ok();
    }
    if (sql.startsWith("STORAGE FLUSH")) {
      const segments = flushed.get(table) ?? [];
      const rows = rowsFor(table, as).size - segments.reduce((sum, count) => sum + count, 0);
      flushed.set(table, [...segments, rows]);
      return ok(undefined, `Job ID: FL-${sent.length}`);
    }
    if (/^(BACKUP|RESTORE) DATABASE/.test(sql)) return ok(undefined, `Job ID: BR-${sent.length}`);
    if (sql.startsWith("STORAGE COMPACT")) return ok(undefined, `Job ID: CO-${sent.length}`);
    if (sql.startsWith("SELECT 1 AS")) return ok([{ up: 1 }]);
    if (sql.includes("FROM system.stats")) return ok([{ metric_name: "pid", metric_value: "1" }]);
    if (sql.includes("FROM system.jobs"))
      return ok([...sql.matchAll(/'(\w\w-\d+)'/g)].map(([, job = ""]) => ({ job_id: job, status: "completed" })));
    if (sql.includes("FROM system.manifest")) {
      const [, space = "", name = ""] = /namespace_id = '(\w+)' AND table_name = '(\w+)'/.exec(sql) ?? [];
      const segments = (flushed.get(`${space}.${name}`) ?? []).map((count) => ({ row_count: count }));
      return ok([{ scope: "shared", manifest_json: JSON.stringify({ segments }) }]);
    }
    if (/^SELECT (COUNT|SUM)/.test(sql)) return ok(sumsOf(sql, rowsFor(/FROM (\S+)/.exec(sql)?.[1] ?? "", as)));
    const rows = sql.startsWith("SELECT") ? select(sql, as) : [{ described: "table" }];
    return ok(rows);
  };
  const sql = async (account: Account | null, text: string): Promise<Answer> => {
    const as = account?.name ?? "nobody";
    sent.push(`${as}: ${text}`);
    exchange += 1;
    const [number, sentAt] = [exchange, performance.now()];
    // Timers have their turn, and the kill may come before the answer.
    await new Promise((resolve) => setImmediate(resolve));
    const at: Answered = { exchange: number, sentAt, doneAt: performance.now() };
    const said = isUp ? (instead(text, as) ?? act(text, as)) : "silence";
    if (said === "silence") return { kind: "unsure", because: "timeout", message: "no answer", ...at };
    if (said === "done") return { ...ok(), ...at };
    if (typeof said === "string")
      return { kind: "refused", status: 400, code: "NO", message: said, cause: said, ...at };
    return { ...("kind" in said ? said : ok(said)), ...at };
  };
  const lifecycle: Lifecycle = {
    how: { kill: "SIGKILL", stop: "SIGTERM" },
    processId: async () => await Promise.resolve(`process ${process}`),
    async kill() {
      await Promise.resolve(sent.push("KILL"));
      isUp = false;
    },
    async stop() {
      await Promise.resolve(sent.push("STOP"));
      isUp = !stops;
      return { stopped: stops, exitCode: 0, tookMs: 1 };
    },
    async start(): Promise<Started> {
      await Promise.resolve(sent.push("START"));
      const how = starts[started] ?? "ready";
      started += 1;
      if (how !== "ready") return { kind: "notReady", why: how, ended: how === "ended", lastWords: "its last words" };
      isUp = true;
      if (!sameProcess) process += 1;
      changes.onStart?.(tables);
      return { kind: "ready", startedAt: performance.now(), healthyMs: 1, readyMs: 2 };
    },
    isLeft: () => false,
    revive: async () => await Promise.resolve(undefined),
  };
  const account = async (role: OwnRole, label = role): Promise<Account> =>
    await Promise.resolve({ name: label === role ? role : `${role} ${label}`, role });
  const request: Target["request"] = async (_, { body }) => {
    const { user = "", password = "" } = JSON.parse(String(body)) as { user?: string; password?: string };
    await Promise.resolve(sent.push(`log in: ${user}`));
    const isIn = password === `password of ${user}` && logins(user);
    const json: Json = isIn ? { access_token: "t" } : { error: "unauthorized", message: "no" };
    return { kind: "answered", status: isIn ? 200 : 401, headers: {}, json, text: "", exchange: 1 } as never;
  };
  const target: Partial<Target> = {
    sql,
    request,
    account,
    password: ({ name }) => `password of ${name}`,
    capabilities: { loginField: "user" } as Target["capabilities"],
    dialect: learn("0.4.3", {}).dialect,
    control: { kind: "process", lifecycle },
  };
  return {
    target: target as Target,
    context: contextOf(),
    sent,
    sentLike: (pattern) => sent.filter((one) => pattern.test(one)),
  };
}

export interface Watched extends Pick<StandIn, "sentLike"> {
  readonly verdict: string;
  /** Who sent what, each statement with its first words only. */
  readonly steps: readonly string[];
}

/** Lets a check observe the stand-in, and judges what it saw. */
export async function watch(check: Check, changes: Changes = {}): Promise<Watched> {
  const { target, context, sent, sentLike } = standIn(changes);
  const seen = await check.observation.observe(target, context);
  const steps = sent
    .filter((one) => !/ FROM system\.|SELECT 1 AS/.test(one))
    .map((one) =>
      one
        .replace(/^dba: /, "")
        .replaceAll("kr_1.", "")
        .replace(/ (VALUES|ORDER BY|WITH|\(id\b).*$/s, ""),
    );
  // What is written down is read again from a file.
  return { verdict: judged(check as never, JSON.parse(JSON.stringify(seen)) as never).join("\n"), steps, sentLike };
}

function valueOf(cell: string): Json {
  if (cell === "NULL") return null;
  return cell.startsWith("'") ? cell.slice(1, -1).replaceAll("''", "'") : cell;
}

function sumsOf(sql: string, rows: ReadonlyMap<string, Row>): readonly Row[] {
  const amount = [...rows.values()].reduce((sum, row) => sum + Number(row["amount"] ?? 0), 0);
  return [{ [/COUNT\(\*\) AS (\w+)/.exec(sql)?.[1] ?? "n"]: String(rows.size), sum: String(amount) }];
}

/** At light effort. Waits are short. */
function contextOf(): Context {
  const context: Pick<Context, "scratch" | "size" | "random" | "need" | "journal" | "poll"> = {
    scratch: "kr_1",
    size: ({ light }) => light,
    random: () => () => 0,
    need,
    journal: () => ({ note: () => undefined }),
    async poll(ask, done, { withinMs, everyMs }) {
      // What the stand-in does at once is awaited in short steps, and surely comes.
      const until = performance.now() + (everyMs < 10 ? withinMs : Math.min(withinMs, 100));
      let answer = await ask();
      while (!done(answer) && performance.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, Math.min(everyMs, 20)));
        answer = await ask();
      }
      return answer;
    },
  };
  return context as Context;
}
