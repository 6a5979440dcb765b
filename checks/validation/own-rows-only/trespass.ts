/** Judges what neighbours in one table did: whether anybody reached what is another's. Pure. */
import { isCleanRefusal, type Said } from "../../../src/server/target.ts";
import { isPermissionDenied } from "../../vocabulary/trials.ts";
import type { Heard } from "../reaching/listening.ts";
import type { Room, RoomPlan, Visit, Written } from "./neighbours.ts";
import type { Tried } from "../reaching/reach.ts";
import {
  liveWays,
  readWays,
  sameCells,
  writeWays,
  type Cells,
  type LiveWay,
  type ReadWay,
  type Row,
  type WriteWay,
} from "../reaching/ways.ts";

export interface Trespass {
  readonly kind: "trespass";
  readonly finding: "foreignRows" | "foreignEvents" | "foreignChange" | "actedAs";
  readonly room: string;
  readonly as: string;
  readonly way: string;
  readonly detail: string;
  readonly exchange: number;
}

/**
 * What one try came to. `worked`: it reached one's own rows. `empty`: it looked for another's and found nothing.
 * `denied`: refused, as it should or may be. `silent`: the server has no such way. `doubt`: it shows nothing.
 */
export type Seen =
  | { readonly kind: "worked" | "empty" | "denied" | "silent" }
  | { readonly kind: "doubt"; readonly why: string }
  | Trespass;

/** Everything that can be said of one table. */
export function judgeRoom(plan: RoomPlan, room: Room | undefined): Seen[] {
  const unseen = (why: string): Seen => ({ kind: "doubt", why: `${plan.name}: ${why}` });
  if (room === undefined) return [unseen("was not tried")];
  if (room.trouble !== null) return [unseen(room.trouble)];
  const people = [room.watcher, ...room.visits.map(({ who }) => who)];
  const seen: Seen[] = [];
  const planned = plan.withRights ? ["user", "service", "dba"] : ["user"];
  for (const role of planned)
    if (!people.some((one) => one.role === role)) seen.push(unseen(`no account with the role ${role} tried anything`));
  const warm = people.filter(({ name }) => room.cold?.includes(name) !== true);
  if (plan.cold && warm.length > 0)
    seen.push(unseen(`the rows of ${warm.length} accounts were not seen in cold storage`));
  if (!sameCells(room.atFirst, cells(room.watcher.rows), false))
    seen.push(unseen("whoever only watches did not see exactly the own rows at first"));

  for (const visit of room.visits) {
    const others = people.filter(({ name }) => name !== visit.who.name).flatMap(({ rows }) => rows);
    const about = { plan, visit, watched: room.watcher.rows, others };
    for (const way of waysOf(visit, readWays)) {
      const tried = visit.reads.find((one) => one.way === way.name);
      seen.push(tried === undefined ? unseen(`${way.name} was not tried`) : judgeRead(way, tried, about));
    }
    for (const way of waysOf(visit, liveWays)) {
      const one = visit.listened.heard.find(({ way: name }) => name === way.name);
      const why = visit.listened.why ?? "was not tried";
      seen.push(one === undefined ? unseen(`${way.name}, as ${visit.who.role}: ${why}`) : judgeHeard(way, one, about));
    }
    for (const way of waysOf(visit, writeWays)) {
      const tried = visit.writes.find((one) => one.way === way.name);
      seen.push(tried === undefined ? unseen(`${way.name} was not tried`) : judgeWrite(way, tried, about));
    }
  }
  return seen;
}

interface About {
  readonly plan: RoomPlan;
  readonly visit: Visit;
  readonly watched: readonly Row[];
  readonly others: readonly Row[];
}

function judgeRead(way: ReadWay, tried: Tried, about: About): Seen {
  const leak = leakOf(way, tried, about);
  if (leak !== undefined) return trespass("foreignRows", way, tried, about, leak);
  const beside = about.visit.reads.find((one) => one.way === way.tellsBeside);
  if (beside?.said.kind === "ok" && isCleanRefusal(tried.said)) {
    const detail = `it is refused, and is not for a value that nobody has: ${outcome(tried.said)}`;
    return trespass("foreignRows", way, tried, about, detail);
  }
  if (tried.said.kind !== "ok") return judgeRefusal(way, way.shows === null, tried, about);
  const { visit } = about;
  if (way.shows === null) return { kind: "empty" };
  const own = way.shows(visit.who.rows, visit.place);
  if (sameCells(tried.rows, own, way.ordered === true)) return { kind: own.length === 0 ? "empty" : "worked" };
  if (mayLack(way, about) && tried.rows?.length === 0) return { kind: "silent" };
  return doubt(way, about, `showed ${text(tried.rows)}, and not the own ${text(own)}`);
}

function judgeHeard(way: LiveWay, { opening, rows, told, theirs }: Heard, about: About): Seen {
  const { plan, visit } = about;
  const { who, listened } = visit;
  if (theirs.length > 0) {
    const detail = theirs.join(", ");
    const tried = { said: { exchange: opening.exchange } };
    return trespass("foreignEvents", way, tried, about, detail);
  }
  if (opening.kind !== "ready") return doubt(way, about, `did not begin: ${opening.code} ${opening.message}`);
  const own = way.shows(who.rows);
  if (!sameCells(rows, own, false)) return doubt(way, about, `showed ${text(rows)}, and not the own ${text(own)}`);
  if (!listened.came || (way.tells && !told.includes(listened.own)))
    return doubt(way, about, `was not told of what was written to the ${plan.type} table meanwhile`);
  return { kind: way.tells ? "worked" : "empty" };
}

/** What of others is in the answer; undefined if nothing is. */
function leakOf(
  way: ReadWay | WriteWay,
  { said, rows, theirs }: Tried,
  { visit, watched, others }: About,
): string | undefined {
  if (theirs.length > 0) return theirs.join(", ");
  if (said.kind !== "ok" && way.tellsWhen?.test(said.message) === true) return said.message;
  if (!("shows" in way) || way.shows === null || rows === null) return undefined;
  const { rows: mine } = visit.who;
  if (sameCells(rows, way.shows(mine, visit.place), way.ordered === true)) return undefined;
  // A count tells no canary, but the one who watches has more rows than one's own twice.
  for (const reached of [watched, [...mine, ...watched], others, [...mine, ...others]]) {
    const shown = way.shows(reached, visit.place);
    if (shown.length > 0 && sameCells(rows, shown, way.ordered === true)) return text(rows);
  }
  return way.name === "SUM" && isSumWith(rows[0]?.[0], mine, others) ? text(rows) : undefined;
}

/** Whether it is the sum of one's own numbers and some of the others'. */
function isSumWith(seen: string | undefined, mine: readonly Row[], others: readonly Row[]): boolean {
  if (seen === undefined || !/^-?\d+$/.test(seen)) return false;
  let sums = new Set([0n]);
  for (const { n } of others) sums = new Set([...sums].flatMap((sum) => [sum, sum + BigInt(n)]));
  const more = BigInt(seen) - mine.reduce((sum, { n }) => sum + BigInt(n), 0n);
  return more !== 0n && sums.has(more);
}

function judgeWrite(way: WriteWay, tried: Written, about: About): Seen {
  if (tried.watched === "unread") return doubt(way, about, "could not be followed: another's rows were not readable");
  if (tried.watched !== "same")
    return trespass("foreignChange", way, tried, about, `they are now ${text(tried.watched)}`);
  const leak = leakOf(way, tried, about);
  if (leak !== undefined) return trespass("foreignRows", way, tried, about, leak);
  const { said } = tried;
  if (way.forbidden === true) {
    if (said.kind === "ok") return trespass("actedAs", way, tried, about, `${said.status} ${said.message}`.trim());
    if (isPermissionDenied(said)) return { kind: "denied" };
    return doubt(way, about, `was not refused for want of rights: ${outcome(said)}`);
  }
  if (said.kind !== "ok") return judgeRefusal(way, false, tried, about);
  const { length } = about.visit.who.rows;
  const wanted = way.counts(length);
  if (tried.count === wanted) return { kind: wanted === 0 ? "empty" : "worked" };
  if (mayLack(way, about) && tried.count === 0) return { kind: "silent" };
  return doubt(
    way,
    about,
    `changed ${tried.count ?? "an unknown number of"} rows, of one's own it should be ${wanted}`,
  );
}

/** A refusal is an answer where the server need not have the way. */
function judgeRefusal(way: ReadWay | WriteWay, searched: boolean, { said }: Tried, about: About): Seen {
  const refused = isCleanRefusal(said) || said.why === "permission";
  if (refused && (searched || mayLack(way, about))) return { kind: "denied" };
  return doubt(way, about, `got ${outcome(said)}`);
}

function mayLack(way: ReadWay | WriteWay, { plan }: About): boolean {
  return way.optional === true || (way.notForStreams === true && plan.type === "STREAM");
}

function waysOf<W extends ReadWay | WriteWay | LiveWay>({ who }: Visit, ways: readonly W[]): readonly W[] {
  return who.role === "user" ? ways : ways.filter((way) => way.broad === true);
}

function trespass(
  finding: Trespass["finding"],
  { name: way }: ReadWay | WriteWay | LiveWay,
  { said }: { readonly said: Pick<Said, "exchange"> },
  { plan, visit }: About,
  detail: string,
): Trespass {
  return { kind: "trespass", finding, room: plan.name, as: visit.who.role, way, detail, exchange: said.exchange };
}

function doubt({ name }: ReadWay | WriteWay | LiveWay, { plan, visit }: About, why: string): Seen {
  return { kind: "doubt", why: `${plan.name}: ${name}, as ${visit.who.role}, ${why}` };
}

function cells(rows: readonly Row[]): Cells {
  return rows.map(({ id, v, n }) => [id, v, n]);
}

function text(rows: Cells | null): string {
  return (
    (rows ?? [])
      .slice(0, 4)
      .map((row) => row.join(" "))
      .join(", ")
      .slice(0, 160) || "nothing"
  );
}

function outcome({ status, code, message }: Said): string {
  return `${status ?? "no answer"} ${code} ${message}`.trim();
}
