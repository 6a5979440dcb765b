import { expect, test } from "vitest";
import { observed, scripted, type Reply } from "../../../test/scripted.ts";
import { judged } from "../../vocabulary/evidence.ts";
import { largeResultWhole } from "./index.ts";

type Ids = readonly number[];

/** The check against a table; `page` may change a page, by its number; `change` answers other statements. */
async function verdictOn(
  page: (ids: Ids, number: number) => Ids | "lost" = (ids) => ids,
  change: (sql: string) => Reply = () => undefined,
): Promise<string[]> {
  const stored: number[] = [];
  let number = 0;
  const server = scripted((sql) => {
    const said = change(sql);
    if (said !== undefined) return said;
    if (sql.startsWith("INSERT")) for (const [, id] of sql.matchAll(/\((-?\d+), /g)) stored.push(Number(id));
    if (!sql.startsWith("SELECT id")) return undefined;
    number += 1;
    const [, sign, from] = / WHERE id (<|>) (-?\d+)/.exec(sql) ?? [];
    const [limit, down] = [Number(/LIMIT (\d+)/.exec(sql)?.[1]), sql.includes("DESC")];
    const left = stored
      .filter((id) => sign === undefined || (sign === "<" ? id < Number(from) : id > Number(from)))
      .toSorted((a, b) => (down ? b - a : a - b));
    const ids = page(left.slice(0, limit), number);
    return ids === "lost" ? ids : { columns: ["id", "v"], rows: ids.map((id) => [String(id), `row ${id}`]) };
  });
  return judged(largeResultWhole, await observed(largeResultWhole, server));
}
const onPage = (place: number, change: (ids: Ids) => Ids | "lost") => async (): Promise<string[]> =>
  await verdictOn((ids, number) => (number === place ? change(ids) : ids));

test("600 rows in five pages", async () => {
  expect(await verdictOn()).toEqual([
    "pass: 600 rows read in 5 pages, upwards, downwards and 200 with one LIMIT: each once, in order",
  ]);
});

/** 1: with one LIMIT. 2 and 3: upwards. 4 and 5: downwards. */
test.each([
  [1, "with one LIMIT", 200],
  [2, "in pages upwards", 600],
  [3, "in pages upwards", 600],
  [4, "in pages downwards", 600],
  [5, "in pages downwards", 600],
])("page %i, %s: a row that is lost, doubled or out of order", async (place, way, of) => {
  const found = (name: string): unknown => expect.stringMatching(new RegExp(`^${name}: ${way}: .*"of":${of}`));
  const lost = (ids: Ids): Ids => [...ids.slice(0, 50), ...ids.slice(51)];
  const swapped = ([one = 0, two = 0, ...ids]: Ids): Ids => [two, one, ...ids];
  // A page that is short is the last one.
  const [name = ""] = await onPage(place, lost)();
  expect(name).toMatch(/^missing: /);
  expect(name).toContain(`${way}: `);
  expect(await onPage(place, (ids) => [...ids.slice(0, 1), ...ids])()).toEqual([found("doubled")]);
  expect(await onPage(place, swapped)()).toEqual([expect.stringMatching(new RegExp(`^unordered: ${way}: `))]);
  expect(await onPage(place, () => "lost")()).toEqual([
    `unknown: not everything could be read ${way}: timeout: no answer`,
  ]);
});

test("rows in the wrong order at the end of a page make no others missing", async () => {
  const swapped = (ids: Ids): Ids => [...ids.slice(0, -2), ...ids.slice(-2).toReversed()];
  for (const [place, way] of [
    [2, "upwards"],
    [4, "downwards"],
  ] as const)
    expect(await onPage(place, swapped)()).toEqual([
      expect.stringMatching(new RegExp(`^unordered: in pages ${way}: `)),
    ]);
});

test("a server that repeats its pages ends, too", async () => {
  const first: Ids[] = [];
  const said = await verdictOn((ids, number) => {
    if (number === 2) first.push(ids);
    return number > 1 ? (first[0] ?? []) : ids;
  });
  expect(said).toContainEqual(expect.stringMatching(/^doubled: in pages upwards: .*"doubled":500,"of":600/));
});

test("both halves must be written, and the first be in cold storage", async () => {
  let inserts = 0;
  for (const place of [1, 2])
    for (const said of ["lost", "refused"] as const) {
      inserts = 0;
      expect(
        await verdictOn(undefined, (sql) => (sql.startsWith("INSERT") && (inserts += 1) === place ? said : undefined)),
      ).toEqual([expect.stringMatching(/^unknown: the rows were not all acknowledged: no/)]);
    }
  const none = { columns: ["scope", "manifest_json"], rows: [] };
  expect(await verdictOn(undefined, (sql) => (sql.includes("system.manifest") ? none : undefined))).toEqual([
    "unknown: no row is listed in cold storage",
  ]);
  expect(await verdictOn(undefined, (sql) => (sql.startsWith("STORAGE") ? "refused" : undefined))).toEqual([
    expect.stringMatching(/^unknown: STORAGE FLUSH TABLE/),
  ]);
});
