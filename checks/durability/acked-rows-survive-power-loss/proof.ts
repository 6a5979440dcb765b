import { damagedOthers, from, inOthers, neverStartOthers, traced } from "../../../src/faults/others.ts";
import { changeColumn, changeRows, refuseIt } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { ackedRowsSurvivePowerLoss } from "./index.ts";
import type { Shown } from "./losses.ts";
import { kept, made, type Statement, type Table } from "./workload.ts";

type Row = readonly [id: string, mark: string];
const acked = (ackedAt: number, table: Table, id: number, mark: string | null): Statement => ({
  sentAt: ackedAt - 5,
  ackedAt,
  rows: [{ table, id, mark }],
});
const before = [acked(100, kept, 1, "a"), acked(110, kept, 2, "b"), acked(120, kept, 3, "c")];
const last = { after: "an update", at: 1_220 };
const cuts = [{ after: "an insert", at: 1_050 }, { after: "a flush that was reported completed", at: 1_100 }, last];
const written = {
  statements: [
    acked(1_000, made, 1, "d"),
    acked(1_010, kept, 1, "e"),
    acked(1_020, kept, 2, null),
    acked(1_050, kept, 4, "f"),
    acked(1_200, kept, 5, "g"),
    acked(1_220, kept, 4, "h"),
  ],
  flush: { sentAt: 1_060, completedAt: 1_100 },
  cuts,
};
const shownAs = (table: Table, rows: readonly Row[]): Shown => ({
  table,
  rows,
  why: null,
  cause: null,
  exchange: 7,
  isAnswered: true,
});
const unread = (table: Table, why: string, change: Partial<Shown> = {}): Shown => ({
  ...shownAs(table, []),
  rows: null,
  why,
  ...change,
});
const own = shownAs(made, [["1", "d"]]);
const third: Row = ["3", "c"];
const early = [shownAs(kept, [["1", "e"], third, ["4", "f"]]), own];
const late = [shownAs(kept, [["1", "e"], third, ["4", "h"], ["5", "g"]]), own];
type Shows = readonly Shown[];
type Rows = readonly [Shows, Shows, Shows];
type Failed = { readonly why: string; readonly ended: boolean; readonly words: string };
const started: Failed | null = null;
const roundsOf = (shown: Rows) =>
  cuts.map((cut, at) => ({ cut, unsynced: 2_048, notStarted: started as Failed | null, shown: shown[at] ?? [] }));
const trace = {
  writes: 60,
  bytes: 90_000,
  syncs: 12,
  problem: null as string | null,
  otherwise: [] as readonly string[],
  clockMovedMs: 0,
};
const control = {
  cut: { after: "a kill", at: last.at },
  unsynced: 0,
  notStarted: started as Failed | null,
  shown: late as Shows,
};
const seen = (...shown: Rows) => ({ before, written, trace, control, rounds: roundsOf(shown) });
const sound = seen(early, early, late);
const lateWith = (rows: readonly Row[], table: Shown = own) => seen(early, early, [shownAs(kept, rows), table]);
const end = (words: string, ended = true): Failed => ({ why: "it ended with exit code 1", ended, words });
const failedRounds = (failed: Failed) => sound.rounds.map((round) => ({ ...round, notStarted: failed, shown: [] }));
/** After the one before the trace, the traced one, and that on the folder that the kill left. */
const afterCuts = from(4);
const page = /^SELECT id, mark FROM kr_power\.kept ORDER BY/;

export default proveCheck(ackedRowsSurvivePowerLoss, {
  holds: [
    sound,
    // What was sent after the acknowledgement may be on disk as well.
    seen(late, late, late),
  ],
  cannotTell: [
    { ...sound, trace: { ...trace, problem: "it writes to a file through memory (mmap)" } },
    { ...sound, trace: { ...trace, otherwise: ["rocksdb/000012.log"] } },
    { ...sound, trace: { ...trace, clockMovedMs: 3_600_000 } },
    { ...sound, trace: { ...trace, writes: 0 } },
    { ...sound, trace: { ...trace, syncs: 0 } },
    { ...sound, rounds: [] },
    { ...sound, rounds: sound.rounds.slice(1) },
    { ...sound, rounds: failedRounds(end("", false)) },
    { ...sound, rounds: sound.rounds.map((round) => ({ ...round, shown: [] })) },
    seen(early, early, [unread(kept, "no answer", { isAnswered: false }), own]),
    { ...sound, control: { ...control, notStarted: end("the log is damaged") } },
    { ...sound, control: { ...control, shown: [] } },
    { ...sound, control: { ...control, shown: [unread(kept, "table not found", { cause: "missing" }), own] } },
    { ...sound, control: { ...control, shown: early } },
    { ...sound, control: { ...control, shown: [shownAs(kept, [["7", "z"]]), own] } },
    { ...sound, control: { ...control, shown: [...late, shownAs(made, [["1", "d"]])] } },
  ],
  breaks: {
    lostRows: {
      seen: lateWith([["1", "e"], third, ["4", "h"]]),
      says: /\d of \d+ acknowledged rows are gone, the oldest acknowledged \d+ ms before \(kr_power\.\w+ \d+\)/,
      also: ["lostFlushedRows", "changesUndone", "tableGone"],
      fault: damagedOthers(
        "ackBeforeSync",
        traced,
        changeRows("losesRows", page, (rows) => rows.toSpliced(3, 1)),
        afterCuts,
      ),
    },
    lostFlushedRows: {
      seen: lateWith([
        ["1", "e"],
        ["4", "h"],
        ["5", "g"],
      ]),
      says: /\d of \d+ rows are gone that a completed flush had written/,
      also: ["changesUndone", "lostRows"],
      fault: damagedOthers(
        "leaveSegmentsUnsynced,hideDamage",
        (wanted, nth) => traced(wanted, nth) || afterCuts(wanted, nth),
        changeRows("losesFlushedRows", page, (rows) => rows.slice(5)),
        afterCuts,
      ),
    },
    changesUndone: {
      seen: lateWith([["1", "e"], third, ["4", "f"], ["5", "g"]]),
      says: /\d of \d+ acknowledged updates and deletes are undone, the oldest acknowledged \d+ ms before/,
      fault: damagedOthers(
        "showOlderValue",
        afterCuts,
        changeColumn("showsOlderValues", page, "mark", () => "before 1"),
      ),
      also: ["wrongRows"],
    },
    tableGone: {
      seen: seen(early, early, [late[0] as Shown, unread(made, "kr_power.made not found", { cause: "missing" })]),
      case: "an update",
      fault: damagedOthers(
        "startWithoutTable",
        afterCuts,
        refuseIt("forgetsTheTable", /FROM kr_power\.made/, { message: "table 'kalam.kr_power.made' not found" }),
      ),
    },
    unreadable: {
      seen: seen(early, early, [unread(kept, "Parquet error: EOF"), own]),
      fault: damagedOthers(
        "leaveSegmentsUnsynced",
        traced,
        refuseIt("cannotReadSegments", /FROM kr_power\.kept/, { message: "Execution error: Parquet error: EOF" }),
        afterCuts,
      ),
    },
    wrongRows: {
      seen: lateWith([["1", "e"], third, ["4", "x"], ["5", "g"]]),
      fault: inOthers(
        afterCuts,
        changeColumn("tearsRows", page, "mark", () => "torn"),
      ),
    },
    notStarted: {
      seen: { ...sound, rounds: failedRounds(end("Corruption: MANIFEST is empty")) },
      fault: neverStartOthers("doesNotStart", afterCuts, "Corruption: no meta-nextfile entry in descriptor"),
    },
  },
  mayBeLost: [{ what: /^SELECT/, because: "it is asked again until it is answered, or only a control" }],
});
