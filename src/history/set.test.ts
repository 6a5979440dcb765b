import fc from "fast-check";
import { expect, test } from "vitest";
import { after, legalRuns, manyOperations, patient, plans, play, type Plan, veryPatient } from "./legal-histories.ts";
import type { Operation, Values } from "./history.ts";
import { judgeSet, type SetJudgement } from "./set.ts";

type What = { readonly kind: "insert"; readonly key: string; readonly mark: number } | { readonly kind: "read" };

const what: fc.Arbitrary<What> = fc.oneof(
  fc.record({ kind: fc.constant("insert" as const), key: fc.nat(25).map(String), mark: fc.nat() }),
  fc.constant({ kind: "read" as const }),
);

/** A store that refuses keys that it has, and a last read of all. */
function historyOf(plan: Plan<What>): Operation[] {
  const store = new Map<string, Values>();
  const shown = (): Values[] => [...store.values()];
  const played = play(plan, (one) => {
    if (one.kind === "read") return { result: shown() };
    if (store.has(one.key)) return { result: [], refused: true };
    store.set(one.key, { id: one.key, mark: one.mark });
    return { result: [] };
  });
  const operations = played.map(({ what: one, result, ...sent }): Operation =>
    one.kind === "read"
      ? { ...sent, kind: "read", key: null, rows: result }
      : { ...sent, kind: "insert", key: one.key, values: { mark: one.mark } },
  );
  return [...operations, { ...after(played), kind: "read", key: null, rows: shown() }];
}

const histories = plans(what).map(historyOf);

function anomaliesIn({ lost, stale, unexpected, duplicated, changed }: SetJudgement) {
  return { lost, stale, unexpected, duplicated, changed };
}
const none = { lost: [], stale: [], unexpected: [], duplicated: [], changed: [] };

/** The final read with other rows. */
function ending(history: readonly Operation[], change: (rows: readonly Values[]) => readonly Values[]): Operation[] {
  return history.map((one, at) =>
    at === history.length - 1 && one.kind === "read" ? { ...one, rows: change(one.rows ?? []) } : one,
  );
}

function finalRows(history: readonly Operation[]): readonly Values[] {
  const last = history.at(-1);
  return last?.kind === "read" ? (last.rows ?? []) : [];
}

test("no false alarm, and every acknowledged key is counted", patient, () => {
  fc.assert(
    fc.property(histories, (history) => {
      const judged = judgeSet(history, "id");
      expect(anomaliesIn(judged)).toEqual(none);
      expect(judged.acknowledged + judged.recovered).toBe(finalRows(history).length);
      expect(judged.final).toBe(history.at(-1));
    }),
    { numRuns: legalRuns },
  );
});

test("a row that is gone at the end is lost, and only that", patient, () => {
  fc.assert(
    fc.property(histories, fc.nat(), (history, pick) => {
      const known = history.filter((one) => one.kind === "insert" && one.outcome === "ok");
      fc.pre(known.length > 0);
      const key = known[pick % known.length]?.key;
      const judged = judgeSet(
        ending(history, (rows) => rows.filter(({ id }) => id !== key)),
        "id",
      );
      expect(judged.lost.map((write) => write.key)).toEqual([key]);
      expect({ ...anomaliesIn(judged), lost: [] }).toEqual(none);
    }),
  );
});

test("an unsure row that a read has shown must stay", () => {
  const insert = { client: 1, statement: 1, dueAt: 0, invokedAt: 0, returnedAt: 9, outcome: "unsure" } as const;
  const read = (at: number, rows: readonly Values[]): Operation => ({
    ...insert,
    statement: at,
    invokedAt: at,
    returnedAt: at + 1,
    outcome: "ok",
    kind: "read",
    key: null,
    rows,
  });
  const write: Operation = { ...insert, kind: "insert", key: "1", values: { mark: "a" } };
  const row = { id: "1", mark: "a" };
  expect(judgeSet([write, read(20, [row]), read(30, [])], "id").lost).toEqual([write]);
  expect(judgeSet([write, read(20, []), read(30, [row])], "id")).toMatchObject({ lost: [], stale: [], recovered: 1 });
  expect(judgeSet([write, read(20, [row]), read(30, []), read(40, [row])], "id").stale).toMatchObject([
    { read: { invokedAt: 30 } },
  ]);
});

test("a read that lacks a known row is stale", patient, () => {
  fc.assert(
    fc.property(histories, fc.nat(), (history, pick) => {
      const final = history.at(-1);
      const rows = finalRows(history);
      fc.pre(final !== undefined && rows.length > 0);
      const victim = rows[pick % rows.length]?.["id"];
      // One more read before the final one, after everything else.
      const early: Operation = {
        ...final,
        kind: "read",
        key: null,
        rows: rows.filter(({ id }) => id !== victim),
        invokedAt: final.invokedAt - 20,
        returnedAt: final.invokedAt - 10,
      };
      const judged = judgeSet([...history, early], "id");
      const isKnown = history.some((one) =>
        one.kind === "read"
          ? one !== final && one.rows?.some(({ id }) => id === victim)
          : one.key === victim && one.outcome === "ok",
      );
      expect(judged.stale.map(({ write, read }) => [write.key, read])).toEqual(isKnown ? [[victim, early]] : []);
      expect({ ...anomaliesIn(judged), stale: [] }).toEqual(none);
    }),
  );
});

test("rows that nobody wrote, that come twice or that changed are named", patient, () => {
  fc.assert(
    fc.property(histories, fc.nat(), (history, pick) => {
      const strange = { id: "999", mark: 1 };
      const withStrange = judgeSet(
        ending(history, (rows) => [...rows, strange]),
        "id",
      );
      expect(anomaliesIn(withStrange)).toEqual({ ...none, unexpected: [{ row: strange, read: expect.anything() }] });

      const rows = finalRows(history);
      const victim = rows[pick % Math.max(1, rows.length)];
      fc.pre(victim !== undefined);
      const twice = judgeSet(
        ending(history, () => [...rows, victim]),
        "id",
      );
      expect(anomaliesIn(twice)).toEqual({
        ...none,
        duplicated: [{ key: victim["id"], times: 2, read: expect.anything() }],
      });

      const changed = judgeSet(
        ending(history, () => rows.map((row) => (row === victim ? { ...row, mark: -1 } : row))),
        "id",
      );
      expect(anomaliesIn(changed)).toMatchObject({ ...none, changed: [{ write: { key: victim["id"] } }] });
    }),
  );
});

test("a refused row must not show, and none before it was sent", () => {
  const sent = { client: 1, statement: 1, dueAt: 0, invokedAt: 10, returnedAt: 19 } as const;
  const read: Operation = {
    ...sent,
    invokedAt: 30,
    returnedAt: 31,
    outcome: "ok",
    kind: "read",
    key: null,
    rows: [{ id: 1, mark: "a" }],
  };
  const write: Operation = { ...sent, outcome: "refused", kind: "insert", key: "1", values: { mark: "a" } };
  expect(judgeSet([write, read], "id").unexpected).toHaveLength(1);
  expect(
    judgeSet(
      [
        { ...write, outcome: "ok" },
        { ...read, invokedAt: 1, returnedAt: 2 },
      ],
      "id",
    ).unexpected,
  ).toHaveLength(1);
  expect(judgeSet([{ ...write, outcome: "ok" }, read], "id")).toMatchObject(none);
});

test("a hundred thousand operations are judged, and the one that is wrong is found", veryPatient, () => {
  const reads = 50;
  const inserts = Array.from({ length: manyOperations - reads }, (_, n): Operation => ({
    client: n % 10,
    statement: n,
    dueAt: n,
    invokedAt: n,
    returnedAt: n + 9,
    outcome: n % 100 === 7 ? "unsure" : "ok",
    kind: "insert",
    key: String(n),
    values: { mark: n },
  }));
  const rows = inserts.map((_, n) => ({ id: String(n), mark: n }));
  const views = Array.from({ length: reads }, (_, n): Operation => {
    const at = ((n + 1) * inserts.length) / reads + 20;
    const shown = n === reads - 1 ? rows.filter(({ mark }) => mark !== 50_000) : rows.slice(0, Math.floor(at));
    return { ...after([]), kind: "read", key: null, rows: shown, statement: -n, invokedAt: at, returnedAt: at + 1 };
  });
  const judged = judgeSet([...inserts, ...views], "id");
  expect(judged.lost.map(({ key }) => key)).toEqual(["50000"]);
  expect({ ...anomaliesIn(judged), lost: [] }).toEqual(none);
});
