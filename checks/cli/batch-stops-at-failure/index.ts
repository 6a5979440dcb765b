import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { listed, saidOf, type Said } from "../../../src/server/target.ts";

/** Statements of each batch, and which of them is wrong; counted from 1, as the server does. */
const length = 6;
const wrong = 4;

type Kind = "plain" | "unreadable" | "transaction" | "unreadable transaction";
/** Where the wrong one is no SQL the whole batch cannot be read; where it is, it fails as it runs: its key is taken. */
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
  /** Which of its statements left their row; null where that could not be read. */
  readonly done: readonly number[] | null;
};

export const batchStopsAtFailure = defineCheck({
  id: "cli/batch-stops-at-failure",
  title: "A batch stops at the statement that fails, and names it",
  failureTitle: "A batch runs on after a failure, or does not say where",
  description: `Sends batches of ${length} inserts of which the ${wrong}th is wrong. Where it fails as it runs, the ones before it must be there, the ones after it not, and the error must name its number. Where it is no SQL, nothing of the batch may have run. Between BEGIN and COMMIT nothing may be kept either way.`,
  blindTo: "It tries inserts into one table; batches that change tables or namespaces are not tried.",
  risk: "A migration goes on after its first mistake, and nobody can tell which half of it was done.",
  remedy: "Send one statement a request, or wrap what belongs together in BEGIN and COMMIT, and read the error.",
  covers: ["CLI-03"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 400,
  estimateRequests: 2 + kinds.length * 2,
  findings: {
    ranOn: {
      say: (d: { batch: string; done: readonly number[] }) =>
        `${d.batch}: statement ${wrong} is wrong, and statements ${d.done.join(", ")} after it ran all the same`,
    },
    notNamed: {
      say: (d: { batch: string; message: string }) =>
        `${d.batch}: the error does not name statement ${wrong}: ${d.message}`,
    },
    keptRows: {
      say: (d: { batch: string; done: readonly number[] }) =>
        `${d.batch}: statement ${wrong} is wrong, and the rows of statements ${d.done.join(", ")} are there`,
    },
    undone: {
      say: (d: { batch: string; done: readonly number[] }) =>
        `${d.batch}: of the statements before the failure only ${d.done.join(", ") || "none"} left their row`,
    },
  },
  async observe(target, { scratch }) {
    const op = await target.account("dba");
    const table = `${scratch}.t`;
    const made = await target.sql(op, `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, v TEXT) WITH (TYPE='SHARED')`);
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
    return { made: saidOf(made), batches };
  },
  judge({ made, batches }) {
    // No answer, or an error of the server's own: then anything may have happened.
    const answered = batches.flatMap(({ kind, said, done }) =>
      done === null || said.status === null || said.status >= 500 || said.why === "rate" ? [] : [{ kind, said, done }],
    );
    const found = answered.flatMap(({ kind, said, done }) => {
      const about = { case: kind, sent: [said.exchange] };
      const plain = kind === "plain";
      const after = done.filter((number) => number > wrong);
      const before = done.filter((number) => number < wrong);
      const named = new RegExp(`\\bstatement ${wrong}\\b`, "i").test(said.message);
      return [
        ...(plain || done.length === 0 ? [] : [{ name: "keptRows" as const, data: { batch: kind, done }, ...about }]),
        ...(plain && after.length > 0
          ? [{ name: "ranOn" as const, data: { batch: kind, done: after }, ...about }]
          : []),
        ...(plain && said.kind === "refused" && before.length < wrong - 1
          ? [{ name: "undone" as const, data: { batch: kind, done: before }, ...about }]
          : []),
        ...(plain && said.kind === "refused" && !named
          ? [{ name: "notNamed" as const, data: { batch: kind, message: said.message }, ...about }]
          : []),
      ];
    });
    if (found.length > 0) return fail(...found);
    if (made.kind !== "ok") return unknown(`the table for it could not be made: ${made.message}`);
    const unread = batches.find((one) => one.done === null);
    if (unread !== undefined) return unknown(`${unread.kind}: what it left could not be read`);
    // An error that we do not know says nothing of the plain batch, where a part may stay; of the others nothing may, whatever the error.
    const unclear = batches.find(
      ({ kind, said }) =>
        !(said.kind === "refused" || (said.why === "unrecognised" && kind !== "plain")) || said.why === "rate",
    );
    if (unclear !== undefined)
      return unknown(
        `${unclear.kind}: it was not refused as wrong, but ${unclear.said.status ?? "no answer"} ${unclear.said.message}`,
      );
    if (batches.length < kinds.length) return unknown(`only ${batches.length} of ${kinds.length} batches were sent`);
    return pass(
      `statement ${wrong} of ${length} named, ${wrong - 1} done before it and none after; ${batches.length - 1} of ${batches.length - 1} other batches left nothing`,
    );
  },
});
