import { changeRows, claimSuccess, refuseIt, rewordRefusal, sqlFault } from "../../../src/faults/sql.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { dropMissingTableRefused } from "./index.ts";
import type { Recreated } from "./recreation.ts";

const denied = no("PERMISSION_DENIED", "Insufficient privileges to drop this table", "permission", 403);
const notFound = no("SQL_EXECUTION_ERROR", "Not found: Table 'missing' not found", "missing");
const read = (...keys: string[]) => ({ keys: keys as readonly string[] | null, said: yes() });
const recreated = ["USER", "SHARED", "STREAM"].map((type): Recreated => ({
  type,
  before: read("1", "2", "3"),
  cold: type === "STREAM" ? null : 2,
  steps: [yes(), yes(), yes(), yes(), yes()],
  dropped: { keys: null, said: notFound },
  again: read(),
  byOldKey: read(),
  inserted: yes(),
  withNew: read("1", "4"),
  flushedNew: read("1", "4"),
  unflushed: null as string | null,
}));
const sound = {
  ns: "kr_a1b2c_1",
  no: "kr_a1b2c_1_nowhere",
  before: '[["closed"]]' as string | null,
  after: '[["closed"]]' as string | null,
  dropped: ["a", "b", "c", "d"].map((name) => ({ case: name, said: notFound })),
  idempotent: ["DROP TABLE IF EXISTS a", "DROP TABLE IF EXISTS b"].map((name) => ({ case: name, said: yes() })),
  compared: ["user", "service"].flatMap((role) =>
    ["a", "b", "c", "d"].map((name) => ({ case: name, role, there: denied, missing: denied })),
  ),
  control: yes(),
  recreated,
  wanted: 8,
};
/** As at light effort. */
const light = {
  ...sound,
  compared: sound.compared.slice(0, 6),
  wanted: 6,
};
const firstPair = (change: object) => ({
  ...sound,
  compared: sound.compared.map((one, at) => (at === 0 ? { ...one, ...change } : one)),
});
const again = (type: string, change: Partial<Recreated>) => ({
  ...sound,
  recreated: recreated.map((one) => (one.type === type ? { ...one, ...change } : one)),
});
const unread = { keys: null, said: nothing() };

/** Acknowledges the DROP and the second CREATE of the SHARED table, and executes neither. */
function keepWhatIsDropped(): Fault {
  let dropped = false;
  return sqlFault("keepWhatIsDropped", (sql) => {
    const drops = /^DROP TABLE \S+\.again_shared$/.test(sql);
    if (!drops && !(dropped && /^CREATE TABLE \S+\.again_shared /.test(sql))) return undefined;
    dropped = true;
    return Promise.resolve({ status: 200, body: { status: "success", results: [{ row_count: 0 }], took: 1 } });
  });
}

export default proveCheck(dropMissingTableRefused, {
  holds: [
    sound,
    light,
    firstPair({ there: { ...denied, message: "closed: no" }, missing: { ...denied, message: "missing: no" } }),
  ],
  cannotTell: [
    { ...sound, before: null },
    { ...sound, after: "[]" },
    { ...sound, control: nothing() },
    { ...sound, dropped: [] },
    { ...sound, dropped: sound.dropped.map((one) => ({ ...one, said: nothing() })) },
    { ...sound, idempotent: sound.idempotent.map((one) => ({ ...one, said: nothing() })) },
    { ...sound, compared: [] },
    again("USER", { unflushed: "STORAGE FLUSH TABLE: no answer" }),
    firstPair({ there: nothing() }),
    firstPair({ there: notFound, missing: notFound }),
    { ...sound, recreated: [] },
    { ...light, compared: light.compared.slice(1) },
    again("USER", { before: read("1") }),
    again("USER", { cold: null }),
    // The drop failed, so the old rows are expected.
    again("USER", { steps: [yes(), yes(), yes(), nothing()], again: read("1", "2", "3") }),
    again("USER", { dropped: { keys: null, said: nothing() } }),
    again("USER", { again: unread }),
    again("USER", { flushedNew: unread }),
    again("USER", { inserted: nothing() }),
  ],
  breaks: {
    accepted: {
      seen: { ...sound, dropped: sound.dropped.map((one, at) => (at === 0 ? { ...one, said: yes() } : one)) },
      fault: claimSuccess("dropWhatIsNotThere", /^DROP USER TABLE \S+\.missing$/),
    },
    refusedIfExists: {
      seen: { ...sound, idempotent: [{ case: "DROP TABLE IF EXISTS a", said: notFound }] },
      fault: refuseIt("ignoreIfExists", /^DROP TABLE IF EXISTS \S+_nowhere\.missing$/, {
        message: "Statement 1 failed: Not found: Table 'missing' not found",
      }),
    },
    toldExistence: {
      seen: firstPair({ missing: notFound }),
      fault: rewordRefusal(
        "tellWhatThereIs",
        /^DROP TABLE (IF EXISTS )?\S+\.closed$/,
        (message) => `${message} (3 rows)`,
      ),
    },
    oldRowsBack: {
      seen: again("STREAM", { again: read("1", "2", "3") }),
      fault: keepWhatIsDropped(),
    },
    newRowsLost: {
      seen: again("USER", { flushedNew: read("4") }),
      fault: changeRows("loseANewRow", /^SELECT id FROM \S+\.again_user ORDER BY/, (rows) =>
        rows.some(([id]) => id === "4") ? rows.filter(([id]) => id !== "4") : undefined,
      ),
    },
  },
  mayBeLost: [{ what: /system\.manifest/, because: "one of several looks until the rows are in segments" }],
});
