/** What the observers of restarts send and keep, against tables in memory. */
import { describe, expect, test } from "vitest";
import { ackedRowsSurviveKill } from "./acked-rows-survive-kill/index.ts";
import { alteredRowsKeepValues } from "./altered-rows-keep-values/index.ts";
import { batchSurvivesWhole } from "./batch-survives-whole/index.ts";
import { crashInFlushHarmless } from "./crash-in-flush-harmless/index.ts";
import { crashLoopSurvived } from "./crash-loop-survived/index.ts";
import { flushChangesNothing } from "./flush-changes-nothing/index.ts";
import { flushedRowsSurviveRestart } from "./flushed-rows-survive-restart/index.ts";
import { hotAndColdAgree } from "./hot-and-cold-agree/index.ts";
import { lastValueSurvivesKill } from "./last-value-survives-kill/index.ts";
import { manyFlushesStayWhole } from "./many-flushes-stay-whole/index.ts";
import { rowsSurviveRestart } from "./rows-survive-restart/index.ts";
import { watch, type Changes } from "./stand-in.ts";

type Rows = Parameters<NonNullable<Changes["onStart"]>>[0];

/** Loses the first row of a table in the restart, or changes it. */
const onFirst = (table: RegExp, change?: Readonly<Record<string, string>>) => ({
  onStart(tables: Rows) {
    const rows = [...tables].find(([name]) => table.test(name))?.[1] ?? new Map();
    const [id = "", row = {}] = [...rows][0] ?? [];
    if (change === undefined) rows.delete(id);
    else rows.set(id, { ...row, ...change });
  },
});

describe("all is well", () => {
  test.each([
    [ackedRowsSurviveKill, /^pass: \d+ acknowledged rows, all there; 8 writes in flight at the kills, 0 of them took/],
    [alteredRowsKeepValues, /^pass: 20 rows of 2 tables, half of them flushed/],
    [batchSurvivesWhole, /^pass: \d+ acknowledged transactions and \d+ inserts of 500 rows whole, and 6 in flight/],
    [crashInFlushHarmless, /^pass: 2 kills, 1 in a flush \(\d+ ms after its start\), 1 in a compaction .*: 14 queries/],
    [crashLoopSurvived, /^pass: 6 kills \(SIGKILL\): 30 acknowledged rows, all there/],
    [flushChangesNothing, /^pass: 22 rows of the SHARED table \(11 queries\) and 22 rows of the USER table/],
    [flushedRowsSurviveRestart, /^pass: 20 rows in a segment, the same after the restart.*; stopped \(SIGTERM\)/],
    [hotAndColdAgree, /^pass: 22 rows .*; 2 times stopped \(SIGTERM\) and killed \(SIGKILL\)/],
    [lastValueSurvivesKill, /^pass: \d+ keys show their last acknowledged change, .* 6 in flight at the kills/],
    [manyFlushesStayWhole, /^pass: 30 rows of 3 flushes once each/],
    [rowsSurviveRestart, /^pass: 15 rows of 3 readers the same; 2 passwords work; stopped \(SIGTERM\)/],
  ] as const)("$id passes", async (check, expected) => {
    expect((await watch(check)).verdict).toMatch(expected);
  });
});

describe("a restart", () => {
  test.each([
    ["stops", {}, ["STOP", "START"], /^pass: /],
    ["is killed where it does not stop", { stops: false }, ["STOP", "KILL", "START"], /^pass: /],
    ["is started twice", { starts: ["late"] }, ["STOP", "START", "KILL", "START"], /^pass: /],
    [
      "does not start",
      { starts: ["ended", "ended"] },
      ["STOP", "START", "KILL", "START"],
      /^unknown: the server did not start again after it was stopped: ended: its last words$/,
    ],
    ["is none", { sameProcess: true }, ["STOP", "START"], /^unknown: nothing shows that the server was restarted/],
    [
      "answers nothing",
      { answer: (sql: string) => (sql.includes(" AS up") ? "silence" : undefined) },
      ["STOP", "START"],
      /^unknown: no query was answered within 30 s/,
    ],
  ] as const)("that %s", async (_, changes, expected, verdict) => {
    const seen = await watch(flushedRowsSurviveRestart, changes);
    expect(seen.steps.filter((one) => /^[A-Z]+$/.test(one))).toEqual(expected);
    expect(seen.verdict).toMatch(verdict);
  });

  test.each([
    [["ended", "ended"], /^doesNotStart: /],
    [["ended", "late"], /^unknown: the server did not start again after it was killed: late: its last words$/],
    [["late", "ended"], /^unknown: the server did not start again after it was killed: ended: its last words$/],
  ] as const)("after a kill ends by itself only where both starts do: %s", async (starts, verdict) => {
    expect((await watch(ackedRowsSurviveKill, { starts })).verdict).toMatch(verdict);
  });

  test.each([
    [crashLoopSurvived, 1],
    [hotAndColdAgree, 0],
    [crashInFlushHarmless, 1],
    [lastValueSurvivesKill, 1],
    [batchSurvivesWhole, 1],
  ] as const)("$id ends where the server does not start", async (check, kills) => {
    const { verdict, steps } = await watch(check, { starts: ["ended", "ended"] });
    expect(verdict).toMatch(/^unknown: (round 1: )?the server did not start again/);
    // One more between the two starts.
    expect(steps.filter((one) => one === "KILL")).toHaveLength(kills + 1);
  });
});

describe("what is lost or changed", () => {
  test.each([
    [flushedRowsSurviveRestart, onFirst(/flushed/), /^lostRows: \{"lost":1,"of":20,"keys":\["1"\],"count":"19"\}$/],
    [
      flushedRowsSurviveRestart,
      onFirst(/flushed/, { amount: "7" }),
      /^changedRows: \{"rows":1,"first":\{"key":"1","column":"amount"/,
    ],
    [
      hotAndColdAgree,
      onFirst(/mixed/),
      /^lostRows: after a stop: .*"keys":\["1"\]\}\nlostRows: after a kill: .*"keys":\["1","2"\]\}$/,
    ],
    [
      manyFlushesStayWhole,
      onFirst(/flushed/),
      /^lostRows: \{"when":"after the restart","lost":1,"of":30,"keys":\["1"\]\}\ncoldKeyDoubled/,
    ],
    [
      rowsSurviveRestart,
      onFirst(/own of user bob/),
      /^lostRows: \{"owner":"bob","table":"USER","lost":1,"of":5,"keys":\["1"\]\}$/,
    ],
    [rowsSurviveRestart, onFirst(/own of user alice/), /^lostRows: \{"owner":"alice","table":"USER"/],
    [rowsSurviveRestart, onFirst(/shared/), /^lostRows: \{"owner":"shared","table":"SHARED"/],
    [
      rowsSurviveRestart,
      onFirst(/own of user bob/, { made: "now" }),
      /^changedRows: \{"owner":"bob",.*"column":"made","expected":"NULL","shown":"now"/,
    ],
    [
      rowsSurviveRestart,
      onFirst(/own of user bob/, { mark: "alice-1" }),
      /^crossedUsers: \{"reader":"bob","marks":\["alice-1"\]\}$/,
    ],
    [
      rowsSurviveRestart,
      { logins: (name: string) => !name.includes("bob") },
      /^accountsLost: the password: \{"owner":"bob",/,
    ],
    [
      ackedRowsSurviveKill,
      onFirst(/own_1 of user client 2/),
      /^lostRows: \{"round":1,"table":"USER","lost":1,.*"missing":false,"keys":\["2000000"\]\}$/,
    ],
    [ackedRowsSurviveKill, onFirst(/shared_1/), /^lostRows: \{"round":1,"table":"SHARED","lost":1,/],
    [
      ackedRowsSurviveKill,
      onFirst(/shared_1/, { mark: "x" }),
      /^strangeRows: \{"round":1,"table":"SHARED","rows":1,"sample":\["\d+ has other values"\]\}$/,
    ],
    [
      batchSurvivesWhole,
      onFirst(/batches_1/),
      /^tornBatch: (transaction|insert): \{"round":1,.*"outcome":"ok","there":(1|499),"rows":(2|500),"torn":1\}$/,
    ],
    [crashLoopSurvived, onFirst(/looped/), /^lostRows: \{"kills":6,"lost":6,"of":30,/],
    [lastValueSurvivesKill, onFirst(/changed_1/), /^olderValue: \{"round":1,"rows":1,.*"shown":"no row"\}$/],
    [
      lastValueSurvivesKill,
      onFirst(/changed_1/, { mark: "older" }),
      /^olderValue: \{"round":1,"rows":1,.*"shown":"older"\}$/,
    ],
    [
      crashInFlushHarmless,
      onFirst(/crashed_2/),
      /^lostRows: compaction, after the start: \{"round":2,"kind":"compaction"/,
    ],
  ] as const)("$id, %#: is told", async (check, changes, expected) => {
    expect((await watch(check, changes)).verdict).toMatch(expected);
  });

  test("a table that is gone after a kill has lost all its rows", async () => {
    let isGone = false;
    const changes: Changes = {
      onStart: () => (isGone = true) as never,
      answer: (sql) => (isGone && sql.startsWith("SELECT id, mark") ? "missing" : undefined),
    };
    for (const [check, expected] of [
      [
        ackedRowsSurviveKill,
        /^lostRows: \{"round":1,"table":"USER",.*"missing":true,.*\nlostRows: .*"SHARED".*"missing":true/,
      ],
      [batchSurvivesWhole, /^tornBatch: transaction: .*\ntornBatch: insert: /],
      [lastValueSurvivesKill, /^olderValue: .*"shown":"no row"\}$/],
      [crashLoopSurvived, /^lostRows: \{"kills":6,"lost":30,"of":30/],
      [manyFlushesStayWhole, /^lostRows: \{"when":"after the restart","lost":30/],
      [hotAndColdAgree, /^lostRows: after a stop: .*"lost":22,/],
    ] as const) {
      isGone = false;
      expect((await watch(check, changes)).verdict).toMatch(expected);
    }
  });
});
