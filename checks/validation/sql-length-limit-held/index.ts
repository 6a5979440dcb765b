import { defineCheck, pass, unknown } from "../../../src/check.ts";
import {
  cellText,
  isCleanRefusal,
  known,
  rowsOf,
  saidOf,
  truncated,
  type Account,
  type Said,
  type Target,
} from "../../../src/server/target.ts";
import { makeTable } from "../../vocabulary/tables.ts";

/** An INSERT of that key, with a comment that makes it exactly so long. */
export function padded(table: string, key: number, bytes: number): string {
  const [head, tail] = [`INSERT INTO ${table} (id) VALUES (${key}) /*`, "*/"];
  return `${head}${"x".repeat(bytes - head.length - tail.length)}${tail}`;
}

/** `there`: whether the row exists afterwards; null where that could not be read. */
export type Sent = { readonly said: Said; readonly there: boolean | null };

const [atLimit, overLimit] = [1, 2];

export const sqlLengthLimitHeld = defineCheck({
  id: "validation/sql-length-limit-held",
  title: "SQL is accepted up to its longest length, and no longer",
  failureTitle: "SQL of the longest length is refused, or longer one runs",
  description:
    "Sends an INSERT that a comment makes exactly as long as the longest SQL of this version (1 MiB in 0.4.3, 4 MiB in 0.8), and one that is a byte longer. The first must be executed; the second must be rejected with an error and insert nothing. Promise: SQL up to the limit is accepted, longer SQL is refused.",
  blindTo: "SQL far beyond the limit, which would be load, and whether the limit counts bytes or characters.",
  risk: "Scripts that the documentation allows are rejected, or a client can occupy the parser with SQL of any length.",
  remedy:
    "Split long scripts into requests of less than the limit; limit the size of bodies in a proxy in front of the server.",
  covers: [],
  expects: ["sqlBytesMax"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 800,
  estimateRequests: 7,
  findings: {
    refusedAtLimit: {
      say: (d: { bytes: number; outcome: string }) => `SQL of ${d.bytes} bytes, the documented limit: ${d.outcome}`,
      level: "warn",
      risk: "Scripts that the documentation allows are rejected.",
    },
    acceptedOverLimit: {
      say: (d: { bytes: number }) => `SQL of ${d.bytes} bytes, one more than the limit, was accepted`,
    },
    executedThough: {
      say: (d: { bytes: number; outcome: string }) =>
        `SQL of ${d.bytes} bytes was executed although it was rejected: ${d.outcome}`,
      risk: "A client that was told that nothing happened repeats what has happened.",
      remedy: "Keep scripts shorter than the limit; after a rejection look before repeating.",
    },
  },
  async observe(target, context) {
    const bytes = known(target.dialect.sqlBytesMax);
    const op = await target.account("dba");
    const table = await makeTable(target, context, op, `${context.scratch}.long`, {
      columns: "id BIGINT PRIMARY KEY",
    });
    const within = await send(target, op, table, atLimit, bytes);
    return { bytes, within, beyond: await send(target, op, table, overLimit, bytes + 1) };
  },
  judge({ bytes, within, beyond }, { found }) {
    const outcome = ({ said: { code, message } }: Sent): string => `${code} ${message}`;
    if (isCleanRefusal(within.said))
      found.refusedAtLimit({ bytes, outcome: outcome(within) }, { case: "at the limit", sent: within.said });
    const over = { case: "over the limit", sent: beyond.said };
    if (beyond.said.kind === "ok") found.acceptedOverLimit({ bytes: bytes + 1 }, over);
    else if (beyond.said.kind === "refused" && beyond.there === true)
      found.executedThough({ bytes: bytes + 1, outcome: outcome(beyond) }, over);
    if (within.said.kind !== "ok" || within.there !== true)
      return unknown(`SQL of ${bytes} bytes is inconclusive: ${outcome(within)}`);
    if (!isCleanRefusal(beyond.said) || beyond.there !== false)
      return unknown(`SQL of ${bytes + 1} bytes is inconclusive: ${outcome(beyond)}`);
    return pass(`${bytes} bytes were executed, ${bytes + 1} rejected: ${beyond.said.code}`);
  },
});

async function send(target: Target, op: Account, table: string, key: number, bytes: number): Promise<Sent> {
  const said = saidOf(await target.sql(op, padded(table, key, bytes)));
  const rows = rowsOf(await target.sql(op, `SELECT COUNT(*) AS n FROM ${table} WHERE id = ${key}`));
  const count = rows?.[0] === undefined ? null : cellText(rows[0]["n"]);
  return { said: { ...said, message: truncated(said.message, 200) }, there: count === null ? null : count === "1" };
}
