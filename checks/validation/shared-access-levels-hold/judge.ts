/** Judges the attempts on shared tables of each access level. Pure. */
import type { Collector } from "../../../src/check.ts";
import { isCleanRefusal, type Said, truncated } from "../../../src/server/target.ts";
import { lookedTwice } from "../../vocabulary/second-look.ts";
import { isPermissionDenied } from "../../vocabulary/trials.ts";
import type { Attempt } from "../row-access/attempt.ts";
import { sameCells, type ReadWay } from "../row-access/ways.ts";
import { mayRead, mayWrite, type Access, type Level } from "./levels.ts";
import {
  deniedFor,
  liveQuery,
  openReads,
  openReadsFor,
  readsFor,
  rolesFor,
  writesFor,
  type LevelChanges,
  type OpenQuery,
  type Party,
  type TableSeen,
} from "./attempts.ts";

type Data = { level: string; as: string; way: string; detail: string };
const where = ({ level, as, way }: Data): string => `${level}: ${way}, as ${as}`;

export const findings = {
  tooOpen: {
    say: (d: Data) => lookedTwice(`${where(d)}, was not refused: ${d.detail}`),
    risk: "Every user of the application reads or changes data that is meant for services only.",
  },
  tooClosed: {
    say: (d: Data) => `${where(d)}, was refused: ${d.detail}`,
    risk: "Users or services cannot use a table that is meant for them, and the application fails.",
    remedy: "Set the table's ACCESS_LEVEL or policies explicitly and look them up; until this passes, expect errors.",
  },
  lateRevoke: {
    say: (d: { to: string; way: string; detail: string }) =>
      `after the table was set to ${d.to}, ${d.way} still worked: ${d.detail}`,
    risk: "A user keeps reading a table after access to it was revoked.",
    remedy: "Do not rely on restricting an existing table: move the rows into a new table that was never PUBLIC.",
  },
};

/** The outcome of one attempt: as documented, inconclusive, or reported as a finding. */
export type Outcome =
  | { readonly kind: "allowed" | "denied" | "reported" }
  | { readonly kind: "doubt"; readonly why: string };

type Found = Collector<typeof findings>;
type Rows = Pick<TableSeen, "rows" | "place">;
type Write = Party["writes"][number];

/** Whether a table of one level is exactly as open as documented. */
export function judgeTable(access: Access, of: Level, table: TableSeen | undefined, found: Found): Outcome[] {
  const { level } = of;
  if (table === undefined) return [doubt(`${level} was not tried`)];
  if (table.unavailable !== null) return [doubt(`${level}: the table could not be set up: ${table.unavailable}`)];
  return rolesFor(table.breadth).flatMap((role) => {
    const open = mayRead(of, role);
    const isDenied = !mayWrite(of, role);
    const party = table.parties.find((one) => one.role === role);
    const judged = <T extends Attempt>(name: string, tried: T | undefined, judge: (tried: T) => Judgement): Outcome => {
      if (tried === undefined) return doubt(`${level}: ${name}, as ${role}, was not tried`);
      const outcome = judge(tried);
      if (outcome === "doubt") return doubt(`${level}: ${unclear(tried, role)}`);
      if (typeof outcome === "string") return { kind: outcome };
      const data = { level, as: role, way: tried.way, detail: outcome.detail };
      found[outcome.name](data, { case: where(data), sent: tried.said });
      return { kind: "reported" };
    };
    const judgeSharedRead = (way: ReadWay): Outcome => {
      const tried = party?.reads.find((one) => one.way === way.name);
      return judged(way.name, tried, (one) => judgeRead(access, way, one, { table, open }));
    };
    return [
      ...(isDenied ? readsFor(table.breadth) : openReadsFor(table.breadth)).map(judgeSharedRead),
      judgeLive(level, role, party?.listening ?? "was not tried", { access, table, open }, found),
      ...(isDenied ? deniedFor(access, table.breadth) : writesFor(table.breadth)).map(({ name }) => {
        const tried = party?.writes.find((one) => one.way === name);
        return judged(name, tried, isDenied ? (one) => judgeDenied(access, one) : judgeAllowed);
      }),
    ];
  });
}

function judgeLive(
  level: string,
  as: string,
  one: Party["listening"],
  { access, table, open }: { readonly access: Access; readonly table: Rows; readonly open: boolean },
  found: Found,
): Outcome {
  const name = where({ level, as, way: liveQuery, detail: "" });
  if (typeof one === "string") return doubt(`${name}: ${one}`);
  const { opening, rows } = one;
  const report = (finding: "tooOpen" | "tooClosed", detail: string): Outcome => {
    found[finding]({ level, as, way: liveQuery, detail }, { case: name, sent: opening });
    return { kind: "reported" };
  };
  const shown = (rows ?? []).map((row) => row.join(" ")).join(", ") || "no rows";
  if (opening.kind === "ready" && !open && access === "policies" && rows?.length === 0) return { kind: "denied" };
  if (opening.kind === "ready" && !open) return report("tooOpen", truncated(`it began with ${shown}`, 160));
  if (opening.kind === "refused" && open && opening.reason === "right") return report("tooClosed", opening.message);
  const all = table.rows.map(({ id, v, n }) => [id, v, n]);
  if (opening.kind === "ready")
    return sameCells(rows, all, false) ? { kind: "allowed" } : doubt(`${name}, began with ${shown}`);
  // Any refusal but a rate limit: the same query on an open table shows that nothing else is wrong with it.
  if (opening.kind === "refused" && !open && opening.reason !== "limit") return { kind: "denied" };
  return doubt(`${name}: ${opening.code} ${opening.message}`);
}

type Judgement = "allowed" | "denied" | "doubt" | { readonly name: "tooOpen" | "tooClosed"; readonly detail: string };

function judgeRead(
  access: Access,
  way: ReadWay,
  tried: Attempt,
  { table, open }: { readonly table: Rows; readonly open: boolean },
): Judgement {
  const { said } = tried;
  const all =
    said.kind === "ok" && sameCells(tried.rows, way.shows?.(table.rows, table.place) ?? [], way.ordered === true);
  if (!open && (all || tried.foreign.length > 0)) return { name: "tooOpen", detail: text(tried) };
  // Any refusal: the same statement on an open table shows that nothing else is wrong with it.
  if (!open) return refused(said) || (access === "policies" && showsNothing(tried)) ? "denied" : "doubt";
  if (all) return "allowed";
  return isPermissionDenied(said) ? { name: "tooClosed", detail: said.message } : "doubt";
}

/** What a query returns of a table without rows. */
function showsNothing({ said, rows }: Attempt): boolean {
  return said.kind === "ok" && rows !== null && rows.flat().every((cell) => cell === "0" || cell === "null");
}

function judgeDenied(access: Access, { said, state, count }: Write): Judgement {
  if (typeof state !== "string")
    return { name: "tooOpen", detail: `${said.status ?? "no answer"}, and the rows have changed` };
  // A policy hides the rows that a statement may not change.
  if (access === "policies" && said.kind === "ok" && count === 0)
    return state === "same" || state === "later" ? "denied" : "doubt";
  if (said.kind === "ok") return { name: "tooOpen", detail: `${said.status} ${said.message}` };
  return (state === "same" || state === "later") && refused(said) ? "denied" : "doubt";
}

function judgeAllowed({ said, count }: Write): Judgement {
  if (said.kind === "ok" && count === 1) return "allowed";
  return isPermissionDenied(said) ? { name: "tooClosed", detail: said.message } : "doubt";
}

/** Whether the reads after a change of level are exactly as open as the new level. */
export function judgeChanges(
  access: Access,
  { changes, openQuery, ...table }: LevelChanges,
  changesMin: number,
  found: Found,
): Outcome[] {
  // Policies are bound when a live query begins: what a later change does to it is promised nowhere.
  const outcomes = access === "levels" ? [judgeOpenQuery(openQuery, found)] : [];
  if (changes.length < changesMin) outcomes.push(doubt(`only ${changes.length} changes of level were tried`));
  for (const { to, said, reads } of changes) {
    if (said.kind !== "ok") outcomes.push(doubt(`the level could not be set to ${to}: ${said.message}`));
    for (const way of said.kind === "ok" ? openReads : []) {
      const tried = reads.find((one) => one.way === way.name);
      if (tried === undefined) {
        outcomes.push(doubt(`${way.name} was not tried after the level was set to ${to}`));
        continue;
      }
      const judged = judgeRead(access, way, tried, { table, open: to === "PUBLIC" });
      const sent = [said, tried.said];
      if (judged === "doubt") outcomes.push(doubt(`after the level was set to ${to}, ${unclear(tried, "user")}`));
      else if (typeof judged === "string") outcomes.push({ kind: judged });
      else if (judged.name === "tooOpen")
        found.lateRevoke({ to, way: way.name, detail: judged.detail }, { case: `closed: ${way.name}`, sent });
      else {
        const data = { level: to, as: "user", way: way.name, detail: `after it was opened: ${judged.detail}` };
        found.tooClosed(data, { case: `opened: ${way.name}`, sent });
      }
    }
  }
  return outcomes;
}

/** A live query that was open when access to its table was revoked must not deliver anything more. */
function judgeOpenQuery(query: OpenQuery, found: Found): Outcome {
  const { why, worked, written, dbaReceived, leaked, fenceArrived, ended } = query;
  if (leaked > 0) {
    const data = { to: "PRIVATE", way: liveQuery, detail: `${leaked} of ${written} rows written afterwards` };
    found.lateRevoke(data, { case: `closed: ${liveQuery}`, sent: query });
    return { kind: "reported" };
  }
  if (why !== null) return doubt(why);
  if (!worked) return doubt("the user's live query delivered nothing even while the table was PUBLIC");
  if (dbaReceived < written) return doubt(`the dba's live query delivered only ${dbaReceived} of ${written} rows`);
  // A connection closed for policy is as good as silence; a broken one proves nothing.
  const disconnected = ended === 1008 || (ended !== null && ended >= 3000);
  return fenceArrived || disconnected
    ? { kind: "denied" }
    : doubt("rows of a PUBLIC table did not reach the user after the other table was closed");
}

function doubt(why: string): Outcome {
  return { kind: "doubt", why };
}

function refused(said: Said): boolean {
  return isCleanRefusal(said) || isPermissionDenied(said);
}

function text({ rows, foreign }: Attempt): string {
  return truncated(foreign.length > 0 ? foreign.join(", ") : (rows ?? []).map((row) => row.join(" ")).join(", "), 160);
}

function unclear({ way, said, rows, count }: Attempt, role: string): string {
  const outcome =
    said.kind === "ok"
      ? `returned ${rows?.length ?? 0} rows and changed ${count ?? 0}`
      : `got ${said.code} ${said.message}`;
  return `${way}, as ${role}, ${outcome}`;
}
