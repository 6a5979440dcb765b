import { describe, expect, test } from "vitest";
import type { Json } from "../wire/json.ts";
import type { Fault } from "../proof.ts";
import type { RawAnswer, RawRequest, Wire } from "../wire/wire.ts";
import {
  breakServer,
  changeResult,
  changeRows,
  claimSuccess,
  errorBody,
  refuseIt,
  rewordRefusal,
  sendInstead,
  sqlFault,
} from "./sql.ts";

function answered(status: number, text: string): RawAnswer {
  return {
    kind: "answered",
    status,
    headers: { "x-own": "1" },
    body: new TextEncoder().encode(text),
    sentAt: 5,
    doneAt: 9,
  };
}

const rows = `{"status":"success","results":[{"schema":[{"name":"id"},{"name":"n"}],"rows":[["1",9007199254740993],["2",2]],"row_count":2,"as_user":"root"},{"row_count":1}],"took":1.5}`;
const refusal = `{"status":"error","results":[],"took":2,"error":{"code":"X","message":"in use","details":"in use, in full"}}`;

interface Tried {
  readonly answer: RawAnswer;
  readonly body: Json;
  readonly fired: number;
  /** What reached the server. */
  readonly sent: readonly RawRequest[];
}

const requestOf = (sql: string): RawRequest => ({
  method: "POST",
  path: "/v1/api/sql",
  headers: { a: "b" },
  body: JSON.stringify({ sql, params: [1] }),
  timeoutMs: 5,
});

/** Sends one request through the fault to a server that gives this answer. */
async function through(
  fault: Fault,
  request: RawRequest | string,
  said: RawAnswer = answered(200, rows),
): Promise<Tried> {
  const sent: RawRequest[] = [];
  let fired = 0;
  const wire: Wire = {
    exchange(one) {
      sent.push(one);
      return Promise.resolve(said);
    },
  };
  const broken = fault.wrap(wire, () => (fired += 1));
  const answer = await broken.exchange(typeof request === "string" ? requestOf(request) : request);
  const text = answer.kind === "answered" ? new TextDecoder().decode(answer.body) : "null";
  return { answer, body: text.startsWith("{") ? (JSON.parse(text) as Json) : text, fired, sent };
}

const select = "SELECT * FROM t";
const pattern = /^SELECT/;
const faults: readonly Fault[] = [
  sendInstead("f", pattern, () => "SELECT 2"),
  refuseIt("f", pattern),
  claimSuccess("f", pattern),
  rewordRefusal("f", pattern, () => "other"),
  changeRows("f", pattern, () => []),
  changeResult("f", pattern, () => ({ row_count: 0 })),
  breakServer("f", pattern),
];

describe("every fault", () => {
  test.for<[string, RawRequest]>([
    ["another statement", requestOf("INSERT INTO t")],
    ["a request that is not SQL", { ...requestOf(select), path: "/health" }],
    ["a body that is not JSON", { ...requestOf(select), body: "SELECT" }],
    ["a body that is not an object", { ...requestOf(select), body: "[1]" }],
    ["a body without a statement", { ...requestOf(select), body: "{}" }],
    ["a body of bytes", { ...requestOf(select), body: new Uint8Array([1]) }],
  ])("leaves %s unchanged and does not fire", async ([, request]) => {
    for (const fault of faults) {
      const { answer, fired, sent } = await through(fault, request);
      expect(fired).toBe(0);
      expect(sent).toEqual([request]);
      expect(answer).toEqual(answered(200, rows));
    }
  });

  test("keeps its name and the other parts of the wire", () => {
    const control = {
      kind: "process",
      own: {
        port: 1,
        lowered: {},
        residentBytes: () => undefined,
        trial: () => Promise.reject(new Error("no")),
        stderr: () => "",
      },
    } as const;
    for (const fault of faults) {
      expect(fault.name).toBe("f");
      expect(fault.wrap({ exchange: () => Promise.reject(new Error("no")), control }, () => undefined).control).toBe(
        control,
      );
    }
  });

  test("that changes the answer passes on a broken exchange and does not fire", async () => {
    const broken: RawAnswer = { kind: "broken", because: "timeout", detail: "d", sentAt: 0, doneAt: 1 };
    for (const fault of [faults[0], faults[3], faults[4], faults[5]]) {
      const tried = fault === undefined ? undefined : await through(fault, select, broken);
      expect(tried).toMatchObject({ answer: broken, fired: 0 });
      expect(tried?.sent).toHaveLength(1);
    }
  });
});

test("sendInstead sends another statement with everything else unchanged, and passes on the answer", async () => {
  const fault = sendInstead("f", pattern, (sql) => `${sql} LIMIT 1`);
  const { answer, body, fired, sent } = await through(fault, select);
  expect(sent).toEqual([{ ...requestOf(select), body: JSON.stringify({ sql: `${select} LIMIT 1`, params: [1] }) }]);
  expect(body).toEqual(JSON.parse(rows));
  expect(new TextDecoder().decode(answer.kind === "answered" ? answer.body : undefined)).toContain("9007199254740993");
  expect(answer).toMatchObject({ kind: "answered", status: 200, sentAt: 5, doneAt: 9 });
  expect(fired).toBe(1);
});

test("refuseIt rejects the statement without sending it", async () => {
  const { answer, body, fired, sent } = await through(
    refuseIt("f", pattern, { status: 403, code: "C", message: "m" }),
    select,
  );
  expect(answer).toMatchObject({ kind: "answered", status: 403 });
  expect(body).toEqual(errorBody("C", "m"));
  expect([fired, sent]).toEqual([1, []]);
  expect(await through(refuseIt("f", pattern), select)).toMatchObject({
    answer: { status: 400 },
    body: { error: { code: "SQL_EXECUTION_ERROR" } },
  });
});

test("claimSuccess reports success without sending the statement", async () => {
  const { answer, body, fired, sent } = await through(claimSuccess("f", pattern, 3), select);
  expect(answer).toMatchObject({ kind: "answered", status: 200 });
  expect(body).toEqual({ status: "success", results: [{ row_count: 3, message: "done" }], took: 1 });
  expect([fired, sent]).toEqual([1, []]);
});

test("breakServer answers with an internal server error", async () => {
  const { answer, body, sent } = await through(breakServer("f", pattern), select);
  expect(answer).toMatchObject({ status: 500 });
  expect(body).toMatchObject({ status: "error", error: { code: "INTERNAL_ERROR" } });
  expect(sent).toEqual([]);
});

describe("rewordRefusal", () => {
  const fault = rewordRefusal("f", pattern, (message) => `not ${message}`);

  test("changes the message, drops the details, and keeps status and code", async () => {
    const { answer, body, fired } = await through(fault, select, answered(409, refusal));
    expect(answer).toMatchObject({ status: 409 });
    expect(body).toEqual({ status: "error", results: [], took: 2, error: { code: "X", message: "not in use" } });
    expect(fired).toBe(1);
  });

  test("leaves a success unchanged", async () => {
    expect(await through(fault, select)).toMatchObject({ fired: 0, answer: answered(200, rows) });
  });
});

describe("changeRows", () => {
  test("changes the rows and their count only", async () => {
    const seen: unknown[] = [];
    const fault = changeRows("f", pattern, (all, columns, sql) => {
      seen.push(columns, sql);
      return all.slice(0, 1);
    });
    const { answer, body, fired } = await through(fault, select);
    expect(seen).toEqual([["id", "n"], select]);
    const expected = JSON.parse(rows.replace(',["2",2]', "").replace('"row_count":2', '"row_count":1')) as Json;
    expect(body).toEqual(expected);
    expect(new TextDecoder().decode(answer.kind === "answered" ? answer.body : undefined)).toContain(
      "9007199254740993",
    );
    expect(fired).toBe(1);
  });

  test("leaves an answer unchanged for undefined, and one without rows", async () => {
    expect(
      await through(
        changeRows("f", pattern, () => undefined),
        select,
      ),
    ).toMatchObject({ fired: 0, answer: answered(200, rows) });
    const none = answered(200, '{"status":"success","results":[{"row_count":1}]}');
    expect(
      await through(
        changeRows("f", pattern, () => []),
        select,
        none,
      ),
    ).toMatchObject({ fired: 0, answer: none });
  });
});

describe("changeResult", () => {
  test("changes the first result only", async () => {
    const { body, fired } = await through(
      changeResult("f", pattern, (result, sql) => ({ ...result, message: sql })),
      select,
    );
    const whole = JSON.parse(rows) as { results: object[] };
    expect(body).toEqual({ ...whole, results: [{ ...whole.results[0], message: select }, whole.results[1]] });
    expect(fired).toBe(1);
  });

  test.for([refusal, '{"status":"success","results":[]}', "<html>", "[]"])("leaves %j unchanged", async (text) => {
    const said = answered(200, text);
    expect(
      await through(
        changeResult("f", pattern, () => ({})),
        select,
        said,
      ),
    ).toMatchObject({ fired: 0, answer: said });
  });
});

describe("sqlFault", () => {
  test("can lose the answer after the statement was executed", async () => {
    const fault = sqlFault("f", async (_, __, exchange) => {
      await exchange();
      return "lost" as const;
    });
    const { answer, fired, sent } = await through(fault, select);
    expect(answer).toMatchObject({ kind: "broken", because: "reset" });
    expect([fired, sent.length]).toEqual([1, 1]);
  });

  test("can hold a request until its time limit, whatever the server does", async () => {
    const fault = sqlFault("f", () => Promise.resolve("silent" as const));
    const { answer, fired, sent } = await through(fault, select);
    expect(answer).toMatchObject({ kind: "broken", because: "timeout" });
    expect([fired, sent.length]).toEqual([1, 0]);
  });

  test("sends the request once if it only looks at the answer", async () => {
    const fault = sqlFault("f", async (_, __, exchange) => {
      await exchange();
      return undefined;
    });
    const { answer, fired, sent } = await through(fault, select);
    expect([fired, sent.length]).toEqual([0, 1]);
    expect(answer).toEqual(answered(200, rows));
  });

  test("gets the whole body with every digit of long numbers, and may send several statements", async () => {
    let seen: Json = null;
    const fault = sqlFault("f", async (_, body, exchange) => {
      seen = body;
      await exchange("SELECT 2");
      return await exchange();
    });
    const request = { ...requestOf(select), body: `{"sql":"${select}","params":[9007199254740993]}` };
    const { sent } = await through(fault, request);
    expect(seen).toEqual({ sql: select, params: [{ exact: "9007199254740993" }] });
    expect(sent.map(({ body }) => body)).toEqual(['{"sql":"SELECT 2","params":[9007199254740993]}', request.body]);
  });

  test("passes on an answer that is not JSON unchanged", async () => {
    const html = answered(429, "<h1>slow down</h1>");
    const { answer, body } = await through(
      sendInstead("f", pattern, () => "SELECT 2"),
      select,
      html,
    );
    expect(answer).toMatchObject({ status: 429 });
    expect(body).toBe("<h1>slow down</h1>");
  });
});
