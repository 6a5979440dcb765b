import { expect, test } from "vitest";
import { observed, scripted, type Reply } from "../../../test/scripted.ts";
import { judged } from "../../vocabulary/evidence.ts";
import { largeBatchAtomic } from "./index.ts";

type Rows = Map<string, string | null>;
interface Insert {
  readonly table: string;
  readonly rows: Rows;
}
const hasBadRow = (sql: string): boolean => /NULL|'again'/.test(sql);

/** What a server with these tables makes of the check; `change` may answer an INSERT in another way, and store what it likes. */
async function seenOn(
  change: (insert: Insert & { readonly stored: Rows; readonly sql: string }) => Reply = () => undefined,
  read: (sql: string) => Reply = () => undefined,
) {
  const tables = new Map<string, Rows>();
  const server = scripted((sql) => {
    const [, table = ""] = / (kr_s\.\w+) /.exec(sql) ?? [];
    const stored = tables.get(table) ?? new Map<string, string | null>();
    tables.set(table, stored);
    if (sql.startsWith("INSERT")) {
      const rows = new Map(
        [...sql.matchAll(/\((-?\d+), (?:'([^']*)'|NULL)\)/g)].map(([, id = "", v]) => [id, v ?? null] as const),
      );
      const said = change({ table, rows, stored, sql });
      if (said !== undefined) return said;
      if (hasBadRow(sql)) return "refused";
      for (const [id, v] of rows) stored.set(id, v);
      return { columns: [], rows: Array.from({ length: rows.size }, () => []) };
    }
    if (!sql.startsWith("SELECT id, v")) return undefined;
    const [, from, to] = /id >= (\d+) AND id < (\d+)/.exec(sql) ?? [];
    const among = /id IN \(([^)]*)\)/.exec(sql)?.[1]?.split(", ");
    const isIn = (id: string): boolean =>
      among?.includes(id) ?? (Number(id) >= Number(from) && Number(id) < Number(to));
    return read(sql) ?? { columns: ["id", "v"], rows: [...stored].filter(([id]) => isIn(id)) };
  });
  return await observed(largeBatchAtomic, server);
}
const isBatch = ({ rows }: Insert, size: number): boolean => rows.size === size;
/** The first batch of a thousand valid rows. */
const isThousand = (one: Insert & { sql: string }): boolean => isBatch(one, 1_000) && !hasBadRow(one.sql);
const store = ({ rows, stored }: { rows: Rows; stored: Rows }, keep: (at: number) => boolean): void =>
  [...rows].forEach(([id, v], at) => {
    if (keep(at)) stored.set(id, v);
  });
const count = { columns: [], rows: Array.from({ length: 1_000 }, () => []) };

test("a sound server passes, in both tables, with each size and each bad row", async () => {
  const seen = await seenOn();
  expect(judged(largeBatchAtomic, seen)).toEqual([
    "pass: 4 batches of up to 1000 rows stored completely; 8 batches with one bad row rejected, none of their rows stored",
  ]);
  expect(seen.tried.map(({ kind, rows, flaw }) => `${kind} ${rows} ${flaw ?? ""}`)).toEqual(
    ["USER", "SHARED"].flatMap((kind) =>
      [100, 1_000].flatMap((rows) => ["", "null", "key"].map((flaw) => `${kind} ${rows} ${flaw}`)),
    ),
  );
});

test("what is stored is read, key by key and value by value", async () => {
  const lost = await seenOn((one) => {
    if (!isThousand(one)) return undefined;
    store(one, (at) => at !== 999);
    return count;
  });
  expect(judged(largeBatchAtomic, lost)).toEqual([
    expect.stringMatching(/^lostRows: 1000 rows, USER: .*"lost":1,"changed":0,"first":\["\d+999"\]/),
    expect.stringMatching(/^lostRows: 1000 rows, SHARED: /),
  ]);
  const changed = await seenOn((one) => {
    if (!isThousand(one)) return undefined;
    store(one, () => true);
    for (const [id] of [...one.rows].slice(0, 7)) one.stored.set(id, "r1 ");
    return count;
  });
  expect(judged(largeBatchAtomic, changed)[0]).toMatch(/"lost":0,"changed":7,"first":\["(\d+)",("\d+",?){4}\]/);
});

test("a rejected batch that left one row in any block is seen", async () => {
  for (const left of [0, 499, 500, 998]) {
    const seen = await seenOn((one) => {
      if (one.sql.includes("'again'") && one.rows.size === 1_000) store(one, (at) => at === left);
      return undefined;
    });
    expect(judged(largeBatchAtomic, seen)).toEqual([
      expect.stringMatching(/^partial: 1000 rows with an existing key in the last row, USER: .*"stored":1,/),
      expect.stringMatching(/^partial: 1000 rows with an existing key in the last row, SHARED: /),
    ]);
  }
});

test("an answer that does not come shows nothing", async () => {
  const unanswered = await seenOn((one) => (isThousand(one) ? "lost" : undefined));
  expect(judged(largeBatchAtomic, unanswered)).toEqual(["unknown: 1000 rows, USER: not answered: no answer"]);
  const unread = await seenOn(undefined, (sql) => (sql.includes("shared_rows") ? "lost" : undefined));
  expect(judged(largeBatchAtomic, unread)).toEqual([
    "unknown: 100 rows, SHARED: the table could not be read afterwards",
  ]);
  // A page of a rejected batch, whose rows nobody asks for by their keys.
  const page = await seenOn(undefined, (sql) => {
    if (!sql.includes("shared_rows")) return undefined;
    return /id >= 600500 /.test(sql) ? "lost" : undefined;
  });
  expect(judged(largeBatchAtomic, page)).toEqual([
    "unknown: 1000 rows with an existing key in the last row, SHARED: the table could not be read afterwards",
  ]);
  // A page that lacked rows, and then the look by their keys.
  const again = await seenOn(undefined, (sql) =>
    sql.includes("shared_rows") ? (sql.includes(" IN (") ? "lost" : { columns: ["id", "v"], rows: [] }) : undefined,
  );
  expect(judged(largeBatchAtomic, again)).toEqual([
    "unknown: 100 rows, SHARED: the table could not be read afterwards",
  ]);
  await expect(seenOn((one) => (isBatch(one, 1) ? "refused" : undefined))).rejects.toThrow("no row could be written");
});

test("rows that a page lacked are asked for by their keys before they are missing", async () => {
  const seen = await seenOn(undefined, (sql) =>
    sql.includes("user_rows") && !sql.includes(" IN (") ? { columns: ["id", "v"], rows: [] } : undefined,
  );
  expect(
    seen.tried.filter(({ kind, flaw }) => kind === "USER" && flaw === null).map(({ stored }) => stored?.count),
  ).toEqual([100, 500]);
});

test("the number of rows in the answer is kept", async () => {
  const seen = await seenOn((one) => {
    if (!isThousand(one)) return undefined;
    store(one, () => true);
    return "done";
  });
  expect(judged(largeBatchAtomic, seen)).toEqual(["unknown: 1000 rows, USER: the answer counts 1 rows"]);
});
