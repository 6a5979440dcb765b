import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { isCleanRefusal, saidOf, type Said, truncated } from "../../../src/server/target.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { ask, type Asked } from "./signs.ts";

const few = 130;
/** Servers with a higher maximum are not tried with as many rows. */
const maximumMax = 3_000;
const maximumUsual = 1_000;

type Seen = { readonly written: readonly Said[]; readonly asked: readonly Asked[]; readonly maximum: number };

export const truncationVisible = defineCheck({
  id: "backpressure/truncation-visible",
  title: "A result that is cut off says so",
  failureTitle: "Results are cut off without a sign",
  description: `Asks for ${few} rows without LIMIT, and for more rows than the server returns at most with a LIMIT above that maximum (limits.max_query_limit, or ${maximumUsual}). All rows must come, or a sign that there are more: a field, a message or a header of the answer, or a refusal.`,
  blindTo: "Whether clients heed the sign, and limits that only apply to other kinds of queries.",
  risk: "A report or an export silently lacks every row after the first 50 or 1,000.",
  remedy: "Give every SELECT a LIMIT below the maximum, read in pages by key, and compare with COUNT(*).",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "warn",
  estimateMs: 600,
  estimateRequests: 8,
  findings: {
    cutSilently: {
      say: (d: { way: string; got: number; of: number }) =>
        `a SELECT ${d.way} returned ${d.got} of ${d.of} rows, and nothing in the answer says that there are more`,
    },
  },
  async observe(target, context): Promise<Seen> {
    const [op, user] = await Promise.all([target.account("dba"), target.account("user")]);
    const columns = "id BIGINT PRIMARY KEY";
    const table = await makeTable(target, context, op, `${context.scratch}.few`, { columns });
    const many = await makeTable(target, context, op, `${context.scratch}.many`, { columns });
    const configured = Number(target.capabilities.settings["limits.max_query_limit"] ?? maximumUsual);
    const maximum = Number.isInteger(configured) && configured > 0 ? configured : maximumUsual;
    const written: Said[] = [];
    const fill = async (name: string, rows: number): Promise<void> => {
      const ids = Array.from({ length: rows }, (_, at) => `(${at})`);
      written.push(saidOf(await target.sql(user, `INSERT INTO ${name} (id) VALUES ${ids.join(", ")}`)));
    };
    await fill(table, few);
    const asked = [await ask(target, user, { way: "without LIMIT", sql: `SELECT id FROM ${table}`, table, rows: few })];
    if (maximum <= maximumMax) {
      const rows = maximum + 100;
      await fill(many, rows);
      const sql = `SELECT id FROM ${many} ORDER BY id LIMIT ${rows}`;
      asked.push(await ask(target, user, { way: `with LIMIT ${rows}`, sql, table: many, rows }));
    }
    return { written, asked, maximum };
  },
  judge({ written, asked, maximum }, { found }) {
    for (const { way, said, got, of, there, signs } of asked) {
      if (said.kind === "ok" && there === of && got !== null && got < of && signs?.length === 0)
        found.cutSilently({ way, got, of }, { case: way.replace(/ \d+$/, ""), sent: said });
    }
    const unwritten = written.find(({ kind }) => kind !== "ok");
    if (unwritten !== undefined || written.length < asked.length || asked.length === 0)
      return unknown(`the rows could not be written: ${truncated(unwritten?.message ?? "", 200)}`);
    const short = asked.find(({ there, of }) => there !== of);
    if (short !== undefined) return unknown(`the table has ${short.there ?? "?"} of ${short.of} rows, by COUNT(*)`);
    // Refused for what it asks; a rate limit or a missing right would refuse it in any length.
    const unclear = asked.find(({ said, got }) => (said.kind === "ok" ? got === null : !isCleanRefusal(said)));
    if (unclear !== undefined) return unknown(`${unclear.way}: ${unclear.said.message}`);
    const unseen = asked.find(({ got, of, signs }) => got !== null && got < of && signs === null);
    if (unseen !== undefined) return unknown(`${unseen.way}: the request that looks for a sign was not answered`);
    if (asked.length < 2) return unknown(`a maximum of ${maximum} rows is too many to try`);
    return pass(
      asked.map(({ way, said, got, of, signs }) => `${way}: ${outcome({ said, got, of, signs })}`).join("; "),
    );
  },
});

function outcome({ said, got, of, signs }: Pick<Asked, "said" | "got" | "of" | "signs">): string {
  if (said.kind !== "ok") return `refused with ${said.code}`;
  return got === of ? `all ${of} rows` : `${got ?? "?"} of ${of} rows, told by ${(signs ?? []).join(", ")}`;
}
