import { defineCheck, pass, unknown } from "../../../../src/check.ts";
import { follow } from "../../../vocabulary/following.ts";
import { makeTable, sharedTable } from "../../../vocabulary/tables.ts";
import { isAnswered, keysSeen, keysText, type KeySeen } from "../told-rows.ts";
import { endsOf, prepare, runBatches, tableKinds, ways, whyUnclear, type Batches, type Step } from "./batches.ts";
import { isUnshown, meetEarly, unshownMin, type Meeting } from "./early.ts";

const columns = "id BIGINT PRIMARY KEY, v TEXT";

type Seen = {
  readonly tables: readonly Batches[];
  readonly meetings: readonly Meeting[];
};

/** `first`: what the first of them shows. */
type Wrong = { readonly table: string; readonly way: string; readonly keys: readonly string[]; readonly first: string };

export const liveQueriesMeetTransactions = defineCheck({
  id: "subscriptions/live-queries-meet-transactions",
  title: "Live queries deliver what is committed, and only that",
  failureTitle: "Live queries lose commits or deliver what was undone",
  description: `In a USER and a SHARED table, batches insert, change and delete rows: ${ways.map(({ name }) => name).join("; ")}. A live query must deliver each change of a committed transaction once, and the last event of each row must be what SELECT shows; of a transaction that was rolled back, failed or was left open it must deliver nothing, and of a batch that fails without BEGIN exactly what SELECT shows. A row that is inserted long before COMMIT must not be delivered before a SELECT shows it.`,
  blindTo:
    "Each transaction is one request and writes one table. An order between different rows of one transaction is not expected, nor an event for every change of one row.",
  risk: "Clients show changes that never happened, or miss changes that did, without an error.",
  remedy:
    "Until this passes, do not write tables that are subscribed to in transactions, or read each row again when its event arrives.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  uses: { user: 1, service: 1 },
  estimateMs: 1_500,
  estimateRequests: 45,
  timeoutMs: 180_000,
  findings: {
    toldUncommitted: {
      say: (d: { table: string; times: number; of: number }) =>
        `${d.times} of ${d.of} rows of a ${d.table} table were delivered before their transaction was committed: a SELECT sent after the event did not show them`,
      risk: "A client that reads the row when its event arrives finds nothing, and one that does not may act on what is rolled back.",
      remedy: "Keep transactions short, and read the row again some time after its event.",
    },
    lostInTransaction: {
      say: (d: Wrong) =>
        `${d.keys.length} changes of a committed transaction in a ${d.table} table were not delivered: ${wordsOf(d)}`,
    },
    toldRolledBack: {
      say: (d: Wrong) =>
        `${d.keys.length} changes in a ${d.table} table were delivered of a transaction that was not committed (${d.way}): ${wordsOf(d)}`,
    },
    toldTwice: {
      say: (d: Wrong) =>
        `${d.keys.length} changes in a ${d.table} table were delivered twice (${d.way}): ${wordsOf(d)}`,
      risk: "Clients that count or add up what they receive are wrong.",
      remedy: "Apply events by key and row version, so that a duplicate changes nothing.",
    },
    outOfOrder: {
      say: (d: Wrong) =>
        `changes of one row in one transaction were delivered out of order in a ${d.table} table (${d.way}): ${wordsOf(d)}`,
      risk: "Clients keep a value that was overwritten.",
    },
    toldOtherwise: {
      say: (d: Wrong) =>
        `${d.keys.length} rows of a committed transaction in a ${d.table} table were delivered with other contents: ${wordsOf(d)}`,
    },
    batchDiffers: {
      say: (d: Wrong) =>
        `after a statement that failed in a ${d.table} table (${d.way}), ${d.keys.length} rows were not delivered as SELECT shows them: ${wordsOf(d)}`,
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const user = await target.account("user", "reader");
    const service = await target.account("service", "writer");
    const rounds = context.size({ light: 1, standard: 2, deep: 8 });
    const tables: Batches[] = [];
    const meetings: Meeting[] = [];
    for (const kind of tableKinds) {
      const name = `${context.scratch}.${kind.toLowerCase()}_rows`;
      const table =
        kind === "USER"
          ? await makeTable(target, context, op, name, { columns })
          : await sharedTable(target, context, op, name, { columns, readers: ["user"], writers: ["service"] });
      const writer = kind === "USER" ? user : service;
      await prepare(target, context, writer, table, rounds);
      const following = await follow(target, user, `SELECT * FROM ${table}`);
      const { live, subscription } = context.need(following, `${table} could not be followed`);
      const parties = { table, kind, writer, reader: user, subscription };
      meetings.push(...(await meetEarly(target, parties, context.size({ light: 2, standard: 4, deep: 16 }))));
      tables.push(await runBatches(target, context, parties, rounds));
      live.close();
    }
    return { tables, meetings };
  },
  judge({ tables, meetings }, { found }) {
    for (const { steps, fenced, exchange } of tables) {
      for (const step of steps.filter(({ said }) => isAnswered(said))) {
        const seen = keysSeen(step);
        const report = (
          finding: (data: Wrong, shown: object) => void,
          holds: (one: KeySeen) => boolean,
          words: (one: KeySeen) => string,
        ): void => {
          const some = seen.filter(holds);
          if (some[0] === undefined) return;
          const { table, way, said } = step;
          const keys = some.map(({ key }) => key);
          finding({ table, way, keys, first: words(some[0]) }, { case: `${table}, ${way}`, sent: [exchange, said] });
        };
        const events = ({ events: count }: KeySeen): string => `${count} events`;
        const wrong = (one: KeySeen): string => one.wrong ?? "no event";
        const ends = endsOf(step);
        if (ends === "undone") {
          report(found.toldRolledBack, (one) => one.events > 0 && !one.changed, events);
          continue;
        }
        report(found.toldTwice, (one) => one.repeated, events);
        if (ends === "as shown") {
          report(found.batchDiffers, (one) => fenced && (one.lost || one.wrong !== null), wrong);
          continue;
        }
        report(found.lostInTransaction, (one) => one.lost && fenced, wrong);
        report(found.outOfOrder, (one) => one.outOfOrder && fenced, wrong);
        report(found.toldOtherwise, (one) => one.wrong !== null && !one.outOfOrder && fenced, wrong);
      }
    }
    const lagging = meetings.find((one) => one.way === "plain" && isUnshown(one));
    for (const table of tableKinds) {
      const held = meetings.filter((one) => one.way === "held" && one.table === table && one.delivered);
      const unshown = held.filter((one) => one.said.kind === "ok" && isUnshown(one));
      if (unshown.length >= unshownMin && lagging === undefined)
        found.toldUncommitted({ table, times: unshown.length, of: held.length }, { case: table, sent: unshown });
    }

    const late = tables.findIndex(({ fenced }) => !fenced);
    if (late !== -1) return unknown(`the last row of the ${tableKinds[late] ?? ""} table was not delivered`);
    const steps = tables.flatMap((one) => one.steps);
    for (const step of steps) {
      const why = whyUnclear(step);
      if (why !== undefined) return unknown(`${step.table}, ${step.way}: ${why}`);
    }
    const untried = tableKinds.flatMap((table) =>
      ways
        .filter(({ name }) => !steps.some((one) => one.table === table && one.way === name))
        .map(({ name }) => `${table}, ${name}`),
    );
    if (untried[0] !== undefined) return unknown(`not tried: ${untried[0]}`);
    if (lagging !== undefined)
      return unknown(
        `even without a transaction, a SELECT in a ${lagging.table} table did not show a row that had been delivered`,
      );
    const vague = meetings.find(({ said, delivered, shown }) => said.kind !== "ok" || !delivered || shown !== true);
    if (vague !== undefined)
      return unknown(`${vague.table}: whether a row was delivered before COMMIT is not known: ${whyVague(vague)}`);
    if (meetings.length < 2 * unshownMin * tableKinds.length)
      return unknown(`only ${meetings.length} rows were read when they were delivered`);
    return pass(passSentence(steps, meetings));
  },
});

function wordsOf({ keys, first }: Wrong): string {
  return keysText(keys, first);
}

function whyVague({ said, delivered }: Meeting): string {
  if (said.kind !== "ok") return said.message;
  return delivered ? "a SELECT did not show it, once" : "it was not delivered";
}

function passSentence(steps: readonly Step[], meetings: readonly Meeting[]): string {
  const those = (ends: string): readonly Step[] => steps.filter((step) => endsOf(step) === ends);
  const changes = those("committed").flatMap((step) => keysSeen(step).filter(({ changed }) => changed)).length;
  return [
    `${changes} changes of ${those("committed").length} committed transactions delivered once`,
    `none of ${those("undone").length} that were not committed`,
    `${those("as shown").length} failed batches delivered as SELECT shows them`,
    `${meetings.filter(({ way }) => way === "held").length} rows delivered only once SELECT showed them`,
  ].join("; ");
}
