import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { ask, type Asked } from "./asking.ts";
import { offered } from "./unpacking.ts";

const texts = [
  "Grüße, 世界! 😀".repeat(40),
  "a long text, to be worth compressing; ".repeat(1_700),
  `quotes " and \\\\ and a tab\t`,
];

/** One line an answer; `sql` gets the table. */
const cases: readonly { readonly name: string; readonly sql: (table: string) => string }[] = [
  { name: "rows of every kind", sql: (table) => `SELECT id, body, n, big, x, yes FROM ${table} ORDER BY id` },
  { name: "a result without rows", sql: (table) => `SELECT id, body FROM ${table} WHERE id < 0` },
  { name: "a long error", sql: (table) => `SELECT ${"missing_column_".repeat(60)} FROM ${table}` },
  { name: "a statement that is no SQL", sql: () => "SELEC 1" },
];

type Seen = { readonly asked: readonly Asked[] };

export const compressedAnswersEqual = defineCheck({
  id: "configuration/compressed-answers-equal",
  title: "Answers are the same compressed and uncompressed",
  failureTitle: "Compressed answers differ or cannot be read",
  description: `Sends ${cases.length} statements (rows with long texts, NULL, large integers and characters beyond ASCII; no rows; two errors) without compression and with "accept-encoding: ${offered}", as browsers send it. Decompressed, the second answer must be the first, with the same status. A server that never compresses passes.`,
  blindTo: "Compressed request bodies; other encodings; answers above 8 MiB.",
  risk: "Browsers get wrong data or none, and a check that uses another client never sees it.",
  remedy: "Switch compression off in the server or in the proxy in front until this passes.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 300,
  estimateRequests: 3 * cases.length + texts.length + 3,
  findings: {
    unreadable: {
      say: (d: { case: string; encoding: string; why: string }) =>
        `${d.case}: the answer with content-encoding ${d.encoding} cannot be read: ${d.why}`,
    },
    differs: {
      say: (d: { case: string; encoding: string; difference: string }) =>
        `${d.case}: the answer with content-encoding ${d.encoding} differs: ${d.difference}`,
    },
    notAskedFor: {
      say: (d: { case: string; encoding: string }) =>
        `${d.case}: answered with content-encoding ${d.encoding} to a request that accepts only identity`,
      level: "warn",
      risk: "A client that cannot decompress answers gets nothing from them.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const user = await target.account("user");
    const columns = "id BIGINT PRIMARY KEY, body TEXT, n INT, big BIGINT, x DOUBLE, yes BOOLEAN";
    const table = await makeTable(target, context, op, `${context.scratch}.packed`, { columns });
    for (const [at, text] of texts.entries()) {
      const values = `${at}, '${text}', ${at === 1 ? "NULL" : at}, 9007199254740993, 0.1, ${at % 2 === 0}`;
      const sql = `INSERT INTO ${table} (id, body, n, big, x, yes) VALUES (${values})`;
      context.need(await target.sql(user, sql), "the rows could not be written");
    }
    const asked: Asked[] = [];
    for (const { name, sql } of cases) asked.push(await ask(target, user, name, sql(table)));
    return { asked };
  },
  judge({ asked }, { found }) {
    for (const { case: name, plain, packed, difference, stable } of asked) {
      const shown = { case: name, sent: [plain, packed] };
      if (plain.why === "" && plain.encoding !== "identity")
        found.notAskedFor({ case: name, encoding: plain.encoding }, { case: name, sent: plain });
      // Only where an answer is the same every time does another one show anything.
      if (!stable || packed.status === null) continue;
      const { encoding } = packed;
      if (packed.why !== "") found.unreadable({ case: name, encoding, why: packed.why }, shown);
      else if (packed.status !== plain.status)
        found.differs(
          { case: name, encoding, difference: `status ${packed.status} instead of ${plain.status}` },
          shown,
        );
      else if (difference !== null) found.differs({ case: name, encoding, difference }, shown);
    }
    const open = asked.find(({ stable, packed }) => !stable || packed.status === null);
    if (open !== undefined)
      return unknown(
        `${open.case}: ${open.stable ? open.packed.why : `not the same twice without compression ${open.plain.why}`.trim()}`,
      );
    if (asked.length < cases.length) return unknown(`only ${asked.length} of ${cases.length} answers were compared`);
    const used = asked.filter(({ packed }) => packed.encoding !== "identity");
    const [largest] = used.toSorted((one, other) => other.plain.bytes - one.plain.bytes);
    return pass(
      `${asked.length} answers identical; ${largest === undefined ? "compression was offered and not used" : `${used.length} compressed (${largest.packed.encoding}), up to ${largest.plain.bytes.toLocaleString("en-US")} bytes to ${largest.packed.bytes.toLocaleString("en-US")}`}`,
    );
  },
});
