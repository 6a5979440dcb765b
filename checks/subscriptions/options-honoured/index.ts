import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { cellText, rowsOf, versionOf } from "../../../src/server/target.ts";
import { connect, fenceArrives } from "../../vocabulary/following.ts";
import { openingText, tryToSubscribe, type Opening } from "../../vocabulary/opening.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { batches, cases, changedKey, fenceKey, rowCount } from "./cases.ts";
import { compare } from "./window.ts";

const readerCount = 2;

type Opened = {
  readonly case: string;
  readonly opening: Opening;
  readonly pages: readonly (readonly string[])[];
  /** Whether the row written at the end was delivered: a subscription that delivers nothing shows nothing. */
  readonly alive: boolean;
};

type Seen = {
  readonly opened: readonly Opened[];
  /** Keys of all rows, the newest first. */
  readonly newest: readonly string[];
};

export const optionsHonoured = defineCheck({
  id: "subscriptions/options-honoured",
  title: "A subscription starts with the rows its options ask for",
  failureTitle: "A subscription starts with other rows than it asked for",
  description: `Writes ${rowCount} rows, out of key order, and changes an old one; then subscribes with ${cases.length} sets of options: none, the last rows, more than there are, pages of several sizes, contradictory ones, an unknown option. The snapshot must contain exactly the rows asked for, without duplicates and in pages no longer than asked for; an unknown option must be rejected.`,
  blindTo: "A small table that is not written to meanwhile; cursors over many rows are left to cursor-exact.",
  risk: "A chat that asks for the last ten messages shows ten others.",
  remedy: "Read the first rows with SELECT … ORDER BY, and subscribe without a snapshot or to all rows.",
  covers: ["SUB-03"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  uses: { user: readerCount, service: 1 },
  estimateMs: 1_500,
  estimateRequests: cases.length + batches.length + 8,
  findings: {
    wrongWindow: {
      say: (d: { wanted: string; missing: readonly string[]; extra: readonly string[] }) =>
        `asked for ${d.wanted}; missing: ${d.missing.join(", ") || "none"}, not asked for: ${d.extra.join(", ") || "none"}`,
    },
    lostPage: {
      say: (d: { rows: number; of: number; pages: number; missing: readonly string[] }) =>
        `${d.pages} pages hold ${d.rows} of ${d.of} rows; missing: ${d.missing.join(", ")}`,
      risk: "A client starts with part of a table and takes it for the whole.",
      remedy: "Compare the snapshot with SELECT COUNT(*), and subscribe again if rows are missing.",
    },
    doubledPage: {
      say: (d: { pages: number; doubled: readonly string[] }) =>
        `duplicate rows in ${d.pages} pages: ${d.doubled.join(", ")}`,
      risk: "A client shows or counts rows twice.",
      remedy: "Let clients drop rows whose key they already have.",
    },
    silentlyIgnored: {
      say: (d: { option: string }) => `the option ${d.option} does not exist and was accepted without an error`,
      risk: "A misspelled option goes unnoticed, and the client gets other rows than it meant.",
      remedy: "Check the spelling of subscription options in the client: last_rows, batch_size, from.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const writer = await target.account("service", "writer");
    const table = await sharedTable(target, context, op, `${context.scratch}.asked_for`, {
      columns: "id BIGINT PRIMARY KEY, v TEXT",
      readers: ["user"],
    });
    const statements = [
      ...batches.map((ids) => `INSERT INTO ${table} (id, v) VALUES ${ids.map((id) => `(${id}, 'v')`).join(", ")}`),
      `UPDATE ${table} SET v = 'changed' WHERE id = ${changedKey}`,
    ];
    for (const sql of statements) context.need(await target.sql(writer, sql), "the rows could not be written");
    const rows = context.need(
      rowsOf(await target.sql(op, `SELECT * FROM ${table} LIMIT 1000`)),
      "the rows could not be read",
    );
    const newest = rows
      .map((row) => ({
        id: cellText(row["id"]),
        version: BigInt(context.need(versionOf(row), "the rows have no version to order them by").digits),
      }))
      .toSorted((a, b) => (a.version < b.version ? 1 : -1))
      .map(({ id }) => id);

    const readers = await Promise.all(
      Array.from({ length: readerCount }, async (_, at) => await target.account("user", `reader ${at}`)),
    );
    const lives = await Promise.all(
      readers.map(async (reader) => context.need(await connect(target, reader), "a reader could not connect")),
    );
    // One after the other on each connection.
    const subscribed = await Promise.all(
      lives.map(async (live, at) => {
        const tried = [];
        for (const { name, options } of cases.filter((_, n) => n % readerCount === at))
          tried.push({ name, ...(await tryToSubscribe(live, `SELECT * FROM ${table}`, options)) });
        return tried;
      }),
    );
    await target.sql(writer, `INSERT INTO ${table} (id, v) VALUES (${fenceKey}, 'fence')`);
    const opened = await Promise.all(
      subscribed.flat().map(async ({ name, subscription, opening, pages }) => ({
        case: name,
        opening,
        pages: pages.map((page) => page.map((row) => cellText(row["id"]))),
        alive: opening.kind === "ready" && (await fenceArrives(subscription, "v", "fence")),
      })),
    );
    return { opened, newest };
  },
  judge({ opened, newest }, { found }) {
    const distinct = new Set(newest).size;
    if (distinct !== rowCount) return unknown(`the table has ${distinct} rows of ${rowCount}`);
    for (const { case: name, opening, pages } of opened) {
      const asked = cases.find((one) => one.name === name);
      if (asked === undefined || opening.kind !== "ready") continue;
      const shown = { case: name, sent: opening };
      if (asked.refusal === "must") {
        found.silentlyIgnored({ option: JSON.stringify(asked.options?.other) }, shown);
        continue;
      }
      const { missing, extra, doubled, wanted, overflow } = compare(asked, pages, newest);
      if (doubled.length > 0) found.doubledPage({ pages: pages.length, doubled: doubled.slice(0, 5) }, shown);
      if (asked.newest === "all" && missing.length > 0) {
        const data = { rows: wanted - missing.length, of: wanted, pages: pages.length };
        found.lostPage({ ...data, missing: missing.slice(0, 5) }, shown);
      } else if (missing.length > 0 || extra.length > 0) {
        const words = asked.newest === "all" ? "all rows" : `the newest ${asked.newest} rows`;
        found.wrongWindow({ wanted: words, missing, extra: extra.slice(0, 5) }, shown);
      }
      if (overflow.length > 0) {
        const words = `pages of ${asked.options?.batchSize} rows`;
        found.wrongWindow({ wanted: words, missing: [], extra: overflow.slice(0, 5) }, shown);
      }
    }
    const refused = opened.filter(({ opening }) => opening.kind !== "ready");
    const odd = refused.find(
      ({ case: name, opening }) =>
        opening.reason !== "sql" || cases.find((one) => one.name === name)?.refusal === undefined,
    );
    if (odd !== undefined) return unknown(`${odd.case}: ${openingText(odd.opening)}`);
    const unheard = opened.find(({ opening, alive }) => opening.kind === "ready" && !alive);
    if (unheard !== undefined) return unknown(`${unheard.case}: the row written at the end did not arrive`);
    if (opened.length < cases.length) return unknown(`only ${opened.length} of ${cases.length} cases were tried`);
    return pass(
      `${opened.length - refused.length} sets of options gave exactly their rows, ${refused.length} were rejected`,
    );
  },
});
