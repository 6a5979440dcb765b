import { expect, test } from "vitest";
import { reached, sound, table, unreached } from "./evidence.ts";
import { identityOf, rowsIn } from "./looking.ts";

test("how it is known that the port is this server's", () => {
  const own = { ...sound, named: false, counted: false };
  expect(identityOf({ ...own, named: true, counted: true })).toBe("named");
  expect(identityOf({ ...own, counted: true })).toBe("rows");
  // One answer is enough.
  expect(identityOf({ ...own, right: reached({ results: [table] }) })).toBe("rows");
  expect(identityOf({ ...own, right: reached({ results: [{ ...table, rows: [] }, table] }) })).toBeUndefined();
  expect(identityOf({ ...own, counted: true, right: unreached })).toBe("counted");
  expect(identityOf({ ...own, right: unreached })).toBeUndefined();
});

test("the rows of a query", () => {
  const other = { ...table, rows: [] };
  expect(rowsIn(reached({ results: [table, other] }))).toEqual(table.rows);
  expect(rowsIn(reached({ results: [table, other] }), 1)).toEqual([]);
  expect(rowsIn(reached({ results: [] }))).toBeUndefined();
});
