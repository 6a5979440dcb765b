import { expect, test } from "vitest";
import { judged, no } from "../../vocabulary/evidence.ts";
import { fullNamespaceGuarded } from "./index.ts";

test("a drop that is rejected and deletes rows all the same is found", () => {
  const said = no("SQL_EXECUTION_ERROR", "not empty", "rule");
  expect(judged(fullNamespaceGuarded, { before: 3, said, after: 2 })).toEqual([
    'droppedRows: {"before":3,"message":"rejected, but 2 rows are left"}',
  ]);
});
