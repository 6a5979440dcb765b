import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { writesIn, type Operation } from "../../../src/history/history.ts";
import { judgeSet } from "../../../src/history/set.ts";
import { cellText, saidOf, type Answer, type Said } from "../../../src/server/target.ts";
import { connectAll, makeWorkload, sampleOf, spreadOver, together } from "../../vocabulary/clients.ts";
import { flush, whyNotFlushed, type Flushed } from "../../vocabulary/jobs.ts";
import { readOf } from "../../vocabulary/operations.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { isServerError } from "../../vocabulary/second-look.ts";
import { inFlightWith } from "../in-flight.ts";

const accountCount = 4;
const writerCount = 3;
const readerCount = 2;
/** Acknowledged inserts and answered reads that were in flight together with a change, or sent between changes. */
const writesMin = 10;
const readsMin = 5;
const stepsMax = 2_000;
const settlesWithinMs = 2_000;
const pageRows = 1_000;

type Change = { readonly said: Said; readonly invokedAt: number; readonly returnedAt: number };
/** The columns of one SELECT *, without those of the server's own; and a row whose values are in the wrong columns. */
type Look = {
  readonly said: Said;
  readonly invokedAt: number;
  readonly returnedAt: number;
  readonly columns: readonly string[];
  readonly misplaced: string | null;
};
type Seen = {
  readonly add: Change;
  readonly drop: Change;
  readonly flush: Flushed;
  readonly looks: readonly Look[];
  /** Errors of the server's own, with the time when the request was sent. */
  readonly errors: readonly { readonly said: Said; readonly invokedAt: number }[];
  /** The inserts, and a read of all rows at the end. */
  readonly operations: readonly Operation[];
};

const shapes = ["id, mark", "id, mark, extra"];
const markOf = (key: string): string => `m${key}`;

function changeOf(answer: Answer): Change {
  return { said: saidOf(answer), invokedAt: answer.sentAt, returnedAt: answer.doneAt };
}

export function lookOf(answer: Answer): Look {
  const result = answer.kind === "ok" ? answer.results[0] : undefined;
  const names = (result?.columns ?? []).map(({ name }) => name);
  const at = (name: string): number => names.indexOf(name);
  const misplaced = result?.rows.find((row) => {
    const [key, mark, extra = null] = [row[at("id")], row[at("mark")], row[at("extra")]];
    if (key === undefined || mark === undefined) return false;
    return cellText(mark) !== markOf(cellText(key)) || (extra !== null && cellText(extra) !== `x${cellText(key)}`);
  });
  return {
    ...changeOf(answer),
    columns: names.filter((name) => !name.startsWith("_")),
    misplaced: misplaced === undefined ? null : JSON.stringify(misplaced),
  };
}

export const schemaChangeUnderWrites = defineCheck({
  id: "concurrency/schema-change-under-writes",
  title: "ADD COLUMN and DROP COLUMN work while others write",
  failureTitle: "ADD COLUMN or DROP COLUMN disturbs those who write",
  description: `${writerCount} clients insert into a SHARED table and ${readerCount} read it with SELECT * while a column is added, the table is flushed, and the column is dropped. Every acknowledged row must be there at the end with its value, every read must show the columns of before or after with each value in its own, and no request may end with a server error.`,
  blindTo: "It adds and drops one nullable TEXT column; defaults, types and renames are not tried.",
  risk: "A migration on a table in use loses rows or shows values under the wrong name.",
  remedy: "Stop the writers before ALTER TABLE, or write to a new table and switch over.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_500,
  estimateRequests: 150,
  from: { effort: "standard", needs: "many writes and reads beside changes of a table" },
  findings: {
    lostRows: {
      say: (d: { lost: number; changed: number; of: number; keys: readonly string[] }) =>
        `of ${d.of} rows acknowledged while columns changed, ${d.lost} are missing and ${d.changed} have other values (ids ${d.keys.join(", ")})`,
    },
    wrongShape: {
      say: (d: { what: string; times: number; of: number }) =>
        `${d.times} of ${d.of} reads have another shape: ${d.what}`,
      risk: "Clients read values under the wrong name, or columns that nobody made.",
    },
    serverError: {
      say: (d: { status: number | null; message: string; times: number }) =>
        `${d.times} requests ended with a server error since the columns changed, and none before: ${d.status ?? ""} ${d.message}`,
      risk: "Clients see errors during a migration, and cannot tell whether their rows were written.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const accounts = await spreadOver(target, "service", accountCount);
    const table = await sharedTable(target, context, op, `${context.scratch}.altered`, {
      columns: "id BIGINT PRIMARY KEY, mark TEXT",
    });
    const { clients, history } = makeWorkload(target, accounts, writerCount + readerCount);
    const [writers, readers] = [clients.slice(0, writerCount), clients.slice(writerCount)];
    const phase = context.size({ light: 5, standard: 30, deep: 120 });
    const looks: Look[] = [];
    const errors: Seen["errors"][number][] = [];
    let [made, hasEnded, hasExtra] = [0, false, false];
    const note = (answer: Answer): void => {
      const said = saidOf(answer);
      // In words of the server's own.
      if (isServerError(said.status) && said.code !== "") errors.push({ said, invokedAt: answer.sentAt });
    };
    /** Waits for so many more inserts. */
    const progress = async (): Promise<void> => {
      const from = made;
      const isDone = (now: number): boolean => now >= from + phase;
      await context.poll(async () => await Promise.resolve(made), isDone, { withinMs: 10_000, everyMs: 5 });
    };

    await connectAll(target, clients);
    const changing = async (): Promise<Pick<Seen, "add" | "drop" | "flush">> => {
      await progress();
      // Noted before it waits for its turn: what fails from here on may be due to it.
      const addedAt = performance.now();
      const add = await target.sql(op, `ALTER TABLE ${table} ADD COLUMN extra TEXT`);
      hasExtra = add.kind === "ok";
      await progress();
      const flushed = await flush(target, context, op, table);
      await progress();
      hasExtra = false;
      const drop = await target.sql(op, `ALTER TABLE ${table} DROP COLUMN extra`);
      await progress();
      return { add: { ...changeOf(add), invokedAt: addedAt }, drop: changeOf(drop), flush: flushed };
    };
    const changes = changing().finally(() => {
      hasEnded = true;
    });
    const writing = together(writers, async (client) => {
      for (let n = 0; n < stepsMax && !hasEnded; n += 1) {
        const key = String(client.number * 10_000 + n);
        // The column may be gone when it arrives: then it is refused.
        const [columns, values] = hasExtra && n % 2 === 0 ? [", extra", `, 'x${key}'`] : ["", ""];
        const sql = `INSERT INTO ${table} (id, mark${columns}) VALUES (${key}, '${markOf(key)}'${values})`;
        note(await client.write(sql, [{ kind: "insert", key, values: { mark: markOf(key) } }]));
        made += 1;
      }
    });
    const reading = together(readers, async ({ as }) => {
      for (let n = 0; n < stepsMax && !hasEnded; n += 1) {
        const answer = await target.sql(as, `SELECT * FROM ${table} ORDER BY id DESC LIMIT 10`);
        note(answer);
        looks.push(lookOf(answer));
      }
    });
    const [changed] = await Promise.all([changes, writing, reading]);
    const last = await context.poll(
      async () => lookOf(await target.sql(op, `SELECT * FROM ${table} ORDER BY id LIMIT 10`)),
      ({ columns }) => columns.join(", ") === shapes[0],
      { withinMs: settlesWithinMs, everyMs: 400 },
    );
    const all: Operation[] = [];
    for (const { number } of writers) {
      const range = `id >= ${number * 10_000} AND id < ${(number + 1) * 10_000}`;
      const sql = `SELECT id, mark FROM ${table} WHERE ${range} ORDER BY id LIMIT ${pageRows}`;
      all.push(readOf(await target.sql(op, sql), { client: number }, null));
    }
    return { ...changed, looks: [...looks, last], errors, operations: [...history(), ...wholeOf(all)] };
  },
  judge({ add, drop, flush: flushed, looks, errors, operations }, { found }) {
    const { lost, changed, final } = judgeSet(operations, "id");
    const writes = writesIn(operations);
    const acknowledged = writes.filter(({ outcome }) => outcome === "ok");
    if (lost.length + changed.length > 0)
      found.lostRows(
        {
          lost: lost.length,
          changed: changed.length,
          of: acknowledged.length,
          keys: sampleOf([...lost.map(({ key }) => key), ...changed.map(({ write }) => write.key)]),
        },
        { sent: sampleOf([...lost, ...changed.map(({ write }) => write)].map(({ statement }) => statement)) },
      );
    const answered = looks.filter(({ said }) => said.kind === "ok");
    const last = looks.at(-1);
    const isWrong = (look: Look): boolean => {
      const isAtEnd = look === last && drop.said.kind === "ok";
      const shape = look.columns.join(", ");
      return look.misplaced !== null || !(isAtEnd ? shapes.slice(0, 1) : shapes).includes(shape);
    };
    const wrong = answered.filter(isWrong);
    const [first] = wrong;
    if (first !== undefined)
      found.wrongShape(
        {
          what: first.misplaced ?? (first.columns.join(", ") || "no columns"),
          times: wrong.length,
          of: answered.length,
        },
        { sent: sampleOf(wrong).map(({ said }) => said) },
      );
    const before = errors.filter(({ invokedAt }) => invokedAt < add.invokedAt);
    const [error] = errors;
    if (before.length === 0 && error !== undefined)
      found.serverError(
        { status: error.said.status, message: error.said.message, times: errors.length },
        { sent: sampleOf(errors).map(({ said }) => said) },
      );
    for (const [what, { said }] of [
      ["ADD COLUMN", add],
      ["DROP COLUMN", drop],
    ] as const)
      if (said.kind !== "ok") return unknown(`${what} was not acknowledged: ${said.message}`);
    const why = whyNotFlushed(flushed);
    if (why !== undefined) return unknown(why);
    if (before.length > 0)
      return unknown(`${before.length} requests ended with a server error before the first change`);
    if (final === null) return unknown("the rows could not be read at the end");
    const changing = [{ invokedAt: add.invokedAt, returnedAt: drop.returnedAt }];
    const [during, seen] = [inFlightWith(acknowledged, changing), inFlightWith(answered, changing)];
    if (during.length < writesMin || seen.length < readsMin)
      return unknown(
        `only ${during.length} inserts and ${seen.length} reads were answered between the changes; at least ${writesMin} and ${readsMin} are needed`,
      );
    const refused = writes.filter(({ outcome }) => outcome === "refused").length;
    return pass(
      `${acknowledged.length} acknowledged rows, all there, ${during.length} of them written while columns changed; ${answered.length} reads, each in one of two shapes; ${refused} inserts refused, no server error`,
    );
  },
});

/** One read of what several pages show; none unless all were answered. */
function wholeOf(pages: readonly Operation[]): Operation[] {
  const [first, last] = [pages[0], pages.at(-1)];
  const rows = pages.map((page) => (page.kind === "read" ? page.rows : null));
  if (first?.kind !== "read" || last === undefined || rows.includes(null)) return [];
  return [{ ...first, returnedAt: last.returnedAt, rows: rows.flatMap((page) => page ?? []) }];
}
