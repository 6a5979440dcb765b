import { expect, test } from "vitest";
import { scripted } from "../../../../test/scripted.ts";
import { judged, no, soundFor } from "../../../vocabulary/evidence.ts";
import { prepare, ways, type Step } from "./batches.ts";
import type { Meeting } from "./early.ts";
import { liveQueriesMeetTransactions } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(liveQueriesMeetTransactions, proof);
type Seen = typeof sound;
const events = sound.tables[0]?.steps[0]?.told ?? [];
const [meeting] = sound.meetings;
/** The steps of one way in the USER table, changed. */
const having = (way: string, change: Partial<Step>, fenced = true): Seen => ({
  ...sound,
  tables: sound.tables.map((one, at) =>
    at === 1
      ? one
      : { ...one, fenced, steps: one.steps.map((step) => (step.way === way ? { ...step, ...change } : step)) },
  ),
});
const meetings = (change: (one: Meeting) => Partial<Meeting>, ...more: readonly Partial<Meeting>[]): Seen => ({
  ...sound,
  meetings: [
    ...sound.meetings.map((one) => ({ ...one, ...change(one) })),
    ...more.map((one) => ({ ...(meeting as Meeting), ...one })),
  ],
});
const says = (seen: Seen): string => judged(liveQueriesMeetTransactions, seen).join("\n");
const unshown = { shown: false };
const ofShared = ({ table, way }: Meeting) => (table === "SHARED" && way === "held" ? unshown : {});
const was = (key: string) => ({ kind: "update", key, row: { id: '"1"', v: '"was"' } });
const wrongOnce = events.map((one) => (one.key === "1" ? was("1") : one));
const limited = no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429);

test("how each way must end, and whether it is refused", () => {
  expect(ways.map(({ name, ends, isRefused }) => `${name}: ${ends}${isRefused ? ", refused" : ""}`)).toEqual([
    "committed: committed",
    "rolled back: undone",
    "failed by a duplicate key: undone, refused",
    "failed by a missing column: undone, refused",
    "left open: undone, refused",
    "failed without BEGIN: as shown, refused",
    "one INSERT with a duplicate key: as shown, refused",
  ]);
});

test("what each way sends", () => {
  const writes = [
    "INSERT INTO t (id, v) VALUES (113, 'first')",
    "INSERT INTO t (id, v) VALUES (111, 'one'), (112, 'two')",
    "UPDATE t SET v = 'changed' WHERE id = 101",
    "DELETE FROM t WHERE id = 102",
    "UPDATE t SET v = 'second' WHERE id = 113",
  ].join("; ");
  const count = "SELECT COUNT(*) FROM t";
  const duplicate = "INSERT INTO t (id, v) VALUES (103, 'duplicate')";
  expect(ways.map(({ sql }) => sql("t", 100))).toEqual([
    `BEGIN; ${writes}; COMMIT`,
    `BEGIN; ${writes}; ${count}; ${count}; ${count}; ROLLBACK`,
    `BEGIN; ${writes}; ${duplicate}; COMMIT`,
    `BEGIN; ${writes}; UPDATE t SET absent = 1 WHERE id = 101; COMMIT`,
    `BEGIN; ${writes}; ${count}; ${count}; ${count}`,
    `${writes}; ${duplicate}; INSERT INTO t (id, v) VALUES (114, 'after')`,
    "INSERT INTO t (id, v) VALUES (111, 'one'), (103, 'duplicate'), (112, 'two')",
  ]);
});

test("each way of each round has rows of its own before it", async () => {
  const { target, context, sent } = scripted(() => "done");
  await prepare(target, context, await target.account("user"), "t", 2);
  const keys = [...(sent[0] ?? "").matchAll(/\((\d+), 'was'\)/g)].map(([, key]) => Number(key));
  expect(keys).toEqual(Array.from({ length: 14 }, (_, at) => [1, 2, 3].map((key) => 100 * (at + 1) + key)).flat());
});

test.each([
  [
    "a row that a failed batch left is delivered with another content",
    having("failed without BEGIN", { told: wrongOnce }),
    /^batchDiffers: USER, failed without BEGIN: .*"keys":\["1"\],"first":"column v/,
  ],
  [
    "… and then nothing came",
    having("failed without BEGIN", { told: wrongOnce }, false),
    /^unknown: the last row of the USER/,
  ],
  [
    "one row of a commit has another content",
    having("committed", { told: wrongOnce }),
    /^toldOtherwise: USER, committed: .*"keys":\["1"\]/,
  ],
  ["… and then nothing came", having("committed", { told: wrongOnce }, false), /^unknown: the last row of the USER/],
  [
    "out of order",
    having("committed", { told: events.toReversed() }),
    /^outOfOrder: USER, committed: .*"keys":\["13"\]/,
  ],
  [
    "… and then nothing came",
    having("committed", { told: events.toReversed() }, false),
    /^unknown: the last row of the USER/,
  ],
  [
    "one event of what was rolled back",
    having("rolled back", { told: events.slice(1, 2) }),
    /^toldRolledBack: .*"keys":\["11"\],"first":"1 events"/,
  ],
  [
    "several events of what was rolled back",
    having("rolled back", { told: events }),
    /^toldRolledBack: .*"keys":\["1","2","11","12","13"\]/,
  ],
  [
    "SELECT shows one change of what was rolled back",
    having("rolled back", {
      after: { "1": { id: '"1"' }, "2": { id: '"1"', v: '"was"' }, "3": { id: '"1"', v: '"was"' } },
    }),
    /^unknown: USER, rolled back: SELECT shows 1 of its changes/,
  ],
  [
    "a limit is not the failure that is wanted",
    having("failed without BEGIN", { said: limited }),
    /^unknown: .*it was answered with RATE_LIMIT_EXCEEDED/,
  ],
  [
    "a row that was not written is delivered as it is",
    having("committed", { told: [...events, was("3")] }),
    /^pass: 10 changes of 2 committed transactions/,
  ],
  [
    "the same beside what was rolled back is not counted",
    having("committed", { told: [was("3"), ...events] }),
    /^pass: 10 changes/,
  ],
  [
    "one way was not tried in one table",
    { ...sound, tables: sound.tables.map((one, at) => (at === 1 ? { ...one, steps: one.steps.slice(1) } : one)) },
    /^unknown: not tried: SHARED, committed/,
  ],
  [
    "of one table, two are not shown",
    meetings(ofShared),
    /^toldUncommitted: SHARED: \{"table":"SHARED","times":2,"of":2\}$/,
  ],
  [
    "one that was not delivered does not count",
    meetings(ofShared, { table: "SHARED", delivered: false, shown: false }),
    /^toldUncommitted: SHARED: .*"times":2,"of":2\}$/,
  ],
  [
    "one that was shown counts",
    meetings(ofShared, { table: "SHARED" }),
    /^toldUncommitted: SHARED: .*"times":2,"of":3\}$/,
  ],
  [
    "one whose transaction failed is no case",
    meetings((one) => ({ ...ofShared(one), said: limited })),
    /^unknown: USER: whether .*: slower/,
  ],
  [
    "reads lag only where a row was delivered",
    meetings(ofShared, { way: "plain", delivered: false, shown: false }),
    /^toldUncommitted: SHARED/,
  ],
  ["reads lag", meetings(ofShared, { way: "plain", shown: false }), /^unknown: even without a transaction/],
  [
    "only held rows were not shown early",
    meetings(() => ({}), { way: "held" }),
    /; 5 rows delivered only once SELECT showed them$/,
  ],
] as const)("%s", (_, seen, wanted) => {
  expect(says(seen)).toMatch(wanted);
});
