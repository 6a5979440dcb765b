import { errorBody, sqlFault } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { largeBatchAtomic } from "./index.ts";
import type { Stored } from "./stored.ts";

const whole = (count: number, change: Partial<Stored> = {}): Stored => ({
  count,
  present: ["1"],
  missing: [],
  changed: [],
  changedCount: 0,
  exchanges: [],
  ...change,
});
type Skipped = { kind: string; rows: number; smaller: number; tookMs: number };
const none = whole(0, { present: [], missing: ["1"] });
const refusal = no("SQL_EXECUTION_ERROR", "primary key violation", "constraint");
const good = (kind: string, rows: number, change: object = {}) => ({
  kind,
  rows,
  flaw: null as "null" | "key" | null,
  said: yes(),
  counted: rows as number | null,
  stored: whole(rows) as Stored | null,
  tookMs: 40,
  ...change,
});
const bad = (kind: string, rows: number, flaw: "null" | "key", change: object = {}) =>
  good(kind, rows, { flaw, said: refusal, counted: null, stored: none, ...change });
const tried = ["USER", "SHARED"].flatMap((kind) =>
  [100, 1_000].flatMap((rows) => [good(kind, rows), bad(kind, rows, "null"), bad(kind, rows, "key")]),
);
const seen = (...last: typeof tried) => ({
  wanted: 12 + last.length,
  tried: [...tried, ...last],
  skipped: [] as Skipped[],
});

export default proveCheck(largeBatchAtomic, {
  holds: [
    seen(),
    seen(good("USER", 10_000)),
    { ...seen(), wanted: 13, skipped: [{ kind: "USER", rows: 3_000, smaller: 1_000, tookMs: 1_700 }] },
  ],
  cannotTell: [
    { wanted: 0, tried: [], skipped: [] },
    { ...seen(), tried: tried.slice(1) },
    { ...seen(), wanted: 6, tried: tried.filter(({ rows }) => rows === 100) },
    seen(good("USER", 10_000, { stored: null })),
    // An unanswered batch may still be on its way into the table.
    seen(good("USER", 10_000, { said: nothing(), counted: null, stored: whole(4_000) })),
    seen(bad("USER", 10_000, "null", { said: nothing(), stored: whole(4_000) })),
    seen(good("USER", 10_000, { said: no("INVALID_SQL", "too long", "limit"), counted: null, stored: none })),
    seen(good("USER", 10_000, { counted: 9_999 })),
    seen(bad("USER", 10_000, "null", { said: yes(), stored: whole(10_000) })),
    seen(bad("USER", 10_000, "key", { said: yes(), stored: whole(9_999) })),
  ],
  breaks: {
    partial: {
      seen: seen(bad("USER", 1_000, "null", { stored: whole(500) })),
      // A server that writes blocks of 512 rows: only the last block, with the bad row, is undone.
      fault: sqlFault("undoOnlyTheLastBlock", async (sql, _, exchange) => {
        const rows = /^(INSERT INTO \S+ \(id, v\) VALUES )(.*), \(1, 'again'\)$/.exec(sql);
        const all = rows?.[2]?.split("), ") ?? [];
        if (all.length < 512) return undefined;
        await exchange(`${rows?.[1] ?? ""}${all.slice(0, 512).join("), ")})`);
        return {
          status: 400,
          body: errorBody("SQL_EXECUTION_ERROR", "Primary key violation: value '1' already exists"),
        };
      }),
    },
    lostRows: {
      seen: seen(good("USER", 1_000, { stored: whole(999, { missing: ["1000"] }) })),
      // Acknowledged with the full count, stored without the last row.
      fault: sqlFault("storeAllButTheLastRow", async (sql, _, exchange) => {
        if (!/^INSERT INTO \S+ \(id, v\) VALUES .*'r\d+999 x*'\)$/.test(sql) || sql.includes("NULL")) return undefined;
        const said = await exchange(sql.replace(/, \([^(]*\)$/, ""));
        if (said === undefined) return undefined;
        return { ...said, body: JSON.stringify(said.body).replace('"row_count":999', '"row_count":1000') };
      }),
    },
  },
});
