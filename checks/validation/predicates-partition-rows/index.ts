import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { cellText, integerText, type Account, type Answer, type Target } from "../../../src/server/target.ts";
import { flush, whyNotFlushed } from "../../vocabulary/jobs.ts";
import { predicateColumns, predicateOf, question, rowOf } from "./predicates.ts";

const rowCount = 40;
/** Written and deleted again: it must be in no part. */
const deletedRow = 40;
const perRequest = 10;
const requestsAtOnce = 3;
/** With fewer answered, or with none that met a NULL, a pass would show little. */
const askedMin = 20;
const withNullMin = 2;
const refusedShareMax = 0.2;

/** How many rows, and the sum of their bits: which ones. For `seen` the count is that of all rows that were looked at. */
type Part = { readonly count: string; readonly mask: string };
type Parts = { readonly yes: Part; readonly no: Part; readonly null: Part; readonly seen: Part };
type Asked = {
  readonly predicate: string;
  readonly before: Parts | null;
  readonly after: Parts | null;
  /** Why there is no answer; empty where there are both. */
  readonly refusal: string;
  readonly exchanges: readonly number[];
};
type Reply = { readonly parts: Parts | null; readonly why: string; readonly exchange: number };

function partsOf(answer: Answer, at: number): Reply {
  const { exchange } = answer;
  if (answer.kind !== "ok") return { parts: null, why: answer.message, exchange };
  const rows = new Map(
    answer.results[at]?.rows.map(([name, count, mask]) => [
      cellText(name),
      // The sum of no rows is NULL.
      { count: integerText(count) ?? "0", mask: integerText(mask) ?? "0" },
    ]),
  );
  const [yes, no, none, seen] = ["yes", "no", "null", "seen"].map((name) => rows.get(name));
  if (yes === undefined || no === undefined || none === undefined || seen === undefined)
    return { parts: null, why: "the answer does not have its four parts", exchange };
  return { parts: { yes, no, null: none, seen }, why: "", exchange };
}

/** Several in one request; where the server refuses one of them, each by itself, so that only that one is lost. */
async function ask(target: Target, as: Account, table: string, predicates: readonly string[]): Promise<Reply[]> {
  const together = await target.sql(as, predicates.map((one) => question(table, one)).join("; "));
  if (together.kind === "ok" && together.results.length === predicates.length)
    return predicates.map((_, at) => partsOf(together, at));
  const replies: Reply[] = [];
  for (const one of predicates) replies.push(partsOf(await target.sql(as, question(table, one)), 0));
  return replies;
}

async function askAll(target: Target, as: Account, table: string, predicates: readonly string[]): Promise<Reply[]> {
  const chunks = Array.from({ length: Math.ceil(predicates.length / perRequest) }, (_, at) =>
    predicates.slice(at * perRequest, (at + 1) * perRequest),
  );
  const replies: Reply[][] = [];
  const waiting = [...chunks.entries()];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      replies[next[0]] = await ask(target, as, table, next[1]);
  };
  await Promise.all(Array.from({ length: requestsAtOnce }, worker));
  return replies.flat();
}

export const predicatesPartitionRows = defineCheck({
  id: "validation/predicates-partition-rows",
  title: "Each row makes a condition true, false or unknown, once",
  failureTitle: "A condition finds a row twice, never, or not always",
  description: `Writes ${rowCount} generated rows with NULLs, some updated and one deleted, and asks generated conditions about them, before and after a flush: which rows make it true, which false, which unknown, each by a WHERE of its own, and which make it true without a WHERE. The three parts must be all rows, each once (TLP); the one without a WHERE must be the first (NoREC); and a flush must change nothing. A condition that the server refuses is counted and told.`,
  blindTo:
    "A condition that is wrong in the same way in all four forms goes unseen; so do joins and orders. Conditions that the server refuses show nothing.",
  risk: "Reports and permissions built on conditions leave rows out, or show rows that they should not, without a word.",
  remedy:
    "Read what matters without a WHERE and filter in your program until this passes; see which condition it names.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_800,
  estimateRequests: 40,
  timeoutMs: 300_000,
  findings: {
    partitionBroken: {
      say: (d: { predicate: string; when: string; what: string }) => `${d.predicate} ${d.when}: ${d.what}`,
    },
    countDisagrees: {
      say: (d: { predicate: string; when: string; filtered: string; seen: string }) =>
        `${d.predicate} ${d.when}: a WHERE finds ${d.filtered}, looking at each row ${d.seen}`,
    },
    changedByFlush: {
      say: (d: { predicate: string; before: string; after: string }) =>
        `${d.predicate}: ${d.before} before the flush, and after it ${d.after}`,
    },
  },
  async observe(target, context) {
    const { scratch } = context;
    const op = await target.account("dba");
    const table = `${scratch}.t`;
    const random = context.random("values");
    await target.sql(op, `CREATE TABLE ${table} (${predicateColumns}) WITH (TYPE='SHARED')`);
    const rows = Array.from({ length: rowCount + 1 }, (_, id) => rowOf(random, id));
    await target.sql(op, `INSERT INTO ${table} (id, bit, i, b, d, s, f) VALUES ${rows.join(", ")}`);
    // Rows of several versions, as in any table that is used.
    await target.sql(op, `UPDATE ${table} SET i = 3, s = 'ab' WHERE id < 5`);
    await target.sql(op, `UPDATE ${table} SET d = NULL WHERE id = 7`);
    await target.sql(op, `DELETE FROM ${table} WHERE id = ${deletedRow}`);
    const all = async (): Promise<string> => {
      const answer = await target.sql(op, `SELECT SUM(bit) AS m FROM ${table}`);
      return answer.kind === "ok" ? (integerText(answer.results[0]?.rows[0]?.[0]) ?? "none") : answer.message;
    };
    const count = context.size({ light: 50, standard: 150, deep: 600 });
    const predicates = Array.from({ length: count }, () => predicateOf(random));
    const allBefore = await all();
    const before = await askAll(target, op, table, predicates);
    const flushed = await flush(target, context, op, table);
    const allAfter = await all();
    const after = await askAll(target, op, table, predicates);
    const asked = predicates.map((predicate, at): Asked => {
      const [one, two] = [before[at], after[at]];
      const exchanges = [one, two].flatMap((reply) => reply?.exchange ?? []);
      return {
        predicate,
        before: one?.parts ?? null,
        after: two?.parts ?? null,
        refusal: (one?.why ?? "") || (two?.why ?? ""),
        exchanges,
      };
    });
    return { asked, all: [allBefore, allAfter], flushed };
  },
  judge({ asked, all, flushed }) {
    const phases = [
      { when: "before the flush", parts: (one: Asked) => one.before },
      { when: "after the flush", parts: (one: Asked) => one.after },
    ];
    const wrong = all.findIndex((mask) => mask !== String(everything));
    if (wrong !== -1)
      return unknown(
        `the rows to ask about are not those that were written, ${phases[wrong]?.when ?? ""}: ${all[wrong] ?? ""}`,
      );
    const about = (one: Asked) => ({ case: one.predicate, sent: one.exchanges });
    const broken = phases.flatMap(({ when, parts }) =>
      asked.flatMap((one) => {
        const what = flawOf(parts(one));
        return what === undefined
          ? []
          : [{ name: "partitionBroken" as const, data: { predicate: one.predicate, when, what }, ...about(one) }];
      }),
    );
    const disagreeing = phases.flatMap(({ when, parts }) =>
      asked.flatMap((one) => {
        const found = parts(one);
        if (found === null || found.yes.mask === found.seen.mask) return [];
        const data = {
          predicate: one.predicate,
          when,
          filtered: rowsIn(found.yes),
          seen: rowsIn({ ...found.seen, count: String(idsIn(found.seen.mask).length) }),
        };
        return [{ name: "countDisagrees" as const, data, ...about(one) }];
      }),
    );
    const changed = asked.flatMap((one) => {
      if (one.before === null || one.after === null) return [];
      if (JSON.stringify(one.before) === JSON.stringify(one.after)) return [];
      const data = { predicate: one.predicate, before: partsText(one.before), after: partsText(one.after) };
      return [{ name: "changedByFlush" as const, data, ...about(one) }];
    });
    const found = [...broken, ...disagreeing, ...changed];
    if (found.length > 0) return fail(...found);
    const refused = asked.filter(({ before, after }) => before === null || after === null);
    const answered = asked.length - refused.length;
    if (refused.length > asked.length * refusedShareMax)
      return unknown(
        `${refused.length} of ${asked.length} conditions were refused, the first with: ${refused[0]?.refusal ?? ""}`,
      );
    const why = whyNotFlushed(flushed);
    if (why !== undefined) return unknown(why);
    const withNull = asked.filter(
      ({ before }) => before !== null && before.null.mask !== "0" && before.yes.mask !== "0",
    ).length;
    if (answered < askedMin || withNull < withNullMin)
      return unknown(`only ${answered} conditions were answered, ${withNull} of them met a NULL`);
    return pass(
      `${answered} conditions (${withNull} met a NULL) part ${rowCount} rows before and after a flush; ${refused.length} refused`,
    );
  },
});

const everything = 2n ** BigInt(rowCount) - 1n;

/** What is wrong with the three parts; undefined if each row is in one of them and the counts agree. */
function flawOf(parts: Parts | null): string | undefined {
  if (parts === null) return undefined;
  const three = [parts.yes, parts.no, parts.null];
  const [yes = 0n, no = 0n, none = 0n] = three.map(({ mask }) => BigInt(mask));
  const twice = (yes & no) | (yes & none) | (no & none);
  const never = everything & ~(yes | no | none);
  // A row that is found twice by one WHERE moves the sum of bits to another row: only the counts and the sum tell.
  if (yes + no + none === everything && twice === 0n && never === 0n && three.every(isCounted)) return undefined;
  return partsText(parts);
}

function partsText(parts: Parts): string {
  return `true for ${rowsIn(parts.yes)}, false for ${rowsIn(parts.no)}, unknown for ${rowsIn(parts.null)}`;
}

function isCounted({ count, mask }: Part): boolean {
  return idsIn(mask).length === Number(count);
}

function idsIn(mask: string): readonly number[] {
  const bits = BigInt(mask);
  return Array.from({ length: 63 }, (_, id) => id).filter((id) => ((bits >> BigInt(id)) & 1n) === 1n);
}

/** For people: which rows, as far as they fit in a line. */
function rowsIn({ count, mask }: Part): string {
  const ids = idsIn(mask);
  return `${count} rows (${ids.length > 8 ? `${ids.slice(0, 8).join(", ")}, …` : ids.join(", ")})`;
}
