import { expect, test } from "vitest";
import type { PlainRequest } from "../../../src/server/sender.ts";
import type { Reply, Target } from "../../../src/server/target.ts";
import { scripted } from "../../../test/scripted.ts";
import { judged } from "../../vocabulary/evidence.ts";
import { findLimits } from "./looking.ts";
import { oversizeRefusedCleanly } from "./index.ts";

/** What became of a request: its length, or how it ended. */
type Said = "accepted" | "refused" | "cut" | "silent" | "failed";

interface Sent {
  readonly part: string;
  readonly bytes: number;
  /** How often a request of this size of this part was sent before. */
  readonly before: number;
  readonly paused: boolean;
}

interface Server {
  /** Undefined: refused above a mebibyte. */
  readonly answer?: (sent: Sent) => Said | undefined;
  /** The query after it. */
  readonly next?: (number: number) => Said | undefined;
  readonly settings?: Readonly<Record<string, string>>;
  readonly direct?: boolean;
}

const mebibyte = 1_048_576;

async function seenOn({ answer = () => undefined, next = () => undefined, settings = {}, direct = true }: Server) {
  const times = new Map<string, number>();
  const sent: Sent[] = [];
  let nexts = 0;
  const reply = (said: Said, n: number): Reply => {
    const at = { sentAt: 0, doneAt: 1, exchange: 1, headers: {}, text: "" };
    if (said === "cut" || said === "silent")
      return { ...at, kind: "broken", because: said === "cut" ? "reset" : "timeout", detail: "" };
    const json =
      said === "accepted"
        ? { status: "success", results: [{ rows: [[n]] }] }
        : { error: { code: said === "failed" ? "INTERNAL_ERROR" : "INVALID_SQL" } };
    const status = said === "accepted" ? 200 : said === "failed" ? 500 : 400;
    return { ...at, kind: "answered", status, json, body: new Uint8Array() };
  };
  const request = async (_: unknown, { body = "", pauseMs }: PlainRequest): Promise<Reply> => {
    await Promise.resolve();
    const { sql, params } = JSON.parse(String(body)) as { sql: string; params?: readonly string[] };
    if (sql === "SELECT 11 AS n") return reply(next((nexts += 1)) ?? "accepted", 11);
    const [param] = params ?? [];
    const part = param === undefined ? (sql === "SELECT 1 AS n" ? "body" : "statement") : "parameter";
    const bytes = param?.length ?? (part === "body" ? String(body).length : sql.length);
    const key = `${part} ${bytes}`;
    const one = { part, bytes, before: times.get(key) ?? 0, paused: pauseMs !== undefined };
    times.set(key, one.before + 1);
    sent.push(one);
    const n = part === "body" ? 1 : part === "parameter" ? bytes : bytes - "SELECT LENGTH('') AS n".length;
    return reply(answer(one) ?? (bytes > mebibyte ? "refused" : "accepted"), n);
  };
  const more = {
    request,
    capabilities: { settings },
    ...(direct ? { control: {} } : {}),
  } as unknown as Partial<Target>;
  const { target, context } = scripted(() => undefined, more);
  const seen = await findLimits(target, context);
  return { seen, sent };
}
const verdictOn = async (server: Server): Promise<string[]> =>
  judged(oversizeRefusedCleanly, (await seenOn(server)).seen);
const isTwice = ({ part, bytes }: Sent): boolean => part === "body" && bytes === 2 * (mebibyte + 1);

test("the limit of each part is enclosed, and twice as much tried", async () => {
  expect(await verdictOn({})).toEqual([
    expect.stringMatching(
      /^pass: a statement of 1,048,576 bytes is accepted, one of 1,048,577 refused with 400 INVALID_SQL;/,
    ),
  ]);
  const { sent } = await seenOn({});
  for (const part of ["statement", "body", "parameter"])
    expect(sent.some((one) => one.part === part && one.bytes === 2 * (mebibyte + 1))).toBe(true);
  expect(await verdictOn({ answer: () => "accepted" })).toEqual([
    "unknown: statement: no limit was met up to 16,777,216 bytes",
  ]);
  expect(await verdictOn({ answer: () => "refused" })).toEqual([
    "unknown: statement: even 1,024 bytes were not accepted",
  ]);
});

test("what is accepted above the limit is looked at again", async () => {
  expect(await verdictOn({ answer: (one) => (isTwice(one) ? "accepted" : undefined) })).toEqual([
    expect.stringMatching(/^accepted: body: .*"bytes":2097154,"why":"1,048,577 bytes are refused"/),
  ]);
  expect(await verdictOn({ answer: (one) => (isTwice(one) && one.before === 0 ? "accepted" : undefined) })).toEqual([
    "unknown: body: sometimes refused and sometimes accepted",
  ]);
});

test("the settings tell the limit of a body and of a parameter", async () => {
  const told = async (settings: Readonly<Record<string, string>>): Promise<unknown[]> =>
    (await seenOn({ settings })).seen.limits.map(({ part, told: bytes }) => [part, bytes]);
  const [body, parameter] = ["rate_limit.request_body_limit_bytes", "execution.max_parameter_size_bytes"];
  expect(await told({ [body]: "5", [parameter]: "7" })).toEqual([
    ["statement", null],
    ["body", 5],
    ["parameter", 7],
  ]);
  for (const setting of ["0", "1.5"]) expect(await told({ [body]: setting })).toContainEqual(["body", null]);
});

test.each<[Said, string]>([
  ["cut", "cutOff"],
  ["failed", "serverError"],
])("%s twice is told, once is not", async (said, finding) => {
  const at = (times: number): Server => ({ answer: (one) => (isTwice(one) && one.before < times ? said : undefined) });
  expect(await verdictOn(at(2))).toEqual([expect.stringMatching(new RegExp(`^${finding}: body: .*"bytes":2097154`))]);
  expect(await verdictOn(at(1))).toEqual([expect.stringMatching(/^pass/)]);
});

test("after a cut the client pauses, and is told that a hasty one sees less", async () => {
  const server: Server = { answer: (one) => (isTwice(one) && !one.paused ? "cut" : undefined) };
  expect(await verdictOn(server)).toEqual([expect.stringMatching(/, 1 of them early: .* may see only reset/)]);
  const { sent } = await seenOn(server);
  expect(sent.filter(isTwice).map(({ paused }) => paused)).toEqual([false, true]);
  expect(sent.filter(({ paused }) => paused)).toHaveLength(1);
  const other = await seenOn({ answer: (one) => (isTwice(one) && one.before === 0 ? "failed" : undefined) });
  expect(other.sent.filter(isTwice).map(({ paused }) => paused)).toEqual([false, false]);
  // Something in between may cut as well.
  expect(await verdictOn({ answer: (one) => (isTwice(one) ? "cut" : undefined), direct: false })).toEqual([
    expect.stringMatching(/^unknown: body: 2,097,154 bytes: reset/),
  ]);
});

test("silence is late beside the largest that was accepted", async () => {
  expect(await verdictOn({ answer: (one) => (isTwice(one) ? "silent" : undefined) })).toEqual([
    expect.stringMatching(/^hung: body: .*"bytes":2097154,"waitedMs":5000,"controlMs":\d/),
  ]);
});

test("the query after a refusal is asked until it is answered", async () => {
  const nexts = (said: Said, from: number) => async (): Promise<string[]> =>
    await verdictOn({ next: (number) => (number >= from ? said : undefined) });
  expect(await nexts("refused", 1)()).toContainEqual(expect.stringMatching(/^spoiltNext: statement: /));
  expect(await nexts("failed", 1)()).toEqual([
    expect.stringMatching(/^unknown: statement: after .* bytes a simple query got 500/),
  ]);
  expect(await verdictOn({ next: (number) => (number === 1 ? "refused" : undefined) })).toEqual([
    expect.stringMatching(/^pass/),
  ]);
  // It may fail once, on the connection that was closed.
  expect(await verdictOn({ next: (number) => (number % 3 === 0 ? undefined : "cut") })).toEqual([
    expect.stringMatching(/^pass/),
  ]);
});
