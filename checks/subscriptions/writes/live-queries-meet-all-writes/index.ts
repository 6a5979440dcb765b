import { defineCheck, pass, unknown } from "../../../../src/check.ts";
import { follow } from "../../../vocabulary/following.ts";
import { makeTable, sharedTable } from "../../../vocabulary/tables.ts";
import { isAnswered, keysSeen, keysText, type KeySeen } from "../told-rows.ts";
import { bySnapshot, writeTyped } from "./typed.ts";
import { baseOf, sourceKeys, tableKinds, ways, waysInto } from "./ways.ts";
import { baseRows, standBy, writeAll, type Bystander, type Followed, type Step } from "./writing.ts";

const columns = "id BIGINT PRIMARY KEY, v TEXT, n BIGINT";

type Seen = {
  readonly followed: readonly Followed[];
  readonly bystanders: readonly Bystander[];
};

/** Types of values whose rows must have been read. */
const typesMin = 8;
/** Accounts beside the user that follow the USER table: another user, and the service that acts as the user. */
const bystandersMin = 2;

export const liveQueriesMeetAllWrites = defineCheck({
  id: "subscriptions/live-queries-meet-all-writes",
  title: "Live queries deliver every kind of write as SELECT shows it",
  failureTitle: "Live queries lose or alter some kinds of writes",
  description: `Writes into a USER and a SHARED table that are followed, in ${ways.length} ways: ${ways.map(({ name }) => name).join("; ")}. Then values of every type, NULLs and a large text are inserted, changed beside, and set to NULL. Each change must be delivered, and the last event of each row must have what SELECT shows, column by column. What a service writes as a user is delivered to that user only. A statement that the server does not have is named and not judged.`,
  blindTo:
    "Two tables and one follower; old values are judged by subscriptions/change-content-right. Values that a server may reject, such as NaN, are not written.",
  risk: "What clients show is not what is stored, for one kind of write only, so that it goes unnoticed.",
  remedy: "Do not write tables that are subscribed to in the named way, or read the rows again after it.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  uses: { user: 2, service: 1 },
  estimateMs: 1_500,
  estimateRequests: 80,
  timeoutMs: 120_000,
  findings: {
    lostWrite: {
      say: (d: Wrong) =>
        `${d.keys.length} rows were written in a ${d.table} table by ${d.way} and not delivered: ${wordsOf(d)}`,
    },
    eventDiffersFromRow: {
      say: (d: Wrong) =>
        `${d.keys.length} rows written in a ${d.table} table by ${d.way} were delivered differently from what SELECT shows: ${wordsOf(d)}`,
    },
    toldTwice: {
      say: (d: Wrong) =>
        `${d.keys.length} rows written in a ${d.table} table by ${d.way} were delivered twice: ${wordsOf(d)}`,
      risk: "Clients that count or add up what they receive are wrong.",
      remedy: "Apply events by key and row version, so that a duplicate changes nothing.",
    },
    foreignEvent: {
      say: (d: { who: string; events: number; key: string }) =>
        `${d.who} received ${d.events} events of rows that belong to another user, the first of key ${d.key}`,
      risk: "Private data of one customer appears on another customer's screen.",
      remedy: "Do not use EXECUTE AS on USER tables that are subscribed to until this passes.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const user = await target.account("user", "alice");
    const other = await target.account("user", "bob");
    const service = await target.account("service", "writer");
    const { scratch: namespace } = context;
    const source = await sharedTable(target, context, op, `${namespace}.source`, { columns, readers: ["user"] });
    const copied = ways.flatMap((way) => sourceKeys.map((key) => `(${baseOf(way) + key}, 'copied', ${key})`));
    context.need(
      await target.sql(op, `INSERT INTO ${source} (id, v, n) VALUES ${copied.join(", ")}`),
      "the rows to copy could not be inserted",
    );
    const followed: Followed[] = [];
    const bystanders: Bystander[] = [];
    for (const kind of tableKinds) {
      const name = `${kind.toLowerCase()}_rows`;
      const table =
        kind === "USER"
          ? await makeTable(target, context, op, `${namespace}.${name}`, { columns })
          : await sharedTable(target, context, op, `${namespace}.${name}`, { columns, readers: ["user"] });
      const writer = kind === "USER" ? user : service;
      const tried = waysInto(kind);
      context.need(
        await target.sql(writer, `INSERT INTO ${table} (id, v, n) VALUES ${baseRows(tried)}`),
        `the rows of ${table} could not be inserted`,
      );
      const open = async (as: typeof user) =>
        context.need(await follow(target, as, `SELECT * FROM ${table}`), `${table} could not be followed`);
      const { live, subscription } = await open(user);
      const around =
        kind === "USER"
          ? [
              { who: "another user", as: other },
              { who: "the service", as: service },
            ]
          : [];
      const standing = [];
      for (const one of around) standing.push({ ...one, table, ...(await open(one.as)) });
      const place = { table, namespace, name, source, user: user.name };
      followed.push(await writeAll(target, context, { kind, place, writer, service, subscription }, tried));
      for (const one of standing) bystanders.push(await standBy(target, one));
      for (const one of [{ live }, ...standing]) one.live.close();
    }
    const sizes = {
      values: context.size({ light: 1, standard: 4, deep: 20 }),
      largeChars: context.size({ light: 50_000, standard: 200_000, deep: 200_000 }),
    };
    const typed = { op, as: user, table: `${namespace}.typed` };
    followed.push(await writeTyped(target, context, typed, sizes));
    return { followed, bystanders };
  },
  judge({ followed, bystanders }, { found }) {
    for (const { steps, fenced, exchange } of followed) {
      for (const step of steps.filter(({ said }) => isAnswered(said))) {
        const report = (finding: (data: Wrong, shown: object) => void, holds: (one: KeySeen) => boolean): void => {
          const some = keysSeen(step).filter(holds);
          if (some[0] === undefined) return;
          const { table, way, said } = step;
          const first = some[0].wrong ?? `${some[0].events} events`;
          const keys = some.map(({ key }) => key);
          finding({ table, way, keys, first }, { case: `${table}, ${way}`, sent: [exchange, said] });
        };
        report(found.lostWrite, (one) => one.lost && fenced);
        report(found.eventDiffersFromRow, (one) => one.wrong !== null && fenced);
        report(found.toldTwice, (one) => one.repeated);
      }
    }
    for (const { who, foreign, exchange } of bystanders) {
      const [first] = foreign;
      if (first !== undefined)
        found.foreignEvent({ who, events: foreign.length, key: first.key }, { case: who, sent: [exchange] });
    }

    if (followed.length <= tableKinds.length) return unknown("not all tables were written");
    if (!followed.every(({ fenced }) => fenced)) return unknown("the last row of a table was not delivered");
    const steps = followed.flatMap((one) => one.steps);
    for (const step of steps) {
      const why = whyUnclear(step);
      if (why !== undefined) return unknown(`${step.table}, ${step.way}: ${why}`);
    }
    const unfenced = bystanders.find(({ fenced }) => !fenced);
    if (unfenced !== undefined) return unknown(`${unfenced.who} did not receive even a row of its own`);
    if (bystanders.length < bystandersMin)
      return unknown(`only ${bystanders.length} other accounts followed the table`);
    for (const table of tableKinds) {
      const missing = waysInto(table).find(({ name }) => !steps.some((one) => one.table === table && one.way === name));
      if (missing !== undefined) return unknown(`${table}, ${missing.name}: not tried`);
    }
    // What was read twice was written once.
    const done = steps.filter(({ said, way }) => said.kind === "ok" && !way.endsWith(bySnapshot));
    const types = done.filter(({ way }) => way.startsWith("values of ")).length;
    if (types < typesMin)
      return unknown(`values of only ${types} types could be written and read; at least ${typesMin} are needed`);
    return pass(passSentence(steps, done, types));
  },
});

/** `first`: what the first of the keys shows. */
type Wrong = { readonly table: string; readonly way: string; readonly keys: readonly string[]; readonly first: string };

function wordsOf({ keys, first }: Wrong): string {
  return keysText(keys, first);
}

/** Why nothing is known of it; undefined where all of its changes are there, or the server does not have it. */
function whyUnclear(step: Step): string | undefined {
  const { said, isOptional } = step;
  if (!isAnswered(said)) return `it was not answered: ${said.message}`;
  const seen = keysSeen(step).filter(({ key }) => step.plan[key] !== undefined);
  const changed = seen.filter((one) => one.changed).length;
  if (said.kind !== "ok") {
    if (!isOptional) return `it was refused: ${said.message}`;
    return changed === 0 ? undefined : `it was refused, and SELECT shows ${changed} of its changes`;
  }
  return changed < seen.length ? `SELECT shows ${changed} of its ${seen.length} changes` : undefined;
}

function passSentence(steps: readonly Step[], done: readonly Step[], types: number): string {
  const rows = done.flatMap((step) => Object.keys(step.plan)).length;
  const refused = [...new Set(steps.filter(({ said }) => said.kind !== "ok").map(({ way }) => way))];
  return [
    `${rows} rows written in ${done.length - types} ways and with values of ${types} types, all delivered as SELECT shows them`,
    `none of another user's`,
    ...(refused.length === 0 ? [] : [`rejected, so not tried: ${refused.join(", ")}`]),
  ].join("; ");
}
