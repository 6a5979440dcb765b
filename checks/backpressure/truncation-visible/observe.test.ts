import { expect, test } from "vitest";
import { observed, scripted, type Reply } from "../../../test/scripted.ts";
import type { Target } from "../../../src/server/target.ts";
import { judged } from "../../vocabulary/evidence.ts";
import { truncationVisible } from "./index.ts";

interface Server {
  /** How many rows a SELECT of so many returns. */
  readonly limit?: (of: number) => number;
  /** Of the plain request: the status, the body besides the rows, and headers. */
  readonly status?: number;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly change?: (sql: string) => Reply;
  readonly maximum?: string;
}

async function verdictOn({ limit = (of) => of, change, maximum, ...plain }: Server): Promise<string[]> {
  const counts = new Map<string, number>();
  const reply = (sql: string): Reply => {
    const [, name = ""] = /(kr_s\.\w+)/.exec(sql) ?? [];
    const said = change?.(sql);
    if (said !== undefined) return said;
    if (sql.startsWith("INSERT")) counts.set(name, sql.split("), (").length);
    const count = counts.get(name) ?? 0;
    if (sql.startsWith("SELECT COUNT")) return { columns: ["n"], rows: [[String(count)]] };
    if (!sql.startsWith("SELECT id")) return undefined;
    return { columns: ["id"], rows: Array.from({ length: limit(count) }, (_, id) => [id]) };
  };
  const request = async (): Promise<unknown> => {
    const json = { status: "success", results: [{ schema: [], rows: [], row_count: 1 }], ...plain.body };
    return await Promise.resolve({ kind: "answered", status: plain.status ?? 200, headers: plain.headers ?? {}, json });
  };
  const settings = maximum === undefined ? {} : { "limits.max_query_limit": maximum };
  const more = { request, capabilities: { settings } } as unknown as Partial<Target>;
  return judged(truncationVisible, await observed(truncationVisible, scripted(reply, more)));
}

test("all rows, or fewer with a sign", async () => {
  expect(await verdictOn({})).toEqual(["pass: without LIMIT: all 130 rows; with LIMIT 1100: all 1100 rows"]);
  const cut = { limit: (of: number) => Math.min(of, 50) };
  const silent = [
    'cutSilently: without LIMIT: {"way":"without LIMIT","got":50,"of":130}',
    'cutSilently: with LIMIT: {"way":"with LIMIT 1100","got":50,"of":1100}',
  ];
  expect(await verdictOn(cut)).toEqual(silent);
  expect(await verdictOn({ ...cut, body: { took: 130.5, as_user: "limited" } })).toEqual(silent);
  expect(await verdictOn({ ...cut, headers: { "x-ratelimit-remaining": "130", connection: "close" } })).toEqual(silent);
  for (const name of ["x-total-count", "x-rows", "content-range", "link", "warning", "x-truncated"])
    expect(await verdictOn({ ...cut, headers: { [name]: "x" } })).toEqual([
      expect.stringContaining(`told by ${name}: x`),
    ]);
  expect(await verdictOn({ ...cut, body: { has_more: true } })).toEqual([
    "pass: without LIMIT: 50 of 130 rows, told by has_more: true; with LIMIT 1100: 50 of 1100 rows, told by has_more: true",
  ]);
  expect(await verdictOn({ ...cut, status: 503 })).toEqual([
    expect.stringContaining("looks for a sign was not answered"),
  ]);
});

test("the maximum is the server's, if it can be exceeded", async () => {
  expect(await verdictOn({ maximum: "200" })).toEqual([expect.stringContaining("with LIMIT 300: all 300 rows")]);
  for (const maximum of ["0", "-1", "many"])
    expect(await verdictOn({ maximum })).toEqual([expect.stringContaining("with LIMIT 1100: all 1100 rows")]);
  expect(await verdictOn({ maximum: "3000" })).toEqual([expect.stringContaining("with LIMIT 3100: all")]);
  expect(await verdictOn({ maximum: "3001" })).toEqual(["unknown: a maximum of 3001 rows is too many to try"]);
});

test("what was not answered, written or counted shows nothing", async () => {
  const on = async (pattern: RegExp, said: Reply): Promise<string[]> =>
    await verdictOn({ change: (sql) => (pattern.test(sql) ? said : undefined) });
  for (const said of ["lost", "refused"] as const)
    expect(await on(/^INSERT INTO \S+many/, said)).toEqual([
      expect.stringMatching(/^unknown: the rows could not be wri/),
    ]);
  expect(await on(/^SELECT COUNT.*few/, "lost")).toEqual(["unknown: the table has ? of 130 rows, by COUNT(*)"]);
  expect(await on(/^SELECT COUNT.*few/, { columns: ["n"], rows: [["129"]] })).toEqual([
    "unknown: the table has 129 of 130 rows, by COUNT(*)",
  ]);
  expect(await on(/^SELECT id.*few/, "lost")).toEqual(["unknown: without LIMIT: no answer"]);
  expect(await on(/^SELECT id.*few/, "done")).toEqual([expect.stringMatching(/^unknown: without LIMIT: /)]);
  expect(await on(/^SELECT id.*many/, "refused")).toEqual([expect.stringContaining("1100: refused with INVALID_SQL")]);
  await expect(on(/^CREATE TABLE \S+many/, "refused")).rejects.toThrow("could not be made");
});
