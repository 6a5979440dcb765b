import { defineCheck, pass, unknown, type Context } from "../../../src/check.ts";
import { listed, saidOf, type Account, type Answer, type Said, type Target } from "../../../src/server/target.ts";
import { sampleOf } from "../../vocabulary/clients.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { isAnswered } from "../answered.ts";

/** What the other account tries with the id of the transaction, and how the batch ends. */
const probes = {
  alone: { role: "user", end: "COMMIT" },
  read: { role: "user", end: "ROLLBACK" },
  rollback: { role: "user", end: "COMMIT" },
  commit: { role: "user", end: "ROLLBACK" },
  write: { role: "service", end: "ROLLBACK" },
} as const;
type Probe = keyof typeof probes;
/** Requests of the other account while a batch of the same kind was in flight. */
const triedMin = 2;
const triesMax = 25;

/** What the other account sent while the batch was in flight. `rows`: the keys that it saw, for a SELECT; null otherwise. */
type Try = { readonly said: Said; readonly rows: readonly string[] | null };
type Round = {
  readonly probe: Probe;
  readonly batch: Said;
  /** The keys of the first and the last row that the batch inserts. */
  readonly keys: readonly [first: string, last: string];
  /** With the id of the batch. */
  readonly tries: readonly Try[];
  /** With another id, between those. */
  readonly controls: readonly Try[];
  /** Keys that an INSERT of the other account was acknowledged for. */
  readonly acknowledged: readonly string[];
  /** The keys that are there afterwards; null where they could not be read. */
  readonly after: readonly string[] | null;
};
type Seen = { readonly rounds: readonly Round[] };

const query = (table: string): string => `SELECT id, v FROM ${table} ORDER BY id LIMIT 1000`;

function tryOf(answer: Answer): Try {
  return { said: saidOf(answer), rows: listed(answer) ?? null };
}

async function runRound(
  target: Target,
  context: Context,
  table: string,
  { probe, number, owner, other }: { probe: Probe; number: number; owner: Account; other: Account },
): Promise<Round> {
  const base = 1_000 * (number + 1);
  const keys = [String(base), String(base + 1)] as const;
  const id = `${context.scratch}-${number}`;
  const insert = (key: string): string => `INSERT INTO ${table} (id, v) VALUES (${key}, 'own')`;
  // The queries only keep the transaction open.
  const queries = Array.from({ length: context.size({ light: 20, standard: 25, deep: 60 }) }, () => query(table));
  const batch = ["BEGIN", insert(keys[0]), ...queries, insert(keys[1]), probes[probe].end].join("; ");
  let isOver = false;
  const sent = target.sql(owner, batch, { headers: { "x-request-id": id } }).finally(() => {
    isOver = true;
  });
  const tries: Try[] = [];
  const controls: Try[] = [];
  const acknowledged: string[] = [];
  for (let n = 0; n < triesMax && !isOver && probe !== "alone"; n += 1) {
    const own = String(base + 10 + n);
    const sql = {
      read: query(table),
      rollback: "ROLLBACK",
      commit: "COMMIT",
      write: `INSERT INTO ${table} (id, v) VALUES (${own}, 'other')`,
    }[probe];
    const answer = await target.sql(other, sql, { headers: { "x-request-id": id } });
    tries.push(tryOf(answer));
    if (probe === "write" && answer.kind === "ok") acknowledged.push(own);
    if (probe !== "read" || isOver) continue;
    const control = await target.sql(other, sql, { headers: { "x-request-id": `${id}-other` } });
    controls.push(tryOf(control));
  }
  const answer = await sent;
  const shown = listed(await target.sql(owner, query(table)));
  return { probe, batch: saidOf(answer), keys, tries, controls, acknowledged, after: shown ?? null };
}

/** What the other account changed; undefined if nothing is known to be. */
function changeIn({ probe, batch, keys, acknowledged, after }: Round): string | undefined {
  if (after === null) return undefined;
  const there = keys.filter((key) => after.includes(key));
  const isUndone = probes[probe].end === "ROLLBACK";
  if (isUndone && there.length > 0) return `${there.length} of the 2 rows of a batch that ends with ROLLBACK are there`;
  const lost = acknowledged.filter((key) => !after.includes(key));
  if (lost.length > 0) return `${lost.length} acknowledged rows of the other account are gone with the batch`;
  if (isUndone || !isAnswered(batch)) return undefined;
  if (batch.kind !== "ok") return `the batch failed (${batch.message}), and ${there.length} of its 2 rows are there`;
  return there.length < 2 ? `the batch was acknowledged, and ${there.length} of its 2 rows are there` : undefined;
}

export const foreignTransactionClosed = defineCheck({
  id: "concurrency/foreign-transaction-closed",
  title: "A transaction is closed to other accounts",
  failureTitle: "Other accounts get into a transaction by its request id",
  description:
    "An account sends a batch between BEGIN and COMMIT or ROLLBACK with an X-Request-ID. While it runs, another account sends SELECT, INSERT, COMMIT and ROLLBACK with the same id. It must see nothing of the transaction, and neither end it nor write into it. The same batch alone must work, and the same SELECT with another id must not see its rows either.",
  blindTo:
    "The other account knows the id; how hard it is to guess depends on who makes it: a proxy, a client, the server.",
  risk: "Whoever knows or guesses a request id reads rows that were never committed, or ends the transaction of another account.",
  remedy:
    "Let a proxy in front of the server replace X-Request-ID by a random value of its own, and let no client choose it.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_500,
  estimateRequests: 90,
  findings: {
    sawForeign: {
      say: (d: { times: number; of: number }) =>
        `a plain user saw a row of an open transaction of another account by its request id, in ${d.times} of ${d.of} tries; with another id it did not`,
    },
    changedForeign: {
      say: (d: { statement: string; role: string; what: string }) =>
        `${d.statement} of another account (${d.role}) with the request id of a transaction took effect in it: ${d.what}`,
      risk: "Whoever knows or guesses a request id ends the transaction of another account, or loses rows in it; what follows in the batch is then committed one by one.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const [owner, service, user] = [
      await target.account("service", "owner"),
      await target.account("service", "other"),
      await target.account("user"),
    ];
    const table = await sharedTable(target, context, op, `${context.scratch}.foreign_rows`, {
      columns: "id BIGINT PRIMARY KEY, v TEXT",
      readers: ["user"],
    });
    const accounts = [owner, service, user];
    await Promise.all(accounts.map(async (as) => await target.sql(as, "SELECT 1")));
    const rounds: Round[] = [];
    for (let turn = 0; turn < context.size({ light: 2, standard: 2, deep: 4 }); turn += 1)
      for (const probe of Object.keys(probes) as Probe[]) {
        const other = probes[probe].role === "user" ? user : service;
        rounds.push(await runRound(target, context, table, { probe, number: rounds.length, owner, other }));
      }
    return { rounds };
  },
  judge({ rounds }, { found }) {
    const of = (probe: Probe): Round[] => rounds.filter((round) => round.probe === probe);
    const alone = of("alone").find((round) => round.batch.kind !== "ok" || changeIn(round) !== undefined);
    if (alone !== undefined || of("alone").length === 0)
      return unknown(`the batch did not work alone: ${alone?.batch.message ?? "it was not sent"}`);
    const sees = (round: Round, one: Try): boolean => one.rows?.some((key) => round.keys.includes(key)) === true;
    const reading = of("read");
    const tries = reading.flatMap((round) => round.tries.map((one) => ({ one, saw: sees(round, one) })));
    const seen = tries.filter(({ saw }) => saw);
    if (reading.some((round) => round.controls.some((one) => sees(round, one))))
      return unknown("rows of an open transaction are seen with any request id");
    if (reading.some((round) => changeIn(round) !== undefined))
      return unknown("batches that end with ROLLBACK leave rows, whoever sends what meanwhile");
    if (seen.length > 0)
      found.sawForeign({ times: seen.length, of: tries.length }, { sent: sampleOf(seen).map(({ one }) => one.said) });
    for (const probe of ["rollback", "commit", "write"] as const) {
      const [changed] = of(probe).flatMap((round) => {
        const what = changeIn(round);
        return what === undefined ? [] : [{ round, what }];
      });
      if (changed === undefined) continue;
      const { role } = probes[probe];
      const statement = { rollback: "ROLLBACK", commit: "COMMIT", write: "INSERT" }[probe];
      const accepted = changed.round.tries.filter(({ said }) => said.kind === "ok").map(({ said }) => said);
      found.changedForeign(
        { statement, role, what: changed.what },
        { case: statement, sent: [changed.round.batch, ...sampleOf(accepted)] },
      );
    }
    const unread = rounds.find(({ after }) => after === null);
    if (unread !== undefined) return unknown("the table could not be read");
    const lost = rounds.find(({ batch }) => !isAnswered(batch));
    if (lost !== undefined) return unknown(`a batch was not answered: ${lost.batch.message}`);
    for (const probe of ["read", "rollback", "commit", "write"] as const) {
      const answered = of(probe)
        .flatMap((round) => round.tries)
        .filter(({ said }) => isAnswered(said)).length;
      if (answered < triedMin)
        return unknown(
          `only ${answered} requests of the probe ${probe} were sent while the batch was in flight; at least ${triedMin} are needed`,
        );
    }
    return pass(
      `${rounds.flatMap((round) => round.tries).length} requests of other accounts with the id of a transaction in flight saw and changed nothing in ${rounds.length} batches`,
    );
  },
});
