import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { listed, saidOf, type Said } from "../../../src/server/target.ts";
import { makeTable } from "../../vocabulary/tables.ts";

/** Statements in each batch, and which of them fails; counted from 1, as the server does. */
const length = 6;
const wrong = 4;

type Kind = "plain" | "unreadable" | "transaction" | "unreadable transaction";
/** A syntax error makes the whole batch unreadable; a duplicate key fails when its statement runs. */
const kinds: readonly {
  readonly kind: Kind;
  readonly from: number;
  readonly unreadable: boolean;
  readonly transaction: boolean;
}[] = [
  { kind: "plain", from: 100, unreadable: false, transaction: false },
  { kind: "unreadable", from: 200, unreadable: true, transaction: false },
  { kind: "transaction", from: 300, unreadable: false, transaction: true },
  { kind: "unreadable transaction", from: 400, unreadable: true, transaction: true },
];

type Batch = {
  readonly kind: Kind;
  readonly said: Said;
  /** Numbers of the statements whose row exists; null where the rows could not be read. */
  readonly done: readonly number[] | null;
};

export const batchStopsAtFailure = defineCheck({
  id: "cli/batch-stops-at-failure",
  title: "A batch stops at the failing statement and names it",
  failureTitle: "A batch runs on after a failure, or does not say where",
  description: `Sends batches of ${length} inserts of which number ${wrong} is wrong. Where it fails at run time, the statements before it must have run, those after it not, and the error must name its number. Where it is a syntax error, nothing of the batch may have run. Between BEGIN and COMMIT no row may remain in either case.`,
  blindTo: "It tries inserts into one table; batches that change tables or namespaces are not tried.",
  risk: "A migration continues after its first error, and it is unclear which half of it was done.",
  remedy: "Send one statement per request, or wrap statements in BEGIN and COMMIT, and read the error.",
  covers: ["CLI-03"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 400,
  estimateRequests: 2 + kinds.length * 2,
  findings: {
    ranOn: {
      say: (d: { batch: string; done: readonly number[] }) =>
        `${d.batch}: statement ${wrong} fails, but statements ${d.done.join(", ")} after it ran anyway`,
    },
    notNamed: {
      say: (d: { batch: string; message: string }) =>
        `${d.batch}: the error does not name statement ${wrong}: ${d.message}`,
      risk: "After a failed migration it is unclear which statement failed and how much was done.",
      remedy: "Send one statement per request until errors name the statement.",
    },
    keptRows: {
      say: (d: { batch: string; done: readonly number[] }) =>
        `${d.batch}: statement ${wrong} fails, but the rows of statements ${d.done.join(", ")} exist`,
      risk: "A batch that must be all or nothing is applied in part.",
      remedy: "After a failed batch, check which rows exist before sending it again.",
    },
    undone: {
      say: (d: { batch: string; done: readonly number[] }) =>
        `${d.batch}: of the statements before the failure only ${d.done.join(", ") || "none"} left their row`,
      risk: "Statements that are reported as done are not, so a script that continues after them loses their rows.",
      remedy: "After a failed batch, check which rows exist before sending the rest.",
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const table = await makeTable(target, context, op, `${context.scratch}.t`, {
      type: "SHARED",
      columns: "id BIGINT PRIMARY KEY, v TEXT",
    });
    const batches: Batch[] = [];
    for (const { kind, from, unreadable, transaction } of kinds) {
      const inserts = Array.from({ length }, (_, at) => {
        if (at + 1 !== wrong) return `INSERT INTO ${table} (id, v) VALUES (${from + at + 1}, 'x')`;
        return unreadable ? "INSRT NOTHING" : `INSERT INTO ${table} (id, v) VALUES (${from + 1}, 'again')`;
      });
      const sql = (transaction ? ["BEGIN", ...inserts, "COMMIT"] : inserts).join("; ");
      const said = saidOf(await target.sql(op, sql));
      const rows = listed(
        await target.sql(op, `SELECT id FROM ${table} WHERE id > ${from} AND id < ${from + 100} ORDER BY id LIMIT 100`),
      );
      batches.push({ kind, said, done: rows?.map((id) => Number(id) - from) ?? null });
    }
    return { batches };
  },
  judge({ batches }, { found }) {
    for (const { kind: batch, said, done } of batches) {
      // After a lost answer or an error of the server's own, anything may have happened.
      if (done === null || said.status === null || said.status >= 500 || said.why === "rate") continue;
      const shown = { case: batch, sent: said };
      if (batch !== "plain") {
        if (done.length > 0) found.keptRows({ batch, done }, shown);
        continue;
      }
      const after = done.filter((number) => number > wrong);
      const before = done.filter((number) => number < wrong);
      if (after.length > 0) found.ranOn({ batch, done: after }, shown);
      if (said.kind !== "refused") continue;
      if (before.length < wrong - 1) found.undone({ batch, done: before }, shown);
      if (!new RegExp(`\\bstatement ${wrong}\\b`, "i").test(said.message))
        found.notNamed({ batch, message: said.message }, shown);
    }
    const unread = batches.find((one) => one.done === null);
    if (unread !== undefined) return unknown(`${unread.kind}: the rows could not be read`);
    // An unrecognised error says nothing about the plain batch, which may leave rows; the others may not, whatever the error.
    const unclear = batches.find(
      ({ kind, said }) =>
        !(said.kind === "refused" || (said.why === "unrecognised" && kind !== "plain")) || said.why === "rate",
    );
    if (unclear !== undefined)
      return unknown(
        `${unclear.kind}: it should have failed, but got ${unclear.said.status ?? "no answer"} ${unclear.said.message}`,
      );
    if (batches.length < kinds.length) return unknown(`only ${batches.length} of ${kinds.length} batches were sent`);
    return pass(
      `the error names statement ${wrong} of ${length}; the ${wrong - 1} before it ran and none after it; ${batches.length - 1} of ${batches.length - 1} other batches left no rows`,
    );
  },
});
