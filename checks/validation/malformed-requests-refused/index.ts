import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { saidOf, type Reply, type Said } from "../../../src/server/target.ts";
import { badRequests, type BadRequest } from "./bad-requests.ts";

/** Long enough for anything that a server does with a hundred kilobytes. */
const answerWithinMs = 5_000;
/** After so many bad ones a good one, so that a server which stopped answering is noticed near to where it did. */
const controlEvery = 8;
/** Paths other than that of SQL may answer with a bare status. */
const sqlPath = "/v1/api/sql";

type Asked = {
  readonly case: string;
  readonly request: string;
  /** Null where no status line came. */
  readonly status: number | null;
  /** The error's code in the body; empty where there is none. */
  readonly code: string;
  /** Why no whole answer came; empty where one did. */
  readonly broke: string;
  readonly text: string;
  readonly needsCode: boolean;
  readonly exchange: number;
};
type Control = { readonly after: string; readonly said: Said };

function read(one: BadRequest, reply: Reply): Asked {
  const code = /"code"\s*:\s*"([A-Z_]+)"/.exec(reply.text)?.[1] ?? "";
  const shown = typeof one.body === "string" ? one.body.slice(0, 80) : one.body === undefined ? "" : "bytes";
  return {
    case: one.name,
    request: `${one.method} ${one.path} ${shown}`.trim(),
    status: reply.kind === "answered" ? reply.status : (reply.status ?? null),
    code,
    broke: reply.kind === "answered" ? "" : reply.because,
    text: reply.kind === "answered" ? reply.text.replace(/\s+/g, " ").slice(0, 160) : reply.detail,
    needsCode: one.path === sqlPath && one.method === "POST",
    exchange: reply.exchange,
  };
}

export const malformedRequestsRefused = defineCheck({
  id: "validation/malformed-requests-refused",
  title: "Requests that are not well formed are refused",
  failureTitle: "A malformed request is accepted, hangs, or breaks something",
  description: `Sends ${badRequests.length} requests that are none: broken JSON, wrong types, bytes that are no text, wrong methods, paths and headers, parameters that do not fit; and a good one after every ${controlEvery}. Each must be answered with a status from 400 to 499 and, by the SQL interface, with a code.`,
  blindTo:
    "It does not send what breaks HTTP itself (lengths that lie, cut headers), nothing large, and no names that could end a server; backpressure/oversize-refused-cleanly and validation/hostile-names-harmless do.",
  risk: "A bug in a client brings the server down, or is taken for a request that nobody meant.",
  remedy: "Put a proxy before the server that checks method, path, type and size; keep to clients that are tested.",
  covers: [],
  touches: "nothing",
  level: "block",
  estimateMs: 1_500,
  estimateRequests: badRequests.length + Math.ceil(badRequests.length / controlEvery) + 1,
  findings: {
    serverError: {
      say: (d: { case: string; request: string; outcome: string }) => `${d.case}: ${d.request} got ${d.outcome}`,
    },
    accepted: {
      say: (d: { case: string; request: string; status: number }) =>
        `${d.case}: ${d.request} was accepted with status ${d.status}`,
    },
    hung: {
      say: (d: { case: string; request: string; withinMs: number }) =>
        `${d.case}: ${d.request} got no answer within ${d.withinMs / 1000} s`,
    },
  },
  async observe(target) {
    const asked: Asked[] = [];
    const controls: Control[] = [];
    const control = async (after: string): Promise<boolean> => {
      const said = saidOf(await target.sql(target.login, "SELECT 1 AS alive"));
      controls.push({ after, said });
      return said.kind === "ok";
    };
    if (!(await control(""))) return { asked, controls };
    for (const [at, one] of badRequests.entries()) {
      const { name: _, ...request } = one;
      const send = async () => read(one, await target.request(target.login, { ...request, timeoutMs: answerWithinMs }));
      const first = await send();
      // A connection that breaks once may have broken by itself.
      asked.push(breaks.has(first.broke) ? await send() : first);
      const isDue = (at + 1) % controlEvery === 0 || at === badRequests.length - 1;
      if (isDue && !(await control(one.name))) break;
    }
    return { asked, controls };
  },
  judge({ asked, controls }) {
    const about = (one: Asked) => ({ case: one.case, sent: [one.exchange] });
    const data = (one: Asked) => ({ case: one.case, request: one.request });
    const hung = asked
      .filter(({ broke }) => broke === "timeout")
      .map((one) => ({ name: "hung" as const, data: { ...data(one), withinMs: answerWithinMs }, ...about(one) }));
    const accepted = asked.flatMap((one) =>
      one.status === null || one.status >= 400 || isServerError(one)
        ? []
        : [{ name: "accepted" as const, data: { ...data(one), status: one.status }, ...about(one) }],
    );
    const broken = asked.filter(isServerError).map((one) => {
      const outcome = one.broke === "" ? `${one.status} ${one.text}` : `a broken connection (${one.broke})`;
      return { name: "serverError" as const, data: { ...data(one), outcome }, ...about(one) };
    });
    const [first] = controls;
    const dead = controls.find(({ said }) => said.kind !== "ok");
    if (first === undefined || dead === first)
      return unknown(`a good request does not work to begin with: ${first?.said.message ?? "it was not tried"}`);
    // Where nobody is there any more, what broke just before may have ended it; where nothing answers in time, the way there may be broken.
    const isGone = dead === undefined || ["unreachable", "reset"].includes(dead.said.why);
    const found = [...accepted, ...(isGone ? broken : []), ...(dead === undefined ? hung : [])];
    if (found.length > 0) return fail(...found);
    if (dead !== undefined)
      return unknown(
        `after ${dead.after} a good request got ${dead.said.status ?? dead.said.why} ${dead.said.message}`,
      );
    const vague = asked.find((one) => one.status === null || [429, 503].includes(one.status));
    if (vague !== undefined) return unknown(`${vague.case}: ${vague.status ?? vague.broke} ${vague.text}`);
    const mute = asked.find((one) => one.needsCode && one.code === "");
    if (mute !== undefined)
      return unknown(`${mute.case}: status ${mute.status}, and no code that says why: ${mute.text}`);
    if (asked.length < badRequests.length)
      return unknown(`only ${asked.length} of ${badRequests.length} requests were sent`);
    return pass(
      `${asked.length} of ${asked.length} refused with 4xx; ${controls.length} of ${controls.length} good requests in between answered`,
    );
  },
});

const breaks: ReadonlySet<string> = new Set(["reset", "cut", "malformed"]);

function isServerError({ status, broke }: Asked): boolean {
  return (status !== null && status >= 500 && status !== 503) || breaks.has(broke);
}
