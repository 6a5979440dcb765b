import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { isCleanRefusal, truncated, type Said } from "../../../src/server/target.ts";
import { lookedTwice } from "../../vocabulary/second-look.ts";
import { isPermissionDenied } from "../../vocabulary/trials.ts";
import { sameCells } from "../row-access/ways.ts";
import { leaks, reads, visit, writes, type Seen } from "./attempts.ts";

type Data = { way: string; detail: string };
const closedPlaces = 3;

export const policiesHold = defineCheck({
  id: "validation/policies-hold",
  title: "Policies hold for reads, writes and live queries alike",
  failureTitle: "A policy does not hold for a read, a write or a live query",
  description: `A SHARED table has rows of two users and one policy: each user may read and write the rows that have its name. One of them tries ${reads.length} ways to read the other's rows (keys, parameters, aggregates, joins, subqueries, CTE, UNION, errors) and ${writes.length} to change them, to take them, or to give rows away, and a live query runs while the other user and a dba write, and rows come within reach and go out of it. Accounts without a policy must get no row; a dba must see and change all of them. Promises: policies hold for scans, INSERT, UPDATE, DELETE and live queries alike; WITH CHECK stops a row from being written or moved out of reach; without a policy user and service get no rows and write none; dba bypasses policies; live queries are filtered by the policies bound when they begin.`,
  blindTo:
    "FILE downloads; policies that ask other tables; what a live query shows after its policies were changed, which is not promised.",
  risk: "One user reads or changes rows that the policies keep from it.",
  remedy:
    "Keep rows of several customers in USER tables, which need no policies, until this passes; the finding names the statement that gets through.",
  covers: [],
  appliesWhere: { sharedAccess: "policies" },
  expects: ["versionColumn"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  uses: { user: 2, service: 1 },
  estimateMs: 3_000,
  estimateRequests: reads.length + 2 * writes.length + 50,
  timeoutMs: 120_000,
  findings: {
    foreignRows: { say: (d: Data) => lookedTwice(`${d.way}: returns another user's rows: ${d.detail}`) },
    foreignChange: {
      say: (d: Data) => lookedTwice(`${d.way}: changed another user's rows, which are now ${d.detail}`),
    },
    movedAway: {
      say: (d: Data) => lookedTwice(`${d.way}: wrote a row out of the user's own reach: ${d.detail}`),
      risk: "A user plants rows among those of another user, or loses its own.",
    },
    foreignEvents: {
      say: (d: { texts: string }) => `a live query delivered values of another user's rows: ${d.texts}`,
    },
    openWithoutPolicy: {
      say: (d: { role: string; rows: number }) =>
        `a ${d.role} account without a policy reads ${d.rows} rows, expected none`,
    },
    boundDba: {
      say: (d: { count: number; of: number }) => `a dba sees ${d.count} of ${d.of} rows, expected all`,
      level: "warn",
      risk: "Administrators work on a part of the data and take it for all of it.",
    },
  },
  async observe(target, context): Promise<Seen> {
    return await visit(target, context);
  },
  judge(seen, { found }) {
    const { rows, others, place, listened, closed, dba } = seen;
    const doubts: string[] = [];
    let worked = 0;
    for (const way of reads) {
      const one = seen.reads.find((each) => each.way === way.name);
      if (one === undefined) doubts.push(`${way.name} was not tried`);
      else if (leaks(way, one, { rows, others, place }))
        found.foreignRows({ way: way.name, detail: textOf(one.foreign, one.rows) }, { case: way.name, sent: one.said });
      else if (way.revealsIfWorks !== undefined && one.said.kind === "refused" && works(seen, way.revealsIfWorks))
        found.foreignRows(
          { way: way.name, detail: `an error: ${one.said.message}` },
          { case: way.name, sent: one.said },
        );
      else if (one.said.kind === "ok" && sameCells(one.rows, way.shows?.(rows, place) ?? [], way.ordered === true))
        worked += 1;
      else if (!(way.optional === true && isRefused(one.said))) doubts.push(`${way.name}: ${saidText(one.said)}`);
    }
    for (const { name, moves } of writes) {
      const one = seen.writes.find((each) => each.way === name);
      if (one === undefined) doubts.push(`${name} was not tried`);
      else if (typeof one.others !== "string") {
        const data = { way: name, detail: textOf([], one.others) };
        found[moves === true ? "movedAway" : "foreignChange"](data, { case: name, sent: one.said });
      } else if (one.others === "unread" || (one.said.kind !== "ok" && !isRefused(one.said)))
        doubts.push(`${name}: ${one.others === "unread" ? "the rows could not be read" : saidText(one.said)}`);
      else if (moves === true && one.said.kind === "ok") doubts.push(`${name}: accepted, but it changed nothing`);
    }
    const own = listened.keys.filter((key) => !rows.some(({ id }) => id === key));
    const heard = [...listened.foreign, ...own.map((key) => `the key ${key}`)];
    if (heard.length > 0)
      found.foreignEvents({ texts: heard.slice(0, 3).join(", ") }, { case: "live query", sent: listened });
    else if (listened.why !== "" || listened.opening?.kind !== "ready" || !listened.ownArrived)
      doubts.push(`the live query: ${listened.why || "its own row did not arrive"}`);
    else if (listened.keys.length < rows.length)
      doubts.push(`the live query began with ${listened.keys.length} of ${rows.length} own rows`);
    for (const { table, role, said, rows: count, snapshot } of closed) {
      const most = Math.max(count ?? 0, snapshot ?? 0);
      if (most > 0) found.openWithoutPolicy({ role, rows: most }, { case: `${role}, ${table}`, sent: said });
      else if (snapshot === null || (count === null && !isRefused(said)))
        doubts.push(`${role} without a policy: ${saidText(said)}`);
    }
    if (closed.length < closedPlaces)
      doubts.push(`only ${closed.length} of ${closedPlaces} accounts without a policy were tried`);
    if (dba.count !== null && dba.count < dba.of && dba.wrote.kind === "ok")
      found.boundDba({ count: dba.count, of: dba.of }, { sent: dba.wrote });
    else if (dba.count === null || dba.wrote.kind !== "ok") doubts.push(`the dba: ${saidText(dba.wrote)}`);
    const [doubt] = doubts;
    if (doubt !== undefined) return unknown(doubt);
    return pass(
      `${worked} of ${reads.length} ways to read showed only own rows, ${seen.writes.length} writes changed no other, ` +
        `a live query delivered own rows only; ${closed.length} accounts without a policy got none of the rows, the dba all ${dba.of}`,
    );
  },
});

function works({ reads: tried }: Seen, name: string): boolean {
  return tried.find(({ way }) => way === name)?.said.kind === "ok";
}

function isRefused(said: Said): boolean {
  return isCleanRefusal(said) || isPermissionDenied(said);
}

function saidText({ status, code, message }: Said): string {
  return `${status ?? "no answer"} ${code} ${message}`.trim();
}

function textOf(foreign: readonly string[], cells: readonly (readonly string[])[] | null): string {
  return truncated(foreign.length > 0 ? foreign.join(", ") : (cells ?? []).map((row) => row.join(" ")).join(", "), 160);
}
