import type { Fault } from "../../../src/proof.ts";
import type { RawAnswer, RawRequest } from "../../../src/wire/wire.ts";
import { proveCheck } from "../../../src/proof.ts";
import { latePace, no, nothing, slowPace, yes } from "../../vocabulary/evidence.ts";
import { badRequests } from "./bad-requests.ts";
import { malformedRequestsRefused } from "./index.ts";

const asked = Array.from({ length: badRequests.length }, (_, at) => ({
  case: `case ${at}`,
  request: "POST /v1/api/sql null",
  status: 400 as number | null,
  code: "INVALID_INPUT",
  broke: "",
  text: '{"status":"error"}',
  needsCode: true,
  pace: latePace,
  exchange: at,
}));
const controls = ["", "case 7", "case 15"].map((after) => ({ after, said: yes() }));
const sound = { asked, controls, wanted: badRequests.length };
const first = (change: object) => ({
  ...sound,
  asked: [{ ...asked[0], ...change } as (typeof asked)[0], ...asked.slice(1)],
});
const after = (said: ReturnType<typeof yes>) => [...controls.slice(0, 2), { after: "case 15", said }];

type Broken = Omit<Extract<RawAnswer, { kind: "broken" }>, "sentAt" | "doneAt">;

/** Answers bad requests of this body itself. */
function answerFor(name: string, body: string, instead: Broken | ReturnType<typeof answered>): Fault {
  return {
    name,
    wrap: (wire, fired) => ({
      ...wire,
      async exchange(request: RawRequest) {
        const answer = await wire.exchange(request);
        if (request.body !== body) return answer;
        fired();
        return { ...instead, sentAt: answer.sentAt, doneAt: answer.doneAt };
      },
    }),
  };
}
const answered = (status: number, text: string) => ({
  kind: "answered" as const,
  status,
  headers: { "content-type": "application/json" },
  body: new TextEncoder().encode(text),
});

export default proveCheck(malformedRequestsRefused, {
  holds: [sound, first({ status: 404, code: "", needsCode: false, text: "" })],
  cannotTell: [
    { asked: [], controls: [], wanted: badRequests.length },
    { ...sound, asked: asked.slice(1) },
    { ...sound, asked: asked.slice(0, 5), wanted: 5 },
    { ...sound, controls: [{ after: "", said: nothing() }] },
    { ...sound, controls: after(nothing()) },
    { ...sound, controls: after(no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429)) },
    first({ status: 503, code: "" }),
    first({ status: 429, code: "RATE_LIMIT_EXCEEDED" }),
    first({ code: "" }),
    first({ status: null, broke: "unreachable" }),
    // A server that is slow altogether is not accused.
    first({ status: null, broke: "timeout", pace: slowPace }),
    // Nothing answers any more: the way there may be broken.
    { ...first({ status: null, broke: "timeout" }), controls: after(nothing()) },
    { ...first({ status: null, broke: "reset" }), controls: after(nothing()) },
  ],
  breaks: {
    serverError: {
      seen: first({ status: null, broke: "reset" }),
      fault: answerFor("breakOnNull", "null", { kind: "broken", because: "reset", detail: "a fault" }),
    },
    accepted: {
      seen: first({ status: 200, code: "" }),
      fault: answerFor(
        "takeAListForARequest",
        '["SELECT 1"]',
        answered(200, '{"status":"success","results":[],"took":1}'),
      ),
    },
    hung: {
      seen: first({ status: null, broke: "timeout" }),
      fault: answerFor("neverAnswer", "{}", { kind: "broken", because: "timeout", detail: "a fault" }),
    },
  },
});
