/** What observers of restarts send, in which order, and that each of their answers counts. */
import { describe, expect, test } from "vitest";
import { ackedRowsSurviveKill } from "./acked-rows-survive-kill/index.ts";
import { alteredRowsKeepValues } from "./altered-rows-keep-values/index.ts";
import { crashLoopSurvived } from "./crash-loop-survived/index.ts";
import { hotAndColdAgree } from "./hot-and-cold-agree/index.ts";
import { lastValueSurvivesKill } from "./last-value-survives-kill/index.ts";
import { manyFlushesStayWhole } from "./many-flushes-stay-whole/index.ts";
import { rowsSurviveRestart } from "./rows-survive-restart/index.ts";
import { schemaSurvivesRestart } from "./schema-survives-restart/index.ts";
import { watch, type Changes } from "./stand-in.ts";

describe("statements in their order", () => {
  test("three flushes, a restart, and one flush more", async () => {
    const { steps } = await watch(manyFlushesStayWhole);
    const round = ["INSERT INTO flushed", "STORAGE FLUSH TABLE flushed"];
    const read = ["SELECT id, mark FROM flushed", "SELECT id, mark FROM flushed WHERE id > 30"];
    expect(steps).toEqual([
      "CREATE TABLE flushed",
      ...round,
      ...round,
      ...round,
      "STOP",
      "START",
      ...read,
      "INSERT INTO flushed",
      "INSERT INTO flushed",
      "STORAGE FLUSH TABLE flushed",
      "SELECT id, mark FROM flushed",
      "SELECT id, mark FROM flushed WHERE id > 31",
    ]);
  });

  test("changes of flushed rows, a stop and a kill", async () => {
    const { steps } = await watch(hotAndColdAgree);
    const read = ["SELECT id, mark FROM mixed", "SELECT id, mark FROM mixed WHERE id > 25"];
    expect(steps).toEqual([
      "CREATE TABLE mixed",
      "INSERT INTO mixed",
      "STORAGE FLUSH TABLE mixed",
      "INSERT INTO mixed",
      ...["2", "5", "11"].map((id) => `UPDATE mixed SET mark = 'new ${id}' WHERE id = ${id}`),
      ...["3", "7", "15"].map((id) => `DELETE FROM mixed WHERE id = ${id}`),
      ...read,
      "STOP",
      "START",
      ...read,
      "KILL",
      "START",
      ...read,
    ]);
  });

  test("five inserts, an update and one in flight before each of six kills", async () => {
    const { steps } = await watch(crashLoopSurvived);
    const rounds = steps.slice(1, -2).map((one) => one.split(" ")[0]);
    const insert = Array.from({ length: 5 }, () => "INSERT");
    const round = [...insert, "UPDATE", "INSERT", "KILL", "START"];
    expect(rounds).toEqual([round, round, round, round, round, round].flat());
  });

  test("clients of both tables, each with an account of its own and its own keys", async () => {
    const { sentLike } = await watch(ackedRowsSurviveKill);
    const [users, services] = [
      sentLike(/^user client \d: INSERT INTO kr_1\.own_1 /),
      sentLike(/^service client \d: INSERT INTO kr_1\.shared_1 /),
    ];
    const who = (sent: readonly string[]) =>
      [...new Set(sent.map((one) => /client (\d)/.exec(one)?.[1] ?? ""))].toSorted(
        (one, other) => Number(one) - Number(other),
      );
    expect([who(users), who(services)]).toEqual([
      ["0", "1", "2", "3"],
      ["0", "1", "2", "3"],
    ]);
    expect(sentLike(/INSERT/)).toHaveLength(users.length + services.length);
    expect(sentLike(/^user client \d: SELECT id, mark FROM kr_1\.own_1 ORDER/)).toHaveLength(4);
    expect(sentLike(/^dba: SELECT id, mark FROM kr_1\.shared_1 ORDER/)).toHaveLength(1);
  });

  test("each client first deletes one row and updates another, which it then leaves alone", async () => {
    const { sentLike } = await watch(lastValueSurvivesKill);
    const first = sentLike(/^service client 3: /).map((one) =>
      one.slice("service client 3: ".length, "service client 3: ".length + 6),
    );
    expect(first.slice(0, 10)).toEqual([
      "INSERT",
      "DELETE",
      "INSERT",
      "UPDATE",
      "INSERT",
      "INSERT",
      "INSERT",
      "UPDATE",
      "UPDATE",
      "UPDATE",
    ]);
    expect(sentLike(/client 3: .*(id = |VALUES \()39[01]\b/)).toHaveLength(4);
  });
});

test.each([
  [manyFlushesStayWhole, /VALUES \(31, /, "rule", /^cannotWriteAgain: \{"what":"an insert","told":"rule"\}$/],
  [manyFlushesStayWhole, /VALUES \(31, /, "silence", /^unknown: the insert after the restart was not answered/],
  [manyFlushesStayWhole, /'again'/, "done", /^coldKeyDoubled: /],
  [manyFlushesStayWhole, /'again'/, "silence", /^unknown: the insert of a key in cold storage was not answered/],
  [manyFlushesStayWhole, /^STORAGE FLUSH/, "rule", /^unknown: the flush could not be started: 400 rule$/],
  [hotAndColdAgree, /^STORAGE FLUSH/, "silence", /^unknown: the flush could not be started: no answer no answer$/],
  [hotAndColdAgree, /^SELECT id, mark/, "silence", /^unknown: the rows could not be read: kr_1\.mixed: no answer$/],
  [
    alteredRowsKeepValues,
    /^STORAGE FLUSH TABLE \S+own/,
    "rule",
    /^unknown: the USER table: the flush could not be started: 400 NO rule$/,
  ],
  [
    alteredRowsKeepValues,
    /^SELECT id, kept, was/,
    "silence",
    /^unknown: the USER table could not be read after ADD COLUMN$/,
  ],
  [
    rowsSurviveRestart,
    /^SELECT id, mark.*own/,
    "silence",
    /^unknown: the rows could not be read: kr_1\.own: no answer$/,
  ],
  [crashLoopSurvived, /^SELECT id, mark/, "silence", /^unknown: the rows could not be read: kr_1\.looped: no answer$/],
  [crashLoopSurvived, /^INSERT/, "rule", /^unknown: no row was acknowledged$/],
  [lastValueSurvivesKill, /^SELECT id, mark/, "silence", /^unknown: kr_1\.changed_1: no answer$/],
  [
    ackedRowsSurviveKill,
    /^SELECT id, mark/,
    "silence",
    /^unknown: the rows could not be read after the start: kr_1\.own_1: no answer$/,
  ],
] as const)("$id where %s is answered with %s", async (check, pattern, said, expected) => {
  expect((await watch(check, { answer: (sql) => (pattern.test(sql) ? said : undefined) })).verdict).toMatch(expected);
});

describe("ALTER TABLE", () => {
  const only = (sql: string, said: "rule" | "done") => ({
    answer: (text: string) => (text.includes(sql) ? said : undefined),
  });
  test("half of the rows are flushed before the changes, and each change is followed by a look", async () => {
    const { steps } = await watch(alteredRowsKeepValues);
    expect(steps.filter((one) => one.includes("shared"))).toEqual([
      "CREATE TABLE shared",
      "INSERT INTO shared",
      "STORAGE FLUSH TABLE shared",
      "INSERT INTO shared",
      "ALTER TABLE shared ADD COLUMN added TEXT",
      "SELECT id, kept, was, added FROM shared",
      "ALTER TABLE shared RENAME COLUMN was TO renamed",
      "SELECT id, kept, renamed, added FROM shared",
      "ALTER TABLE shared DROP COLUMN gone",
      "SELECT id, kept, renamed, added FROM shared",
      "ALTER TABLE shared ADD COLUMN gone TEXT",
      "SELECT id, kept, renamed, added, gone FROM shared",
    ]);
  });

  test("a change that is refused ends them, and one that loses a column is looked at twice", async () => {
    expect((await watch(alteredRowsKeepValues, only("own RENAME", "rule"))).verdict).toBe(
      "unknown: RENAME COLUMN of the USER table: rule",
    );
    const { verdict, steps } = await watch(alteredRowsKeepValues, only("own RENAME", "done"));
    expect(verdict).toBe(
      'lostValues: RENAME COLUMN USER: {"change":"RENAME COLUMN","type":"USER","column":"renamed","lost":10,"of":10,"where":"5 flushed, 5 not","first":"id 1: NULL instead of v1"}',
    );
    expect(steps.filter((one) => one === "SELECT id, kept, renamed, added FROM own")).toHaveLength(4);
  });
});

describe("a schema", () => {
  /** As a server that enforces the rules, unless `forgets` is part of the statement after the restart. */
  const enforcing = (forgets = "never", isDefault = true): Changes => {
    let isRestarted = false;
    const breaks = (sql: string) => /, NULL\)|'again'|'seven'/.test(sql) && !(isRestarted && sql.includes(forgets));
    return {
      onStart: () => (isRestarted = true) as never,
      answer: (sql) =>
        breaks(sql) ? "constraint" : sql.startsWith("SELECT level") ? [{ level: isDefault ? 7 : 8 }] : undefined,
    };
  };
  test.each([
    [enforcing(), /^pass: 3 descriptions of the table the same, 3 rules and a default enforced/],
    [enforcing(", NULL)"), /^ruleForgotten: NOT NULL: /],
    [enforcing("'seven'"), /^ruleForgotten: the type of a column: /],
    [enforcing("never", false), /^ruleForgotten: DEFAULT: .* level 8, expected 7/],
    [
      { answer: (sql: string) => (sql.startsWith("SELECT level") ? [{ level: 7 }] : undefined) },
      /^unknown: NOT NULL was not enforced before the restart either/,
    ],
  ])("%#: is enforced or not", async (changes, expected) => {
    const { verdict, steps } = await watch(schemaSurvivesRestart, changes);
    expect(verdict).toMatch(expected);
    const insert = "INSERT INTO described";
    expect(steps).toEqual([
      "CREATE TABLE described",
      "ALTER TABLE described ADD COLUMN note TEXT",
      insert,
      "DESCRIBE TABLE described",
      insert,
      insert,
      insert,
      "STOP",
      "START",
      "DESCRIBE TABLE described",
      insert,
      insert,
      insert,
      insert,
      "SELECT level FROM described WHERE id = 2 LIMIT 2",
    ]);
  });

  test("a description that is not answered shows nothing", async () => {
    const { answer, ...changes } = enforcing();
    const silent: Changes = {
      ...changes,
      answer: (sql, as) => (sql.startsWith("DESCRIBE") ? "silence" : answer?.(sql, as)),
    };
    expect((await watch(schemaSurvivesRestart, silent)).verdict).toBe(
      "unknown: DESCRIBE TABLE was not answered: timeout: no answer",
    );
  });

  test("another description after the restart is told, with the place", async () => {
    for (const [place, sql] of [
      ["DESCRIBE TABLE", "DESCRIBE"],
      ["system.tables", "FROM system.tables"],
      ["system.schemas", "FROM system.schemas"],
    ] as const) {
      let rows = [{ said: "before" }];
      const changes = { ...enforcing(), onStart: () => void (rows = [{ said: "after" }]) };
      const { answer } = changes;
      const { verdict } = await watch(schemaSurvivesRestart, {
        ...changes,
        answer: (text, as) => (text.includes(sql) ? rows : answer?.(text, as)),
      });
      expect(verdict).toBe(
        `schemaChanged: ${place}: {"place":"${place}","before":"[{\\"said\\":\\"before\\"}]","after":"[{\\"said\\":\\"after\\"}]"}`,
      );
    }
  });
});
