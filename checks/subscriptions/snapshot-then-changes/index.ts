import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import {
  doubledChanges,
  missingChanges,
  wrongContents,
  type ChangeHistory,
  type RowWrite,
  type ToldChange,
} from "../../../src/history/changes.ts";
import { differenceOf, foldChanges, isSame, type StateRow } from "../../../src/history/state.ts";
import { fenceArrives, follow, noticesOf } from "../../vocabulary/following.ts";
import { marksIn, outcomeOf, statementFor, toldOf, type MarkedRow } from "../stream/marked-rows.ts";
import { plainRow } from "../../vocabulary/opening.ts";
import { addressFault, askOverHttp, isElsewhere, tryAddress, type Told } from "../told-address.ts";

/** What is there before anybody subscribes. */
export const early: readonly MarkedRow[] = [
  { kind: "insert", key: "1", mark: "one", rest: { n: 1, note: null } },
  { kind: "insert", key: "2", mark: "two", rest: { n: 2, note: "early" } },
  { kind: "insert", key: "3", mark: "three", rest: { n: null, note: "it's" } },
];

/** What happens while the subscription is open: one statement a line, each mark once. A delete tells what was there. */
export const steps: readonly MarkedRow[] = [
  { kind: "insert", key: "100", mark: "new", rest: { n: 1, note: "x" } },
  { kind: "update", key: "100", mark: "changed", rest: { n: 2, note: "x" } },
  { kind: "update", key: "100", mark: "emptied", rest: { n: 2, note: null } },
  { kind: "update", key: "2", mark: "two again", rest: { n: 3, note: "early" } },
  { kind: "delete", key: "100", mark: "emptied", rest: { n: 2, note: null } },
  { kind: "delete", key: "3", mark: "three", rest: { n: null, note: "it's" } },
];

type Seen = {
  readonly why: string | null;
  readonly told: Told | null;
  readonly snapshot: readonly StateRow[];
  readonly outcomes: readonly RowWrite["outcome"][];
  readonly changes: readonly ToldChange[];
  /** Key and mark of each row at the end. */
  readonly table: readonly (readonly [string, string])[];
  /** Whether the last row could be read when it had been told; null where it was not told or nothing could be read. */
  readonly found: boolean | null;
  readonly fenced: boolean;
  readonly notices: readonly string[];
  readonly exchange: number;
};

const fenceMark = "fence";
const fenceKey = "999";

export const snapshotThenChanges = defineCheck({
  id: "subscriptions/snapshot-then-changes",
  title: "A subscriber gets the rows, then each change, just once",
  failureTitle: "A subscriber does not get the rows and then each change",
  description: `Subscribes to a table of ${early.length} rows, which must come as they are and be all. Then ${steps.length} statements insert, update, set NULL and delete, new rows and old ones: each must be told once, by its right name, with the new and the old values; and what has been told can be read. The HTTP form, SUBSCRIBE TO, must tell an address and a statement that a client can use as they are.`,
  blindTo:
    "A few rows, one at a time; many, fast and at once are for every-change-arrives and its like. An address on another host is not tried.",
  risk: "A screen starts wrong, or goes wrong with the first change.",
  remedy:
    "Compare what the subscription told with SELECT on the same table; connect to /v1/ws on the server's own address, whatever the HTTP form says.",
  covers: ["SUB-01"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 600,
  estimateRequests: 14,
  findings: {
    wrongSnapshot: {
      say: (d: { rows: number; wanted: number; difference: string }) =>
        `the snapshot has ${d.rows} rows of ${d.wanted}: ${d.difference}`,
    },
    lostChange: {
      say: (d: { change: string; lost: number; of: number }) =>
        `${d.lost} of ${d.of} changes were not told, the first: ${d.change}`,
    },
    wrongChange: {
      say: (d: { change: string; told: string; wanted: string }) =>
        `${d.change} was told as ${d.told}; wanted: ${d.wanted}`,
    },
    toldTooSoon: {
      say: (d: { key: string }) => `row ${d.key} was told as written, and a SELECT sent after that did not find it`,
    },
    deadAddress: {
      say: (d: { address: string; why: string }) => `SUBSCRIBE TO over HTTP sends clients to ${d.address}: ${d.why}`,
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const reader = await target.account("user", "reader");
    const table = `${context.scratch}.life`;
    const nothing = {
      told: null,
      snapshot: [],
      outcomes: [],
      changes: [],
      table: [],
      found: null,
      fenced: false,
      notices: [],
    };
    const made = await target.sql(
      op,
      `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, mark TEXT, n INT, note TEXT) WITH (TYPE='USER')`,
    );
    if (made.kind !== "ok")
      return { ...nothing, exchange: made.exchange, why: `the table could not be made: ${made.message}` };
    for (const step of early) {
      const done = await target.sql(reader, statementFor(table, [step]));
      if (done.kind !== "ok")
        return { ...nothing, exchange: done.exchange, why: `the first rows could not be written: ${done.message}` };
    }
    const told = await tryAddress(target, reader, await askOverHttp(target, reader, `SUBSCRIBE TO ${table}`));
    const following = await follow(target, reader, `SELECT * FROM ${table}`);
    if ("why" in following) return { ...nothing, told, exchange: told.said.exchange, why: following.why };
    const { subscription, live, rows } = following;
    const outcomes: RowWrite["outcome"][] = [];
    for (const step of steps) outcomes.push(outcomeOf(await target.sql(reader, statementFor(table, [step])), 1));
    await target.sql(
      reader,
      statementFor(table, [{ kind: "insert", key: fenceKey, mark: fenceMark, rest: { n: 0, note: "" } }]),
    );
    const fenced = await fenceArrives(subscription, "mark", fenceMark);
    const after = await marksIn(target, reader, table);
    return {
      why: after === null ? "the table could not be read at the end" : null,
      told,
      snapshot: rows.map(plainRow),
      outcomes,
      changes: subscription.changes.filter(({ row }) => row?.["mark"] !== fenceMark).map(toldOf),
      table: after ?? [],
      // Only what was told can have been told too soon.
      found: fenced ? (after?.some(([, mark]) => mark === fenceMark) ?? null) : null,
      fenced,
      notices: noticesOf(subscription, live),
      exchange: subscription.exchange,
    };
  },
  judge(seen) {
    const { why, told, snapshot, outcomes, fenced, exchange } = seen;
    const found = [...deadAddress(told), ...(why === null ? [...wrongSnapshot(snapshot, exchange)] : [])];
    if (why === null && fenced) found.push(...wrongFeed(seen));
    if (seen.found === false) found.push({ name: "toldTooSoon", data: { key: fenceKey }, sent: [exchange] });
    if (found.length > 0) return fail(...found);
    if (why !== null) return unknown(why);
    if (!fenced)
      return unknown(
        `the last row of all did not arrive${seen.notices.length > 0 ? `: ${seen.notices.join("; ")}` : ""}`,
      );
    const unsure = outcomes.filter((outcome) => outcome !== "ok").length;
    if (unsure > 0) return unknown(`${unsure} of ${steps.length} statements were not acknowledged`);
    if (told === null || told.said.kind !== "ok")
      return unknown(`SUBSCRIBE TO over HTTP was answered with ${told?.said.code ?? ""} ${told?.said.message ?? ""}`);
    if (told.tried !== null && told.tried.opening?.kind !== "ready")
      return unknown(`the subscription at ${told.address} did not begin: ${told.tried.opening?.message ?? ""}`);
    return pass(
      `${snapshot.length} rows, then ${steps.length} of ${steps.length} changes once each; ${isElsewhere(told) ? `the address told over HTTP is on another host: ${told.address}` : `${told.address} works`}`,
    );
  },
});

type Found =
  | { readonly name: "toldTooSoon"; readonly data: { readonly key: string }; readonly sent: number[] }
  | { name: "wrongSnapshot"; data: { rows: number; wanted: number; difference: string }; sent: number[] }
  | { name: "lostChange"; data: { change: string; lost: number; of: number }; sent: number[] }
  | { name: "wrongChange"; data: { change: string; told: string; wanted: string }; sent: number[] }
  | { name: "deadAddress"; data: { address: string; why: string }; sent: number[] };

function deadAddress(told: Told | null): Found[] {
  if (told === null || told.said.kind !== "ok") return [];
  const why = addressFault(told);
  if (why === undefined) return [];
  return [{ name: "deadAddress", data: { address: told.address, why }, sent: [told.said.exchange] }];
}

function wrongSnapshot(snapshot: readonly StateRow[], exchange: number): Found[] {
  const wanted = early.map(rowAfter);
  const difference = differenceOf("id", foldChanges("id", snapshot, []), wanted);
  if (isSame(difference) && snapshot.length === wanted.length) return [];
  const words = [
    ...difference.missing.map((key) => `${key} is missing`),
    ...difference.ghosts.map((key) => `${key} is not in the table`),
    ...difference.stale.map((key) => `${key} has other values`),
  ];
  const data = { rows: snapshot.length, wanted: wanted.length, difference: words.join(", ") || "a row came twice" };
  return [{ name: "wrongSnapshot", data, sent: [exchange] }];
}

/** What is wrong with the changes; the fence has arrived, so what is not there will not come. */
function wrongFeed(seen: Seen): Found[] {
  const sent = [seen.exchange];
  const writes = steps.map((step, at): RowWrite => writeOf(step, at, seen.outcomes[at] ?? "unsure"));
  const history: ChangeHistory = {
    keyColumn: "id",
    markColumn: "mark",
    writes,
    told: seen.changes,
    table: seen.table,
  };
  const found: Found[] = [];
  const missing = missingChanges(history);
  if (missing[0] !== undefined) {
    const { kind, key, mark } = missing[0].write;
    found.push({
      name: "lostChange",
      data: { change: `${kind} of ${key} (${mark})`, lost: missing.length, of: steps.length },
      sent,
    });
  }
  const wrong = (change: string, told: string, wanted: string): void => {
    found.push({ name: "wrongChange", data: { change, told, wanted }, sent });
  };
  for (const { identity, times } of doubledChanges(history)) wrong(identity, `${times} events`, "one");
  // The rows from before belong to what a change finds, not to what is to be told.
  const whole = { ...history, writes: [...early.map((step, at) => writeOf(step, at - early.length, "ok")), ...writes] };
  for (const { what, told, wanted } of wrongContents(whole))
    wrong(`${what} of a change`, JSON.stringify(told).slice(0, 200), JSON.stringify(wanted));
  for (const [at, step] of steps.entries()) {
    const told = seen.changes.find(({ row }) => step.kind === "update" && row?.["mark"] === step.mark);
    const before = [...early, ...steps.slice(0, at)].findLast(({ key }) => key === step.key);
    if (told === undefined || before === undefined) continue;
    const [was, is] = [rowAfter(before), rowAfter(step)];
    const untold = Object.keys(was).filter(
      (column) => was[column] !== is[column] && (told.old?.[column] ?? null) !== was[column],
    );
    if (untold.length > 0)
      wrong(`update of ${step.key} (${step.mark})`, JSON.stringify(told.old), `the old values of ${untold.join(", ")}`);
  }
  return found;
}

function writeOf(step: MarkedRow, statement: number, outcome: RowWrite["outcome"]): RowWrite {
  return { ...step, statement, writer: 0, outcome, from: 0, to: 0 };
}

function rowAfter({ key, mark, rest }: MarkedRow): StateRow {
  return { id: key, mark, ...rest };
}
