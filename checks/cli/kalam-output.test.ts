import { array, assert, jsonValue, oneof, property, constantFrom, record } from "fast-check";
import { expect, test } from "vitest";
import { crashIn, documentsIn, rowsIn } from "./kalam-output.ts";

const document = record({ status: constantFrom("success", "error"), results: array(jsonValue(), { maxLength: 4 }) });
const pretty = (value: unknown): string => JSON.stringify(value, undefined, 2);

test("consecutive JSON documents are all found", () => {
  assert(
    property(array(document, { maxLength: 5 }), oneof(constantFrom("\n", "\n\n", " ")), (documents, between) => {
      expect(documentsIn(documents.map(pretty).join(between))).toHaveLength(documents.length);
      expect(documentsIn(documents.map(pretty).join(between))).not.toContain(undefined);
    }),
  );
});

test("a line that is no JSON is noticed in any position", () => {
  assert(
    property(
      array(document, { minLength: 1, maxLength: 4 }),
      constantFrom("3 rows", "}", "(1 row)", "Took: 2 ms", "null,"),
      (documents, line) => {
        const lines = documents.map(pretty);
        for (let at = 0; at <= lines.length; at += 1)
          expect(documentsIn(lines.toSpliced(at, 0, line).join("\n"))).toContain(undefined);
      },
    ),
  );
});

test("a truncated document is not a document", () => {
  expect(documentsIn('{"status": "success", "results": [')).toEqual([undefined]);
  expect(documentsIn('{"status": "succ')).toEqual([undefined]);
  expect(documentsIn("")).toEqual([]);
});

test("the column names and rows of the first result", () => {
  const schema = [{ name: "a", data_type: "Text" }];
  expect(rowsIn({ results: [{ schema, rows: [["x"]], row_count: 1 }] })).toEqual({ columns: ["a"], rows: [["x"]] });
  for (const odd of [undefined, null, [], {}, { results: [] }, { results: [1] }, { results: [{ rows: [1] }] }])
    expect(rowsIn(odd)).toEqual({ columns: [], rows: [] });
});

test("a crash is recognised by its message", () => {
  expect(crashIn("\nthread 'main' (812) panicked at src/io.rs:1:9:\nfailed printing\nstack backtrace:\n 0: x")).toBe(
    "thread 'main' panicked at src/io.rs:1:9: failed printing",
  );
  expect(crashIn("Segmentation fault (core dumped)\n")).toBe("Segmentation fault (core dumped)");
  expect(crashIn("Error: Server error (400): no such table")).toBeUndefined();
});
