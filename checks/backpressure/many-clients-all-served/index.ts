import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { mostTogether } from "../../../src/history/overlap.ts";
import { cellText, saidOf, type Said, truncated } from "../../../src/server/target.ts";
import { readTable, sharedTable } from "../../vocabulary/tables.ts";
import { mayBeAProxys } from "../../vocabulary/second-look.ts";

const accountCount = 5;
/** How often a client tries before it gives up. */
const triesMax = 3;
/** Fewer requests in flight are not many clients. */
const overlapMin = 4;
const sampleMax = 5;

/** One attempt to write one row; each attempt has a key of its own, so that one that was refused and done shows. */
type Attempt = { readonly key: number; readonly said: Said; readonly from: number; readonly to: number };
/** A row that its writer changed afterwards. `now`: what it holds then; null where it is not there. */
type Changed = { readonly key: number; readonly said: Said; readonly now: string | null };
/** What one client wanted to write once. The last attempt decides. */
type Wish = { readonly client: number; readonly attempts: readonly Attempt[] };

export const manyClientsAllServed = defineCheck({
  id: "backpressure/many-clients-all-served",
  title: "Many concurrent clients are all served",
  failureTitle: "Some of many concurrent clients are not served properly",
  description: `Twenty clients of ${accountCount} accounts (ten at light effort, sixty at deep) write five rows each, concurrently, into one SHARED table. A client that is refused waits, as Retry-After says or 1.5 s, and tries again with another key, up to ${triesMax} times. Each must end acknowledged; acknowledged rows must be in the table with their values, refused ones must not. Then all change the rows that they wrote, concurrently, and each acknowledged change must be there.`,
  blindTo:
    "The pacing keeps below half of the server's limits, so refusals are rare: limits are tried by the checks that touch load.",
  risk: "At busy times users get errors, or data that they were told was stored is missing.",
  remedy: "Let clients wait and retry after a refusal, and raise the limits or add capacity if refusals are frequent.",
  covers: ["BP-03"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_500,
  estimateRequests: 210,
  from: { effort: "standard", needs: "many clients that write at once" },
  findings: {
    neverServed: {
      say: (d: { clients: number; of: number; tries: number; said: string }) =>
        `${d.clients} of ${d.of} clients were refused ${d.tries} times: ${d.said}`,
    },
    refusedButDone: {
      say: (d: { rows: number; said: string; first: readonly number[] }) =>
        `${d.rows} rows were stored although the server refused them (${d.said}), such as the keys ${d.first.join(", ")}`,
      risk: "A client that is refused tries again, and what it does is done twice.",
      remedy: "Give each request a key of its own in the data, so that a repeated one is noticed.",
    },
    lostRows: {
      say: (d: { rows: number; of: number; first: readonly number[] }) =>
        `${d.rows} of ${d.of} acknowledged rows are missing or changed, such as the keys ${d.first.join(", ")}`,
      risk: "Data that was acknowledged is gone.",
      remedy: "Read important rows back after writing them, until this is fixed.",
    },
    lostChanges: {
      say: (d: { rows: number; of: number; key: number; now: string }) =>
        `${d.rows} of ${d.of} acknowledged updates, each of a row that one client alone writes, are missing, such as that of key ${d.key}: it holds ${d.now}`,
      risk: "Changes that were acknowledged are gone at busy times.",
      remedy: "Read important rows back after changing them, until this is fixed.",
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const accounts = await Promise.all(
      Array.from({ length: accountCount }, async (_, at) => await target.account("service", `writer ${at}`)),
    );
    const table = await sharedTable(target, context, op, `${context.scratch}.rows`, {
      columns: "id BIGINT PRIMARY KEY, v TEXT",
      writers: ["service"],
    });
    const clients = context.size({ light: 10, standard: 20, deep: 60 });
    let keys = 0;
    const wish = async (client: number): Promise<Wish> => {
      const attempts: Attempt[] = [];
      while (attempts.length < triesMax) {
        keys += 1;
        const key = keys;
        const answer = await target.sql(
          accounts[client % accountCount] ?? op,
          `INSERT INTO ${table} (id, v) VALUES (${key}, '${valueOf(key)}')`,
          { expectRate: true },
        );
        attempts.push({ key, said: saidOf(answer), from: answer.sentAt, to: answer.doneAt });
        if (answer.kind === "ok") break;
      }
      return { client, attempts };
    };
    const wishes = await Promise.all(
      Array.from({ length: clients }, async (_, client) => {
        const own: Wish[] = [];
        for (let n = 0; n < 5; n += 1) own.push(await wish(client));
        return own;
      }),
    );
    const rows = await readTable(target, op, table, ["id", "v"]);
    const stored = rows?.map((row) => ({ key: Number(row["id"]), right: row["v"] === valueOf(Number(row["id"])) }));
    const said = await Promise.all(
      wishes.map(async (own, client) => {
        const changes: Omit<Changed, "now">[] = [];
        for (const key of own
          .flatMap(({ attempts }) => attempts.filter((one) => one.said.kind === "ok"))
          .map((one) => one.key)) {
          const sql = `UPDATE ${table} SET v = '${changedValueOf(key)}' WHERE id = ${key}`;
          const change = async (): Promise<Said> =>
            saidOf(await target.sql(accounts[client % accountCount] ?? op, sql, { expectRate: true }));
          let last = await change();
          for (let tries = 1; tries < triesMax && last.kind === "refused"; tries += 1) last = await change();
          changes.push({ key, said: last });
        }
        return changes;
      }),
    );
    const after = await readTable(target, op, table, ["id", "v"]);
    const values = after && new Map(after.map((row) => [Number(row["id"]), cellText(row["v"])]));
    const changed = values && said.flat().map((one): Changed => ({ ...one, now: values.get(one.key) ?? null }));
    return { clients, wishes: wishes.flat(), stored: stored ?? null, changed: changed ?? null };
  },
  judge({ clients, wishes, stored, changed }, { found }) {
    const unserved = wishes.filter(({ attempts }) => attempts.length >= triesMax && attempts.every(isRefused));
    const [first] = unserved;
    if (first !== undefined)
      found.neverServed(
        {
          clients: new Set(unserved.map(({ client }) => client)).size,
          of: clients,
          tries: triesMax,
          said: saidText(first.attempts.at(-1)),
        },
        { sent: first.attempts.map(({ said }) => said) },
      );
    const attempts = wishes.flatMap((wish) => wish.attempts);
    const right = new Set((stored ?? []).flatMap((row) => (row.right ? [row.key] : [])));
    const there = new Set((stored ?? []).map(({ key }) => key));
    const done = attempts.filter((one) => one.said.kind === "refused" && there.has(one.key));
    if (done.length > 0)
      found.refusedButDone(
        { rows: done.length, said: saidText(done[0]), first: keysIn(done) },
        { sent: done.map(({ said }) => said) },
      );
    const acknowledged = attempts.filter(({ said }) => said.kind === "ok");
    const lost = stored === null ? [] : acknowledged.filter(({ key }) => !right.has(key));
    if (lost.length > 0)
      found.lostRows(
        { rows: lost.length, of: acknowledged.length, first: keysIn(lost) },
        { sent: lost.map(({ said }) => said) },
      );

    const kept = (changed ?? []).filter((one) => one.said.kind === "ok");
    const missing = kept.filter(({ key, now }) => right.has(key) && now !== changedValueOf(key));
    const [miss] = missing;
    if (miss !== undefined)
      found.lostChanges(
        { rows: missing.length, of: kept.length, key: miss.key, now: miss.now ?? "no row" },
        { sent: missing.map(({ said }) => said) },
      );

    if (stored === null) return unknown("the table could not be read afterwards");
    const open = wishes.filter(({ attempts: tried }) => !tried.some(({ said }) => said.kind === "ok"));
    if (open.length > 0)
      return unknown(`${open.length} of ${wishes.length} writes got no answer: ${saidText(open[0]?.attempts.at(-1))}`);
    const together = mostTogether(attempts.map(({ from, to }) => ({ invokedAt: from, returnedAt: to })));
    if (together < overlapMin)
      return unknown(`only ${together} requests were in flight together; at least ${overlapMin} are needed`);
    if (changed === null) return unknown("the table could not be read after the updates");
    if (kept.length < acknowledged.length)
      return unknown(`${acknowledged.length - kept.length} of ${acknowledged.length} updates were not acknowledged`);
    const refusals = attempts.length - acknowledged.length;
    return pass(
      `${acknowledged.length} writes of ${clients} clients acknowledged and stored, ${together} in flight together, ${refusals} tried again; ${kept.length} updates of them are there`,
    );
  },
});

function valueOf(key: number): string {
  return `value of ${key}`;
}

function changedValueOf(key: number): string {
  return `changed value of ${key}`;
}

/** The server answered, and did not do it. */
function isRefused({ said }: Attempt): boolean {
  return said.status !== null && said.status >= 400 && !mayBeAProxys(said);
}

function keysIn(attempts: readonly Attempt[]): number[] {
  return attempts.slice(0, sampleMax).map(({ key }) => key);
}

function saidText(attempt: Attempt | undefined): string {
  if (attempt === undefined) return "";
  const { status, code, message } = attempt.said;
  return truncated(`${status ?? "no answer"} ${code} ${message}`.replace(/ +/g, " "), 200);
}
