import { changeFault, frameFault, rowIn } from "../../../src/faults/live.ts";
import { changeRows } from "../../../src/faults/sql.ts";
import type { DeliveredChange } from "../../../src/history/changes.ts";
import type { Write } from "../../../src/history/history.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, yes } from "../../vocabulary/evidence.ts";
import { ready } from "../../vocabulary/opening-evidence.ts";
import { coldChanges, coldSnapshot } from "./cold.ts";
import { snapshotThenChanges } from "./index.ts";
import { early, fence, steps } from "./steps.ts";

type Step = (typeof steps)[number];
const rowOf = ({ key, values }: Step) => ({ id: key, ...values });

/** As the server delivers them: an update leaves its NULL columns out, and carries the old values that changed. */
const changes: DeliveredChange[] = steps.map((step, at) => {
  const before = [...early, ...steps.slice(0, at)].findLast(({ key }) => key === step.key);
  const row = step.kind === "delete" ? null : rowOf(step);
  const was = before === undefined ? null : rowOf(before);
  const changed = Object.entries(was ?? {}).filter(
    ([column, value]) =>
      step.kind === "delete" || column === "id" || (row as Record<string, unknown>)[column] !== value,
  );
  return {
    kind: step.kind,
    row: row === null ? null : Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)),
    old: was === null ? null : Object.fromEntries(changed),
    at,
  };
});

const told = {
  said: yes(),
  address: "ws://127.0.0.1:8080/v1/ws",
  sql: "SELECT * FROM kr_a1b2c_1.life",
  ours: "http://localhost:8080",
  tried: { why: null as string | null, opening: ready() },
};
const writes: Write[] = [...early, ...steps].map((step, at) => ({
  ...step,
  client: 0,
  statement: at + 1,
  dueAt: at,
  invokedAt: at,
  returnedAt: at,
  outcome: "ok",
}));
const sound = {
  told,
  snapshot: early.map(rowOf),
  writes,
  changes,
  table: [["1", "one"] as const, ["2", "two again"] as const, [fence.key, "fence"] as const],
  fenced: true,
  notices: [] as string[],
  exchange: 5,
  cold: {
    why: null as string | null,
    snapshot: coldSnapshot,
    steps: coldChanges.map(({ change }) => ({ change, acknowledged: true, told: ["update"] })),
    fenced: true,
    exchange: 6,
  },
};
const { cold } = sound;
const firstCold = (change: object) => ({
  ...sound,
  cold: { ...cold, steps: cold.steps.map((one, at) => (at === 0 ? { ...one, ...change } : one)) },
});
const replaced = (n: number, change: (one: DeliveredChange) => DeliveredChange[]) => ({
  ...sound,
  changes: changes.flatMap((one, at) => (at === n ? change(one) : [one])),
});

export default proveCheck(snapshotThenChanges, {
  holds: [
    sound,
    { ...sound, told: { ...told, address: "wss://db-1.example.net/v1/ws", tried: null } },
    { ...sound, snapshot: sound.snapshot.toReversed() },
    // Another port, and behind a proxy another path.
    { ...sound, told: { ...told, address: "ws://127.0.0.1:9999/v1/ws" } },
    {
      ...sound,
      told: {
        ...told,
        address: "ws://127.0.0.1:9999/v1/ws",
        ours: "http://localhost:8080/db",
        tried: { why: "404", opening: null },
      },
    },
  ],
  cannotTell: [
    { ...sound, table: null },
    {
      ...sound,
      cold: { ...cold, why: "the flush FL-1 did not complete: running", snapshot: [], steps: [], fenced: false },
    },
    { ...sound, cold: { ...cold, fenced: false } },
    // What the connection did not bring any more is not lost.
    { ...sound, cold: { ...cold, fenced: false, steps: cold.steps.map((one) => ({ ...one, told: [] })) } },
    { ...sound, cold: { ...cold, steps: [] } },
    firstCold({ acknowledged: false, told: [] }),
    { ...sound, fenced: false, changes: [] },
    {
      ...sound,
      writes: writes.map((write, at) => (at === early.length ? { ...write, outcome: "unsure" as const } : write)),
    },
    {
      ...sound,
      told: {
        ...told,
        said: no("INVALID_SQL", "SQL statement is invalid", "parse"),
        address: "",
        sql: "",
        tried: null,
      },
    },
    { ...sound, told: { ...told, tried: { why: null, opening: { ...ready(), kind: "unsure" } } } },
  ],
  breaks: {
    wrongSnapshot: {
      seen: { ...sound, snapshot: sound.snapshot.slice(1) },
      fault: frameFault("holdOneRowBack", () => (message, { pass, fired }) => {
        const { rows } = message;
        if (message["type"] !== "initial_data_batch" || !Array.isArray(rows)) return pass(message);
        fired();
        pass({ ...message, rows: rows.slice(1) as [] });
      }),
    },
    lostChange: {
      seen: replaced(2, () => []),
      fault: changeFault(
        "loseOneUpdate",
        1,
        () => [],
        (message) => rowIn(message)["mark"] === "emptied" && message["change_type"] === "update",
      ),
    },
    wrongChange: {
      seen: replaced(1, (one) => [{ ...one, old: { id: "100", n: 7 } }]),
      fault: changeFault(
        "callAnUpdateAnInsert",
        1,
        (message) => [{ ...message, change_type: "insert" }],
        (message) => message["change_type"] === "update",
      ),
    },
    toldTooSoon: {
      seen: { ...sound, table: sound.table.slice(0, 2) },
      fault: changeRows("tellBeforeItCanBeRead", /^SELECT id, mark FROM \S+\.life/, (rows) =>
        rows.filter((row) => !row.includes("fence")),
      ),
    },
    deadAddress: {
      seen: { ...sound, told: { ...told, address: "ws://localhost:8080/ws", tried: { why: "404", opening: null } } },
      fault: changeRows("tellAnOldAddress", /^SUBSCRIBE TO/, (rows) =>
        rows.map((row) => row.map((cell) => (typeof cell === "string" ? cell.replace("/v1/ws", "/ws") : cell))),
      ),
    },
  },
});
