/** Judges the attempts on one table: whether an account reached rows of another. Pure. */
import { isCleanRefusal, type Said, truncated } from "../../../src/server/target.ts";
import { isPermissionDenied } from "../../vocabulary/trials.ts";
import type { Attempt } from "../row-access/attempt.ts";
import type { Received } from "../row-access/live.ts";
import {
  readWays,
  sameCells,
  writeWays,
  type Cells,
  type LiveWay,
  type ReadWay,
  type Row,
  type WriteWay,
} from "../row-access/ways.ts";
import { liveWaysFor, visitorsOf, waysFor, type TablePlan, type TableSeen, type Visit, type Write } from "./visit.ts";

export interface Violation {
  readonly kind: "violation";
  readonly finding: "foreignRows" | "foreignEvents" | "foreignChange" | "actedAs" | "keyTaken";
  readonly table: string;
  readonly as: string;
  readonly way: string;
  readonly detail: string;
  readonly exchange: number;
}

/**
 * The outcome of one attempt. `worked`: it reached the account's own rows. `empty`: it looked for rows of others and
 * found none. `denied`: refused, as it must or may be. `unsupported`: the server has no such way. `doubt`: inconclusive.
 */
export type Outcome =
  | { readonly kind: "worked" | "empty" | "denied" | "unsupported" }
  | { readonly kind: "doubt"; readonly why: string }
  | Violation;

/** The outcomes of all attempts on one table. */
export function judgeTable(plan: TablePlan, seen: TableSeen | undefined): Outcome[] {
  const unseen = (why: string): Outcome => ({ kind: "doubt", why: `${plan.name}: ${why}` });
  if (seen === undefined) return [unseen("was not tried")];
  if (seen.unavailable !== null) return [unseen(seen.unavailable), ...takenIn(plan, seen)];
  const { victim, visits, breadth } = seen;
  const people = [victim, ...visits.map(({ who }) => who)];
  const outcomes: Outcome[] = [];
  for (const role of visitorsOf(plan, breadth))
    if (!people.some((one) => one.role === role))
      outcomes.push(unseen(`no attempts by an account with the role ${role}`));
  const hot = people.filter(({ name }) => seen.cold?.includes(name) !== true);
  if (plan.cold && hot.length > 0)
    outcomes.push(unseen(`the rows of ${hot.length} accounts were not seen in cold storage`));
  if (!sameCells(seen.atFirst, cells(victim.rows), false))
    outcomes.push(unseen("the victim did not see exactly its own rows at first"));

  for (const visit of visits) {
    const { reads, listened, writes, who } = visit;
    const others = people.filter(({ name }) => name !== who.name).flatMap(({ rows }) => rows);
    const about = { plan, visit, victimRows: victim.rows, others };
    for (const way of waysFor(who, readWays, breadth)) {
      const tried = reads.find((one) => one.way === way.name);
      outcomes.push(tried === undefined ? unseen(`${way.name} was not tried`) : judgeRead(way, tried, about));
    }
    for (const way of liveWaysFor(who)) {
      const one = listened.received.find(({ way: name }) => name === way.name);
      const why = listened.why ?? "was not tried";
      outcomes.push(one === undefined ? unseen(`${way.name}, as ${who.role}: ${why}`) : judgeLive(way, one, about));
    }
    for (const way of waysFor(who, writeWays, breadth)) {
      const tried = writes.find((one) => one.way === way.name);
      outcomes.push(tried === undefined ? unseen(`${way.name} was not tried`) : judgeWrite(way, tried, about));
    }
  }
  return outcomes;
}

function takenIn({ name: table }: TablePlan, { taken }: TableSeen): Violation[] {
  if (taken === null) return [];
  const { as, id, message, exchange } = taken;
  const detail = `the account has no row, and the INSERT of key ${id}, which others have, is refused: ${message}`;
  return [{ kind: "violation", finding: "keyTaken", table, as, way: "INSERT", detail, exchange }];
}

interface About {
  readonly plan: TablePlan;
  readonly visit: Visit;
  readonly victimRows: readonly Row[];
  readonly others: readonly Row[];
}

function judgeRead(way: ReadWay, tried: Attempt, about: About): Outcome {
  const leak = leakOf(way, tried, about);
  if (leak !== undefined) return violation("foreignRows", way, tried.said, about, leak);
  const reference = about.visit.reads.find((one) => one.way === way.revealsIfWorks);
  if (reference?.said.kind === "ok" && isCleanRefusal(tried.said)) {
    const detail = `it is refused, and the same statement for a value in no row is not: ${said(tried.said)}`;
    return violation("foreignRows", way, tried.said, about, detail);
  }
  if (tried.said.kind !== "ok") return judgeRefusal(way, way.shows === null, tried, about);
  const { visit } = about;
  if (way.shows === null) return { kind: "empty" };
  const own = way.shows(visit.who.rows, visit.place);
  if (sameCells(tried.rows, own, way.ordered === true)) return { kind: own.length === 0 ? "empty" : "worked" };
  if (mayLack(way, about) && tried.rows?.length === 0) return { kind: "unsupported" };
  return doubt(way, about, `returned ${text(tried.rows)}, expected its own ${text(own)}`);
}

function judgeLive(way: LiveWay, { opening, rows, delivered, foreign }: Received, about: About): Outcome {
  const { plan, visit } = about;
  const { who, listened } = visit;
  if (foreign.length > 0) return violation("foreignEvents", way, opening, about, foreign.join(", "));
  if (opening.kind !== "ready") return doubt(way, about, `did not begin: ${opening.code} ${opening.message}`);
  const own = way.shows(who.rows);
  if (!sameCells(rows, own, false)) return doubt(way, about, `returned ${text(rows)}, expected its own ${text(own)}`);
  if (!listened.ownArrived || (way.delivers && !delivered.includes(listened.own)))
    return doubt(way, about, `did not deliver what was written to the ${plan.type} table meanwhile`);
  return { kind: way.delivers ? "worked" : "empty" };
}

/** Data of others in the answer; undefined if there is none. */
function leakOf(
  way: ReadWay | WriteWay,
  { said: { kind, message }, rows, foreign }: Attempt,
  { visit, victimRows, others }: About,
): string | undefined {
  if (foreign.length > 0) return foreign.join(", ");
  if (kind !== "ok" && way.revealsWhen?.test(message) === true) return message;
  if (!("shows" in way) || way.shows === null || rows === null) return undefined;
  const { rows: mine } = visit.who;
  if (sameCells(rows, way.shows(mine, visit.place), way.ordered === true)) return undefined;
  // A count contains no secret, but the victim has more than twice as many rows as the visitor.
  for (const reached of [victimRows, [...mine, ...victimRows], others, [...mine, ...others]]) {
    const shown = way.shows(reached, visit.place);
    if (shown.length > 0 && sameCells(rows, shown, way.ordered === true)) return text(rows);
  }
  return way.name === "SUM" && isSumWith(rows[0]?.[0], mine, others) ? text(rows) : undefined;
}

/** Whether it is the sum of the account's own numbers and some of the others'. */
function isSumWith(seen: string | undefined, mine: readonly Row[], others: readonly Row[]): boolean {
  if (seen === undefined || !/^-?\d+$/.test(seen)) return false;
  let sums = new Set([0n]);
  for (const { n } of others) sums = new Set([...sums].flatMap((sum) => [sum, sum + BigInt(n)]));
  const more = BigInt(seen) - mine.reduce((sum, { n }) => sum + BigInt(n), 0n);
  return more !== 0n && sums.has(more);
}

function judgeWrite(way: WriteWay, tried: Write, about: About): Outcome {
  const { victimRows, misread, count } = tried;
  if (victimRows === "unread") return doubt(way, about, "is inconclusive: the victim's rows could not be read");
  if (misread !== null) {
    const texts = new Set(about.victimRows.map(({ v }) => v));
    const isForeign = misread.some(([, v]) => v !== undefined && !texts.has(v));
    const detail = `a SELECT by the owner of the rows after it returned ${text(misread)}, and the same SELECT again its own rows`;
    return isForeign
      ? violation("foreignRows", way, tried.said, about, detail)
      : doubt(way, about, `is inconclusive: two SELECTs of the victim's rows differ`);
  }
  if (victimRows !== "same")
    return violation("foreignChange", way, tried.said, about, `they are now ${text(victimRows)}`);
  const leak = leakOf(way, tried, about);
  if (leak !== undefined) return violation("foreignRows", way, tried.said, about, leak);
  if (way.forbidden === true) {
    const { kind, status, message } = tried.said;
    if (kind === "ok") return violation("actedAs", way, tried.said, about, `${status} ${message}`.trim());
    if (isPermissionDenied(tried.said)) return { kind: "denied" };
    return doubt(way, about, `was not refused with a permission error: ${said(tried.said)}`);
  }
  if (tried.said.kind !== "ok") return judgeRefusal(way, false, tried, about);
  const expected = way.counts(about.visit.who.rows.length);
  if (count === expected) return { kind: expected === 0 ? "empty" : "worked" };
  if (mayLack(way, about) && count === 0) return { kind: "unsupported" };
  return doubt(way, about, `changed ${count ?? "an unknown number of"} rows, expected ${expected} of its own`);
}

/** A refusal is conclusive if the server may lack the way. */
function judgeRefusal(way: ReadWay | WriteWay, searched: boolean, tried: Attempt, about: About): Outcome {
  const refused = isCleanRefusal(tried.said) || tried.said.why === "permission";
  if (refused && (searched || mayLack(way, about))) return { kind: "denied" };
  return doubt(way, about, `got ${said(tried.said)}`);
}

function mayLack(way: ReadWay | WriteWay, { plan }: About): boolean {
  return way.optional === true || (way.notForStreams === true && plan.type === "STREAM");
}

function violation(
  finding: Violation["finding"],
  { name: way }: ReadWay | WriteWay | LiveWay,
  { exchange }: { readonly exchange: number },
  { plan, visit }: About,
  detail: string,
): Violation {
  return { kind: "violation", finding, table: plan.name, as: visit.who.role, way, detail, exchange };
}

function doubt({ name }: ReadWay | WriteWay | LiveWay, { plan, visit }: About, why: string): Outcome {
  return { kind: "doubt", why: `${plan.name}: ${name}, as ${visit.who.role}, ${why}` };
}

function cells(rows: readonly Row[]): Cells {
  return rows.map(({ id, v, n }) => [id, v, n]);
}

function text(rows: Cells | null): string {
  const some = (rows ?? []).slice(0, 4).map((row) => row.join(" "));
  return truncated(some.join(", "), 160) || "nothing";
}

function said({ status, code, message }: Said): string {
  return `${status ?? "no answer"} ${code} ${message}`.trim();
}
