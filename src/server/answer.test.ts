import { readdirSync, readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Json, parseExact, writeExact } from "../wire/json.ts";
import { listed, onlyRow, outcomeOf, readAnswer, rowsOf, saidOf, isCleanRefusal, type Answer } from "./answer.ts";
import type { Cause } from "./refusal.ts";
import type { RawAnswer } from "../wire/wire.ts";

function answered(status: number, body: string | Uint8Array): RawAnswer {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  return { kind: "answered", status, headers: {}, body: bytes, sentAt: 1, doneAt: 3 };
}

function read(status: number, body: Json): Answer {
  return readAnswer(answered(status, writeExact(body)), 7);
}

const column = (name: string): Json => ({ name, data_type: "BigInt", index: 0 });
const two = { schema: [column("id"), column("n")], rows: [["1", "10"], ["2", "20"]], row_count: 2 }; // prettier-ignore
const success = (...results: Json[]): Json => ({ status: "success", results, took: 1.5 });
const failure = (code: string, message: string): Json => ({ status: "error", results: [], error: { code, message } });

describe("every recorded answer to SQL", () => {
  interface Recorded {
    readonly name: string;
    readonly request?: { readonly method: string; readonly path: string };
    readonly response?: { readonly status: number; readonly body: Json };
  }
  const folder = new URL("../../contract/0.4.3/", import.meta.url);
  const recorded = readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .flatMap((name) => parseExact(readFileSync(new URL(name, folder), "utf8")) as unknown as Recorded[])
    .flatMap(({ name, request, response }) =>
      request?.path === "/v1/api/sql" && request.method === "POST" && response !== undefined
        ? [{ name, ...response, answer: read(response.status, response.body) }]
        : [],
    );
  const good = recorded.filter(({ status }) => status === 200);
  const bad = recorded.filter(({ status }) => status !== 200);

  /** Each kind of message that a real server refused with, and what it was refused for: the first that fits. */
  const families: readonly (readonly [RegExp, Cause])[] = [
    [/^Statement [2-9] failed/, "batchPart"],
    [/Primary key violation|NOT NULL constraint violation/, "constraint"],
    [/Schema coercion failed|Cast error/, "type"],
    [/^Invalid credentials$|^Authentication required$/, "login"],
    [/Permission denied: |^(Statement 1 failed: )?Unauthorized: |^Admin privileges /, "permission"],
    [/query too long|larger than allowed|(count|size) exceeded|Name is too long/, "limit"],
    [/[Ss]ql parser error|(Parser|Tokenizer)Error|RecursionLimit|^Invalid JSON payload|^No SQL statements/, "parse"],
    [/^SQL statement is invalid or not allowed$|^Unsupported statement type|STORAGE FLUSH TABLE(\.|$)/, "parse"],
    [/not supported with multi-statement/, "rule"],
    [/Object parameters not yet|Parameter binding|Invalid function/, "parse"],
    [/name is required after|Invalid role|(FLUSH_POLICY|TTL_SECONDS|ACCESS_LEVEL|TYPE|option) /, "parse"],
    [/TTL_SECONDS'?$|in FLUSH_POLICY$|Duplicate column name/, "parse"],
    [/PRIMARY KEY/, "rule"],
    [/Already exists: |already exists$/, "exists"],
    [/[Nn]ot found|does not exist|No field named/, "missing"],
    [/Invalid operation: |invalid characters|cannot start with|reserved/, "rule"],
    [/Divide by zero|Error during planning: (Inconsistent data|Insert-on)/, "rule"],
  ];
  /** Honestly open: the words do not tell whether anything was done. */
  const open: readonly RegExp[] = [
    /^SQL statement failed$/,
    /^Statement 1 failed: Arrow error: Invalid argument error: number of columns/,
    /^Request completed with an open explicit transaction; rolled back automatically$/,
  ];

  test("there are enough of them, of every kind", () => {
    expect(good.length).toBeGreaterThan(350);
    expect(bad.length).toBeGreaterThan(190);
    expect(new Set(bad.map(({ status }) => status))).toEqual(new Set([400, 401, 403]));
  });

  test.for(good)("$name is ok, with every row", ({ answer, body }) => {
    const { results } = body as { results: { row_count: number; rows?: Json[] }[] };
    expect(answer.kind).toBe("ok");
    if (answer.kind !== "ok") return;
    expect(answer.results.map((one) => one.rowCount)).toEqual(results.map((one) => one.row_count));
    expect(answer.results.map((one) => one.rows)).toEqual(results.map((one) => one.rows ?? []));
    expect(answer.tookMs).toEqual(expect.any(Number));
  });

  test.for(bad)("$name is no success: $answer.message", ({ answer, status }) => {
    const message = answer.kind === "ok" ? "" : answer.message;
    const cause = families.find(([pattern]) => pattern.test(message))?.[1] ?? "one that the list above does not know";
    const unrecognised = { kind: "unsure", because: "unrecognised" };
    const expected = open.some((pattern) => pattern.test(message)) ? unrecognised : { kind: "refused", cause };
    expect(answer).toMatchObject({ ...expected, status });
  });

  test("each kind of message in the lists above was met", () => {
    const messages = bad.map(({ answer }) => (answer.kind === "ok" ? "" : answer.message));
    const unmet = [...families.map(([pattern]) => pattern), ...open].filter(
      (pattern) => !messages.some((message) => pattern.test(message)),
    );
    expect(unmet).toEqual([]);
  });
});

test("an answer keeps its number, its times and every digit", () => {
  const body = `{"status":"success","results":[{"schema":[{"name":"t","data_type":{"Decimal":{"precision":20,"scale":2}},"flags":["pk","nn"]}],"rows":[[1795361687193000001]],"row_count":1,"message":"m","as_user":"root"}],"took":1.5}`;
  expect(readAnswer(answered(200, body), 7)).toEqual({
    kind: "ok",
    status: 200,
    exchange: 7,
    sentAt: 1,
    doneAt: 3,
    tookMs: 1.5,
    results: [
      {
        columns: [{ name: "t", type: { Decimal: { precision: 20, scale: 2 } }, flags: ["pk", "nn"] }],
        rows: [[{ exact: "1795361687193000001" }]],
        rowCount: 1,
        message: "m",
        asUser: "root",
      },
    ],
  });
});

describe("a success that does not hold together is malformed", () => {
  const { schema, rows } = two;
  test.for<[string, Json]>([
    ["fewer rows than row_count", success({ schema, rows, row_count: 3 })],
    ["more rows than row_count", success({ schema, rows, row_count: 1 })],
    ["no row_count", success({ schema, rows })],
    ["row_count as a text", success({ schema, rows, row_count: "2" })],
    ["a schema without rows", success({ schema, row_count: 2 })],
    ["rows without a schema", success({ rows, row_count: 2 })],
    ["rows that are no list", success({ schema, rows: { 0: ["1", "10"] }, row_count: 1 })],
    ["a row that is no list", success({ schema, rows: [{ id: "1", n: "10" }], row_count: 1 })],
    ["a row with a cell too few", success({ schema, rows: [["1"]], row_count: 1 })],
    ["a row with a cell too many", success({ schema, rows: [["1", "2", "3"]], row_count: 1 })],
    ["a column without a name", success({ schema: [{ data_type: "Int" }], rows: [["1"]], row_count: 1 })],
    ["a result that is none", success(two, "fine")],
    ["only the second result wrong", success(two, { ...two, row_count: 9 })],
    ["results that are no list", { status: "success", results: { 0: two } }],
    ["no results", { status: "success" }],
    ["another status", { status: "done", results: [two] }],
    ["no status", { results: [two] }],
    ["an error that is no error", { ...(success(two) as object), error: ["broken"] }],
    ["a list", [success(two)]],
    ["a text", "success"],
    ["null", null],
  ])("%s", ([, body]) => {
    expect(read(200, body)).toMatchObject({ kind: "unsure", because: "malformed", status: 200 });
  });

  test("success under another status than 200", () => {
    for (const status of [201, 204, 302, 400, 500, 503]) {
      expect(read(status, success(two))).toMatchObject({ kind: "unsure", because: "malformed", status });
    }
  });

  test("an error under status 200, in either form", () => {
    const forms = [failure("SQL_EXECUTION_ERROR", "no"), { error: "IP_BANNED" }, { status: "error" }];
    for (const body of forms) expect(read(200, body)).toMatchObject({ kind: "unsure", because: "malformed" });
    expect(read(200, { ...(success(two) as object), error: { code: "X", message: "no" } })).toMatchObject({
      kind: "unsure",
      because: "malformed",
    });
  });

  test("disagrees with itself only if it is complete and its parts differ", () => {
    const contradicting = [
      read(200, success({ schema, rows, row_count: 3 })),
      read(200, success(two, { ...two, row_count: 9 })),
      read(200, success({ schema, rows: [["1"]], row_count: 1 })),
      read(200, success({ schema, row_count: 2 })),
      read(500, success(two)),
      read(200, failure("SQL_EXECUTION_ERROR", "no")),
      read(200, { ...(success(two) as object), error: { code: "X", message: "no" } }),
    ];
    for (const answer of contradicting)
      expect(answer).toMatchObject({ kind: "unsure", because: "malformed", contradiction: true });
    const others = [
      read(200, success(two)),
      read(200, success({ schema, rows })),
      read(200, { status: "done", results: [two] }),
      read(400, failure("SQL_EXECUTION_ERROR", "no")),
      read(503, success({ schema, rows, row_count: 3 })),
      readAnswer(answered(200, '{"status":"success","results":[{"row_count":2,"rows":[["1"'), 1),
    ];
    for (const answer of others) expect(answer).not.toHaveProperty("contradiction");
  });

  test("an empty body, HTML, and bytes that are no UTF-8", () => {
    for (const body of ["", "<!doctype html><title>nginx</title>", new Uint8Array([0x22, 0xff, 0xfe, 0x22])]) {
      expect(readAnswer(answered(200, body), 1)).toMatchObject({ kind: "unsure", because: "malformed", status: 200 });
    }
    const invalid = Buffer.from(JSON.stringify(success(two)).replace('"10"', '"\u00ff"'), "latin1");
    expect(readAnswer(answered(200, invalid), 1)).toMatchObject({ kind: "unsure", because: "malformed" });
  });
});

describe("what is no answer of KalamDB leaves open whether it was done", () => {
  test.for([
    [429, "slow down", "rate"],
    [404, "", "malformed"],
    [413, "<html>too large</html>", "malformed"],
    [302, "", "malformed"],
    [500, "", "unavailable"],
    [502, "<html>bad gateway</html>", "unavailable"],
    [503, "", "unavailable"],
  ] as const)("status %d with %j", ([status, body, because]) => {
    expect(readAnswer(answered(status, body), 1)).toMatchObject({ kind: "unsure", because, status });
  });

  test("an error that the server owns up to", () => {
    for (const status of [500, 503]) {
      const answer = read(status, failure("SQL_EXECUTION_ERROR", "Primary key violation"));
      expect(answer).toMatchObject({ kind: "unsure", because: "unavailable", code: "SQL_EXECUTION_ERROR" });
    }
  });

  test("an exchange that broke, with the status where one had come", () => {
    const broken = { kind: "broken", because: "cut", detail: "other side closed", sentAt: 1, doneAt: 2 } as const;
    expect(readAnswer({ ...broken, status: 200 }, 3)).toEqual({
      kind: "unsure",
      because: "cut",
      status: 200,
      message: "other side closed",
      exchange: 3,
      sentAt: 1,
      doneAt: 2,
    });
    expect(readAnswer(broken, 3)).not.toHaveProperty("status");
  });

  test("success with an error beside it says two things at once, whatever the status is", () => {
    const error: Json = { code: "EMPTY_SQL", message: "x" };
    for (const status of [200, 400])
      expect(read(status, { status: "success", results: [], error })).toMatchObject({
        kind: "unsure",
        because: "malformed",
        status,
      });
  });

  test("no code and no words at all", () => {
    expect(read(400, { status: "error" })).toMatchObject({ kind: "unsure", because: "unrecognised" });
    expect(read(400, { error: {} })).toMatchObject({ kind: "unsure", because: "unrecognised", code: "", message: "" });
  });
});

describe("an answer nested 100,000 deep is malformed, wherever it is deep", () => {
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  test.each([
    ["the body", 200, deep],
    ["a cell", 200, `{"status":"success","results":[{"schema":[{"name":"a"}],"rows":[[${deep}]],"row_count":1}]}`],
    [
      "a type",
      200,
      `{"status":"success","results":[{"schema":[{"name":"a","data_type":${deep}}],"rows":[],"row_count":0}]}`,
    ],
    ["a code", 400, `{"status":"error","error":{"code":${deep},"message":"no"}}`],
    ["a message", 400, `{"status":"error","error":{"code":"X","message":${deep}}}`],
  ])("%s", (_, status, body) => {
    const answer = readAnswer(answered(status, body), 1);
    expect(answer).toMatchObject({ kind: "unsure", because: "malformed", status });
    expect(outcomeOf(answer)).toMatch(/^malformed \(status \d+\): JSON nested more than 200 levels deep: /);
    expect(JSON.stringify(saidOf(answer)).length).toBeLessThan(500);
  });
});

test("a message of megabytes is kept in part, with its length", () => {
  const long = "w".repeat(5_000_000);
  const cut = `${"w".repeat(10_000)}… (5000000 characters)`;
  expect(read(400, failure("INVALID_SQL", long))).toMatchObject({ kind: "refused", message: cut });
  expect(read(200, success({ row_count: 0, message: long }))).toMatchObject({
    kind: "ok",
    results: [{ message: cut }],
  });
});

describe("bytes that get lost on the way", () => {
  const cell = fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.boolean());
  const body = fc
    .array(fc.tuple(cell, cell), { maxLength: 4 })
    .map((rows) =>
      Buffer.from(
        JSON.stringify(
          success({ schema: [column("a"), column("b")], rows, row_count: rows.length }, { row_count: 12 }),
        ),
      ),
    );

  test("a body that is cut anywhere is never ok", () => {
    fc.assert(
      fc.property(body, fc.nat(), (bytes, at) => {
        expect(readAnswer(answered(200, bytes.subarray(0, at % bytes.length)), 1).kind).toBe("unsure");
      }),
    );
  });

  test("a body that lost a byte is not ok with other rows, but for what stands inside one cell", () => {
    fc.assert(
      fc.property(body, fc.nat(), (bytes, at) => {
        const whole = readAnswer(answered(200, bytes), 1);
        const lost = readAnswer(
          answered(
            200,
            bytes.filter((_, index) => index !== at % bytes.length),
          ),
          1,
        );
        expect(whole.kind).toBe("ok");
        if (whole.kind !== "ok" || lost.kind !== "ok") return;
        const cells = (answer: typeof lost): Json[] => answer.results.flatMap((one) => one.rows.flat());
        const changed = cells(lost).filter((one, index) => JSON.stringify(one) !== JSON.stringify(cells(whole)[index]));
        expect(lost.results.map((one) => one.rows.length)).toEqual(whole.results.map((one) => one.rows.length));
        expect(cells(lost)).toHaveLength(cells(whole).length);
        expect(changed.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 500 },
    );
  });
});

describe("rows by name", () => {
  const ok = read(200, success(two));
  const refused = read(400, failure("SQL_EXECUTION_ERROR", "Statement 1 failed: Already exists"));

  test("are records in the order of the answer", () => {
    expect(rowsOf(ok)).toEqual([{ id: "1", n: "10" }, { id: "2", n: "20" }]); // prettier-ignore
    expect(listed(ok)).toEqual(["1", "2"]);
  });

  test("are none where the answer has a schema and no rows", () => {
    const none = read(200, success({ schema: [column("id")], rows: [], row_count: 0 }));
    expect(rowsOf(none)).toEqual([]);
    expect(listed(none)).toEqual([]);
    expect(onlyRow(none)).toBeUndefined();
  });

  test("are unknown where the answer is not ok, or has nothing that could be rows", () => {
    for (const answer of [refused, read(200, success()), read(200, success({ row_count: 0, message: "done" }))]) {
      expect(rowsOf(answer)).toBeUndefined();
      expect(listed(answer)).toBeUndefined();
      expect(onlyRow(answer)).toBeUndefined();
    }
  });

  test("the only row is one only where it is alone", () => {
    const one: Json = { ...two, rows: [["1", "10"]], row_count: 1 };
    expect(onlyRow(read(200, success(one)))).toEqual({ id: "1", n: "10" });
    expect(onlyRow(ok)).toBeUndefined();
    expect(onlyRow(read(200, success(one, one)))).toBeUndefined();
  });
});

describe("in words", () => {
  test("an outcome is one line", () => {
    expect(outcomeOf(read(200, success(two)))).toBe("200 success");
    expect(outcomeOf(read(400, failure("EMPTY_SQL", "No SQL")))).toBe("400 EMPTY_SQL: No SQL");
    expect(outcomeOf(readAnswer(answered(503, ""), 1))).toBe("unavailable (status 503): an empty body");
    const broken = { kind: "broken", because: "timeout", detail: "no answer", sentAt: 0, doneAt: 1 } as const;
    expect(outcomeOf(readAnswer(broken, 1))).toBe("timeout: no answer");
  });

  test("an answer without its rows tells its kind, status, code, words and why", () => {
    const done = read(200, success({ row_count: 0, message: "a" }, { row_count: 0, message: "b" }));
    expect(saidOf(done)).toEqual({ kind: "ok", status: 200, code: "", message: "a; b", why: "", exchange: 7 });
    expect(saidOf(read(400, failure("EMPTY_SQL", "x")))).toMatchObject({ kind: "refused", why: "parse", status: 400 });
    const broken = { kind: "broken", because: "reset", detail: "d", sentAt: 0, doneAt: 1 } as const;
    expect(saidOf(readAnswer(broken, 1))).toMatchObject({ kind: "unsure", status: null, code: "", why: "reset" });
  });

  test.for<[string, number, string, boolean]>([
    ["a rule", 400, "SQL_EXECUTION_ERROR", true],
    ["an unknown code", 409, "NEW_CODE", true],
    ["no code", 400, "", false],
    ["too fast", 429, "RATE_LIMIT_EXCEEDED", false],
    ["no right", 403, "PERMISSION_DENIED", false],
    ["no login", 401, "INVALID_CREDENTIALS", false],
    ["the server broke", 500, "INTERNAL_ERROR", false],
  ])("whether %s is the server's no to the thing at hand", ([, status, code, no]) => {
    expect(isCleanRefusal(saidOf(read(status, failure(code, "words"))))).toBe(no);
  });

  test("success is no no", () => {
    expect(isCleanRefusal(saidOf(read(200, success(two))))).toBe(false);
  });
});

describe("the edges of what is accepted", () => {
  const one = (result: Json): Json => ({
    status: "success",
    results: [{ schema: [], rows: [], row_count: 0 }, result],
  });
  const messageOf = (body: Json): string => {
    const answer = read(200, body);
    return answer.kind === "ok" ? "ok" : answer.message;
  };

  test.each<[string, Json, string]>([
    ["a result that is no object", one(5), "result 2: not an object"],
    ["a result without a count", one({}), "result 2: no row_count"],
    ["rows that are no list", one({ schema: [], rows: {}, row_count: 0 }), "result 2: schema and rows must be arrays"],
    [
      "a schema that is no list",
      one({ schema: {}, rows: [], row_count: 0 }),
      "result 2: schema and rows must be arrays",
    ],
    [
      "a column that is no object",
      one({ schema: [null], rows: [], row_count: 0 }),
      "result 2: a column without a name",
    ],
    [
      "a row that is no list",
      one({ schema: [column("id")], rows: ["1"], row_count: 1 }),
      "row 1 does not have the 1 columns",
    ],
    [
      "a second row that is too long",
      one({ schema: [column("id")], rows: [["1"], ["1", "2"]], row_count: 2 }),
      "row 2 does",
    ],
  ])("%s", (_, body, words) => {
    expect(messageOf(body)).toContain(words);
  });

  test("a time that is no number is no time; a message and a user that are no text are left out", () => {
    const answer = read(200, {
      status: "success",
      took: "1.5",
      results: [{ ...two, message: 5, as_user: 6 }],
    });
    expect(answer).toMatchObject({ kind: "ok", tookMs: null });
    expect(answer.kind === "ok" ? Object.keys(answer.results[0] ?? {}) : []).toEqual(["columns", "rows", "rowCount"]);
  });

  test("how often a connection was opened is told where it is known", () => {
    const raw = answered(200, writeExact(success(two)));
    expect(readAnswer({ ...raw, opened: 3 } as RawAnswer, 7)).toMatchObject({ opened: 3 });
    expect(Object.keys(readAnswer(raw, 7))).not.toContain("opened");
  });

  test("of a body that is not JSON the first 120 bytes are quoted", () => {
    const quoted = (length: number): string => {
      const answer = readAnswer(answered(200, "x".repeat(length)), 7);
      return answer.kind === "ok" ? "ok" : answer.message;
    };
    expect(quoted(120)).toMatch(/not JSON: x{120}$/);
    expect(quoted(121)).toMatch(/not JSON: x{120}…$/);
  });

  test("a text of 10,000 characters is kept whole", () => {
    const of = (length: number): string => {
      const answer = read(400, failure("SQL_EXECUTION_ERROR", "y".repeat(length)));
      return answer.kind === "ok" ? "ok" : answer.message;
    };
    expect(of(10_000)).toBe("y".repeat(10_000));
    expect(of(10_001)).toBe(`${"y".repeat(10_000)}… (10001 characters)`);
  });

  test("only a status from 400 to 499 is a clean refusal", () => {
    const said = { ...saidOf(read(400, failure("INVALID_SQL", "x"))), code: "INVALID_SQL", why: "parse" };
    const clean = [null, 200, 399, 400, 499, 500].filter((status) => isCleanRefusal({ ...said, status }));
    expect(clean).toEqual([400, 499]);
  });

  test("cells that are no text are listed as JSON", () => {
    expect(listed(read(200, success({ schema: [column("id")], rows: [["a"], [5], [null]], row_count: 3 })))).toEqual([
      "a",
      "5",
      "null",
    ]);
  });
});
