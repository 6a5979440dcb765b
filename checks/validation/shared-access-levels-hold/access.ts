/** Judges what was tried on shared tables of each access level. Pure. */
import { isCleanRefusal, type Said } from "../../../src/server/target.ts";
import { isPermissionDenied } from "../../vocabulary/trials.ts";
import {
  deniedWrites,
  liveQuery,
  openReads,
  sharedReads,
  sharedWrites,
  type Kept,
  type Openness,
  type Overheard,
  type Party,
  type Turned,
} from "./openness.ts";
import type { Tried } from "../reaching/reach.ts";
import { sameCells, type ReadWay } from "../reaching/ways.ts";

export type Data = { level: string; as: string; way: string; detail: string };
type Overreach =
  | { name: "tooOpen" | "tooClosed"; case: string; data: Data; sent: number[] }
  | { name: "lateRevoke"; case: string; data: { to: string; way: string; detail: string }; sent: number[] };

/** What one try came to: as documented, nothing to be told from, or a finding. */
export type Seen =
  | { readonly kind: "allowed" | "denied" }
  | { readonly kind: "doubt"; readonly why: string }
  | { readonly kind: "found"; readonly found: Overreach };

type Rows = Pick<Openness, "rows" | "place">;
type Write = Party["writes"][number];

/** A table of one level: whether it is just as open as it should be. */
export function judgeTable(level: string, usersRead: boolean, table: Openness | undefined): Seen[] {
  if (table === undefined) return [doubt(`${level} was not tried`)];
  const broken = table.setUp.find(({ kind }) => kind !== "ok");
  if (broken !== undefined) return [doubt(`${level}: the set-up did not work: ${broken.message}`)];
  return ["user", "service", "dba"].flatMap((role) => {
    const isUser = role === "user";
    const party = table.parties.find((one) => one.role === role);
    const judged = <T extends Tried>(name: string, tried: T | undefined, judge: (tried: T) => Judgement): Seen => {
      if (tried === undefined) return doubt(`${level}: ${name}, as ${role}, was not tried`);
      const outcome = judge(tried);
      if (outcome === "allowed" || outcome === "denied") return { kind: outcome };
      if (outcome === "doubt") return doubt(`${level}: ${unclear(tried, role)}`);
      const data = { level, as: role, way: tried.way, detail: outcome.detail };
      const where = { case: `${level}: ${tried.way}, as ${role}`, sent: [tried.said.exchange] };
      return { kind: "found", found: { name: outcome.name, data, ...where } };
    };
    return [
      ...(isUser ? sharedReads : openReads).map((way) => {
        const tried = party?.reads.find((one) => one.way === way.name);
        return judged(way.name, tried, (one) => judgeRead(way, one, table, usersRead || !isUser));
      }),
      judgeListening(level, role, party?.listening ?? "was not tried", { table, open: usersRead || !isUser }),
      ...(isUser ? deniedWrites : sharedWrites).map((way) => {
        const tried = party?.writes.find((one) => one.way === way.name);
        return judged(way.name, tried, isUser ? judgeDenied : judgeAllowed);
      }),
    ];
  });
}

function judgeListening(
  level: string,
  role: string,
  one: Overheard,
  { table, open }: { readonly table: Rows; readonly open: boolean },
): Seen {
  const where = `${level}: ${liveQuery}, as ${role}`;
  if (typeof one === "string") return doubt(`${where}: ${one}`);
  const { opening, rows } = one;
  const found = (name: "tooOpen" | "tooClosed", detail: string): Seen => {
    const data = { level, as: role, way: liveQuery, detail };
    return { kind: "found", found: { name, case: where, data, sent: [opening.exchange] } };
  };
  const shows = (rows ?? []).map((row) => row.join(" ")).join(", ") || "no rows";
  if (opening.kind === "ready" && !open) return found("tooOpen", `it began with ${shows}`.slice(0, 160));
  if (opening.kind === "refused" && open && opening.reason === "right") return found("tooClosed", opening.message);
  const all = table.rows.map(({ id, v, n }) => [id, v, n]);
  if (opening.kind === "ready")
    return sameCells(rows, all, false) ? { kind: "allowed" } : doubt(`${where}, began with ${shows}`);
  // In whatever words, but for too many: the same on an open table shows that nothing else is wrong with it.
  if (opening.kind === "refused" && !open && opening.reason !== "limit") return { kind: "denied" };
  return doubt(`${where}: ${opening.code} ${opening.message}`);
}

type Judgement = "allowed" | "denied" | "doubt" | { readonly name: "tooOpen" | "tooClosed"; readonly detail: string };

function judgeRead(way: ReadWay, tried: Tried, table: Rows, open: boolean): Judgement {
  const { said } = tried;
  const all =
    said.kind === "ok" && sameCells(tried.rows, way.shows?.(table.rows, table.place) ?? [], way.ordered === true);
  if (!open && (all || tried.theirs.length > 0)) return { name: "tooOpen", detail: text(tried) };
  // In whatever words: the same statement on an open table shows that nothing else is wrong with it.
  if (!open) return refused(said) ? "denied" : "doubt";
  if (all) return "allowed";
  return isPermissionDenied(said) ? { name: "tooClosed", detail: said.message } : "doubt";
}

function judgeDenied({ said, state }: Write): Judgement {
  if (typeof state !== "string")
    return { name: "tooOpen", detail: `${said.status ?? "no answer"}, and the rows are others now` };
  if (said.kind === "ok") return { name: "tooOpen", detail: `${said.status} ${said.message}` };
  return state === "same" && refused(said) ? "denied" : "doubt";
}

function judgeAllowed({ said, count }: Write): Judgement {
  if (said.kind === "ok" && count === 1) return "allowed";
  return isPermissionDenied(said) ? { name: "tooClosed", detail: said.message } : "doubt";
}

/** Changes of level: whether the reads that follow at once are as open as the new one. */
export function judgeTurns({ turns, kept, ...table }: Turned, turnsMin: number): Seen[] {
  const seen: Seen[] = [judgeKept(kept)];
  if (turns.length < turnsMin) seen.push(doubt(`only ${turns.length} changes of level were tried`));
  for (const { to, said, reads } of turns) {
    if (said.kind !== "ok") seen.push(doubt(`the level could not be set to ${to}: ${said.message}`));
    for (const way of said.kind === "ok" ? openReads : []) {
      const tried = reads.find((one) => one.way === way.name);
      if (tried === undefined) {
        seen.push(doubt(`${way.name} was not tried after the level was set to ${to}`));
        continue;
      }
      const judged = judgeRead(way, tried, table, to === "PUBLIC");
      const sent = [said.exchange, tried.said.exchange];
      if (judged === "doubt") seen.push(doubt(`after the level was set to ${to}, ${unclear(tried, "user")}`));
      else if (typeof judged === "string") seen.push({ kind: judged });
      else if (judged.name === "tooOpen") {
        const data = { to, way: way.name, detail: judged.detail };
        seen.push({ kind: "found", found: { name: "lateRevoke", case: `shut: ${way.name}`, data, sent } });
      } else {
        const data = { level: to, as: "user", way: way.name, detail: `after it was opened: ${judged.detail}` };
        seen.push({ kind: "found", found: { name: "tooClosed", case: `opened: ${way.name}`, data, sent } });
      }
    }
  }
  return seen;
}

/** A live query that was open when the table was shut: it must tell nothing more. */
function judgeKept({ why, alive, written, insiders, leaked, fenced, ended, exchange }: Kept): Seen {
  if (leaked > 0) {
    const data = { to: "PRIVATE", way: liveQuery, detail: `${leaked} of ${written} rows written afterwards` };
    return { kind: "found", found: { name: "lateRevoke", case: `shut: ${liveQuery}`, data, sent: [exchange] } };
  }
  if (why !== null) return doubt(why);
  if (!alive) return doubt("the user's live query told nothing even before the table was shut");
  if (insiders < written) return doubt(`even the dba was told only ${insiders} of ${written} rows by a live query`);
  // To be sent away is as good as to be told nothing; a connection that breaks shows nothing.
  const sentAway = ended === 1008 || (ended !== null && ended >= 3000);
  return fenced || sentAway ? { kind: "denied" } : doubt("what was for the user did not come after the table was shut");
}

function doubt(why: string): Seen {
  return { kind: "doubt", why };
}

function refused(said: Said): boolean {
  return isCleanRefusal(said) || isPermissionDenied(said);
}

function text({ rows, theirs }: Tried): string {
  return (theirs.length > 0 ? theirs.join(", ") : (rows ?? []).map((row) => row.join(" ")).join(", ")).slice(0, 160);
}

function unclear({ way, said, rows, count }: Tried, role: string): string {
  const outcome =
    said.kind === "ok"
      ? `showed ${rows?.length ?? 0} rows and changed ${count ?? 0}`
      : `got ${said.code} ${said.message}`;
  return `${way}, as ${role}, ${outcome}`;
}
