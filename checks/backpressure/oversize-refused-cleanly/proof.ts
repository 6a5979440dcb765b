import { proveCheck, type Fault } from "../../../src/proof.ts";
import { refuseIt, sqlFault } from "../../../src/faults/sql.ts";
import { oversizeRefusedCleanly } from "./index.ts";
import type { Sized } from "./looking.ts";
import type { Part } from "./trying.ts";

const [half, limit] = [524_288, 1_048_576];
const fine = { kind: "fine", text: "200 n = 11" } as const;
const at = (part: Part, bytes: number, change: Partial<Sized> = {}): Sized => ({
  part,
  bytes,
  kind: bytes <= limit ? "accepted" : "refused",
  text: bytes <= limit ? `200 n = ${bytes}` : "400 INVALID_SQL",
  by: "",
  tookMs: 9,
  exchange: 5,
  next: bytes <= limit ? null : fine,
  pace: { waitedMs: 9, controlMs: 8 },
  hasty: null,
  ...change,
});
const limitOf = (part: Part) => ({
  part,
  told: null as number | null,
  tries: [at(part, half), at(part, limit), at(part, 2 * limit), at(part, limit + 1), at(part, 2 * limit + 2)],
});
const sound = { limits: (["statement", "body", "parameter"] as const).map(limitOf), direct: true };

/** The evidence with other tries of the parameter. */
const parameter = (tries: readonly Sized[], change: object = {}) => ({
  limits: sound.limits.map((one) => (one.part === "parameter" ? { ...one, tries, ...change } : one)),
  direct: true,
});
const [first, second, ...others] = limitOf("parameter").tries as [Sized, Sized, ...Sized[]];
const twice = (change: Partial<Sized>) =>
  parameter([
    first,
    second,
    at("parameter", 2 * limit, { kind: "refused", next: fine, ...change }),
    ...others.slice(1),
  ]);
const acceptedTwice = [
  ...limitOf("parameter").tries.slice(0, 4),
  at("parameter", 2 * limit + 2, { kind: "accepted", next: null }),
  at("parameter", limit + 1),
  at("parameter", 2 * limit + 2, { kind: "accepted", next: null }),
];

const lengthOf = (body: { readonly params?: unknown }): number => {
  const [value] = Array.isArray(body.params) ? (body.params as readonly unknown[]) : [];
  return typeof value === "string" ? value.length : 0;
};
/** Above any limit of a parameter in the sandbox. */
const tooLong = 600_000;

const lengthAnswer = (bytes: number) => ({
  status: 200,
  body: {
    status: "success",
    results: [{ schema: [{ name: "n", data_type: "BigInt", index: 0 }], rows: [[bytes]], row_count: 1 }],
    took: 1,
  },
});

/** The server cuts what is too long for a parameter, and goes on with the rest. */
const cutParameters: Fault = sqlFault("cutParametersThatAreTooLong", (_, body) =>
  lengthOf(body) < tooLong ? undefined : Promise.resolve(lengthAnswer(half)),
);

/** The length is counted in a way that goes wrong for some sizes. */
const takeTwice: Fault = sqlFault("takeTwiceTheLimit", (sql) => {
  const [, text] = /^SELECT LENGTH\('(x*)'\) AS n$/.exec(sql) ?? [];
  const isTwice = sql.length === 2 * (limit + 1) && text !== undefined;
  return isTwice ? Promise.resolve(lengthAnswer(text.length)) : undefined;
});

/** What is left of a refused statement is read as the next request. */
const readTheRest = (): Fault => {
  let isLeft = false;
  return sqlFault("readTheRestAsTheNextRequest", (sql) => {
    const isNext = isLeft && sql === "SELECT 11 AS n";
    isLeft = sql.length > limit;
    return isNext ? Promise.resolve({ status: 400, body: "" }) : undefined;
  });
};

const statementTooLong = /^[^]{1048577}/;

export default proveCheck(oversizeRefusedCleanly, {
  holds: [
    sound,
    { ...sound, direct: false },
    parameter([...limitOf("parameter").tries], { told: limit }),
    twice({ text: "413 <html>", by: "nginx" }),
    twice({ hasty: "reset: write EPIPE" }),
  ],
  cannotTell: [
    { ...sound, limits: [] },
    { ...sound, limits: sound.limits.slice(0, 2) },
    parameter([]),
    parameter([at("parameter", 1_024, { kind: "refused", next: fine })]),
    parameter([first, second]),
    parameter([first, second, at("parameter", limit + 1)]),
    parameter(acceptedTwice.slice(0, 5)),
    twice({ kind: "unclear", text: "503 <html>" }),
    { ...twice({ kind: "cut", text: "reset: ECONNRESET" }), direct: false },
    twice({ kind: "silent", text: "timeout", pace: { waitedMs: 5_000, controlMs: 700 } }),
    twice({ kind: "silent", text: "timeout", pace: { waitedMs: 5_000, controlMs: null } }),
    twice({ kind: "silent", text: "timeout", next: { kind: "unclear", text: "timeout" } }),
    twice({ next: { kind: "gone", text: "unreachable" } }),
  ],
  breaks: {
    accepted: { seen: parameter(acceptedTwice), fault: cutParameters },
    serverError: {
      seen: twice({ kind: "failed", text: "500 INTERNAL_ERROR" }),
      fault: refuseIt("panicAtLongStatements", statementTooLong, { status: 500, code: "INTERNAL_ERROR" }),
    },
    hung: {
      seen: twice({ kind: "silent", text: "timeout", pace: { waitedMs: 5_000, controlMs: 12 } }),
      fault: sqlFault("neverAnswerLongStatements", (sql) =>
        statementTooLong.test(sql) ? Promise.resolve("silent") : undefined,
      ),
    },
    cutOff: {
      seen: twice({ kind: "cut", text: "reset: ECONNRESET" }),
      fault: sqlFault("cutTheConnection", (sql) => (statementTooLong.test(sql) ? Promise.resolve("lost") : undefined)),
    },
    spoiltNext: { seen: twice({ next: { kind: "spoilt", text: "400" } }), fault: readTheRest() },
  },
});

/** Further faults, by the finding that they must cause (faults.test.ts). */
export const alsoFound: Readonly<Record<string, readonly Fault[]>> = { accepted: [takeTwice] };
