import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { saidOf, type Reply, type Said, truncated } from "../../../src/server/target.ts";
import { sampleAtLight } from "../../vocabulary/sample.ts";
import { askedTwice, isPassing, isServerError as isAnError } from "../../vocabulary/second-look.ts";
import { badRequests, type BadRequest } from "./bad-requests.ts";
import { askPatiently, isLate, paceText, whySlow, type Pace } from "../../vocabulary/pace.ts";

/** Long enough for anything that a server does with a hundred kilobytes, unless it is slow altogether. */
const answerWithinMs = 5_000;
/** Fewer show too little. */
const requestsMin = 20;
/** A valid request follows every so many malformed ones, to see near which one a server stops answering. */
const controlEvery = 8;
/** Other paths may answer with a bare status. */
const sqlPath = "/v1/api/sql";

type Asked = {
  readonly case: string;
  readonly request: string;
  /** Null if no status line came. */
  readonly status: number | null;
  /** The error code in the body; empty if there is none. */
  readonly code: string;
  /** Why the answer is incomplete; empty if it is complete. */
  readonly broke: string;
  readonly text: string;
  readonly needsCode: boolean;
  /** Of the last attempt. */
  readonly pace: Pace;
  readonly exchange: number;
};
type Control = { readonly after: string; readonly said: Said };

function read(one: BadRequest, reply: Reply, pace: Pace): Asked {
  const answered = reply.kind === "answered";
  const shown = typeof one.body === "string" ? truncated(one.body, 80) : one.body === undefined ? "" : "bytes";
  return {
    case: one.name,
    request: `${one.method} ${one.path} ${shown}`.trim(),
    status: reply.status ?? null,
    code: /"code"\s*:\s*"([A-Z_]+)"/.exec(reply.text)?.[1] ?? "",
    broke: answered ? "" : reply.because,
    text: answered ? truncated(reply.text.replace(/\s+/g, " "), 160) : reply.detail,
    needsCode: one.path === sqlPath && one.method === "POST",
    pace,
    exchange: reply.exchange,
  };
}

type Data = { case: string; request: string };

export const malformedRequestsRefused = defineCheck({
  id: "validation/malformed-requests-refused",
  title: "Malformed requests are rejected",
  failureTitle: "A malformed request is accepted, hangs or causes an error",
  description: `Sends ${badRequests.length} malformed requests, or a third of them at light effort (broken JSON, wrong types, invalid UTF-8, wrong methods, paths and headers, parameters that do not match) and a valid one after every ${controlEvery}. Each must be answered with a status from 400 to 499 and, by the SQL interface, with an error code.`,
  blindTo:
    "Requests that violate HTTP itself (false lengths, truncated headers), large requests, and names that can crash a server; see the backpressure category and validation/hostile-names-harmless.",
  risk: "A bug in a client crashes the server, or its request is executed as something else.",
  remedy: "Put a proxy in front of the server that validates method, path, type and size; use only tested clients.",
  covers: [],
  touches: "nothing",
  level: "block",
  estimateMs: 1_500,
  estimateRequests: badRequests.length + Math.ceil(badRequests.length / controlEvery) + 1,
  findings: {
    serverError: {
      say: (d: Data & { outcome: string }) => `${d.case}: ${d.request} got ${d.outcome}`,
    },
    accepted: {
      say: (d: Data & { status: number }) => `${d.case}: ${d.request} was accepted with status ${d.status}`,
      risk: "A client with a bug gets a success for a request that did nothing, or something else.",
    },
    hung: {
      say: (d: Data & { pace: Pace }) =>
        `${d.case}: ${d.request} got no answer within ${d.pace.waitedMs} ms, ${paceText(d.pace)}, twice`,
      risk: "A client with a bug waits until it times out, and its connections pile up on the server.",
      timed: true,
    },
  },
  async observe(target, context) {
    const asked: Asked[] = [];
    const controls: Control[] = [];
    const control = async (after: string): Promise<boolean> => {
      const ask = async (): Promise<Said> => saidOf(await target.sql(target.login, "SELECT 1 AS alive"));
      const { last: said } = await askedTwice(ask, ({ why, status }) => breaks.has(why) || isPassing(status));
      controls.push({ after, said });
      return said.kind === "ok";
    };
    if (!(await control(""))) return { asked, controls, wanted: badRequests.length };
    const some = sampleAtLight(context, badRequests, 3, ({ body }) =>
      ["null", "{}", '["SELECT 1"]'].includes(String(body)),
    );
    const wanted = some.length;
    for (const [at, one] of some.entries()) {
      const { name: _, ...request } = one;
      const send = async (): Promise<Asked> => {
        const { value, pace } = await askPatiently(target, target.login, {
          floorMs: answerWithinMs,
          wait: async (timeoutMs) => await target.request(target.login, { ...request, timeoutMs }),
          done: (reply) => reply.kind === "answered" || reply.because !== "timeout",
        });
        return read(one, value, pace);
      };
      const first = await send();
      // A connection that breaks once may have broken by chance. With a valid request in between, a moment has passed.
      const isBroken = breaks.has(first.broke);
      if (isBroken) await target.sql(target.login, "SELECT 1 AS alive");
      asked.push(isBroken ? await send() : first);
      const isDue = (at + 1) % controlEvery === 0 || at === some.length - 1;
      if (isDue && !(await control(one.name))) break;
    }
    return { asked, controls, wanted };
  },
  judge({ asked, controls, wanted }, { found }) {
    const [first] = controls;
    const failed = controls.find(({ said }) => said.kind !== "ok");
    // Of no controls, too: then neither is there.
    if (failed === first)
      return unknown(`a valid request does not work even at the start: ${first?.said.message ?? "it was not tried"}`);
    // If the server is gone, what broke last may have ended it; if nothing answers in time, the network may be down.
    const isGone = failed === undefined || ["unreachable", "reset"].includes(failed.said.why);
    for (const one of asked)
      if (one.status !== null && one.status < 400 && !isServerError(one))
        found.accepted({ ...dataOf(one), status: one.status }, { case: one.case, sent: one });
    for (const one of isGone ? asked.filter(isServerError) : []) {
      const outcome = one.broke === "" ? `${one.status} ${one.text}` : `a broken connection (${one.broke})`;
      found.serverError({ ...dataOf(one), outcome }, { case: one.case, sent: one });
    }
    const silent = failed === undefined ? asked.filter(({ broke }) => broke === "timeout") : [];
    for (const one of silent.filter(({ pace }) => isLate(pace)))
      found.hung({ ...dataOf(one), pace: one.pace }, { case: one.case, sent: one });

    if (failed !== undefined) {
      const { status, why, message } = failed.said;
      return unknown(`after ${failed.after} a valid request got ${status ?? why} ${message}`);
    }
    if (silent[0] !== undefined) return unknown(`${silent[0].case}: no answer; ${whySlow(silent[0].pace)}`);
    const unclear = asked.find((one) => one.status === null || one.status === 429 || isPassing(one.status));
    if (unclear !== undefined) return unknown(`${unclear.case}: ${unclear.status ?? unclear.broke} ${unclear.text}`);
    const uncoded = asked.find((one) => one.needsCode && one.code === "");
    if (uncoded !== undefined)
      return unknown(`${uncoded.case}: status ${uncoded.status} without an error code: ${uncoded.text}`);
    if (asked.length < Math.max(wanted, requestsMin))
      return unknown(`only ${asked.length} of ${badRequests.length} requests were sent`);
    return pass(
      `${asked.length} of ${badRequests.length} sent, all rejected with 4xx; ${controls.length} of ${controls.length} valid requests in between answered`,
    );
  },
});

const breaks: ReadonlySet<string> = new Set(["reset", "cut", "malformed"]);

function isServerError({ status, broke }: Asked): boolean {
  return isAnError(status) || breaks.has(broke);
}

function dataOf({ case: name, request }: Asked): Data {
  return { case: name, request };
}
