import { errorBody } from "../../../src/faults/sql.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import type { RawAnswer } from "../../../src/wire/wire.ts";
import { nothing } from "../../vocabulary/evidence.ts";
import { recoversFromOverload } from "./index.ts";

type Seen = Parameters<typeof recoversFromOverload.judge>[0];
type Phase = Seen["before"];

const delays = { count: 30, p50: 40, p95: 60, p99: 80, max: 80 };
const calm: Phase = {
  perSecond: 12,
  offered: 30,
  inFlight: 2,
  right: 30,
  refused: 0,
  broken: 0,
  wrong: 0,
  sample: [],
  unanswered: 0,
  delays,
  ownLateMs: 3,
  heldMs: 0,
};
const overload: Phase = { ...calm, perSecond: 96, offered: 480, inFlight: 48, right: 300, refused: 12 };
const sound: Seen = { knee: 48, before: calm, overload, after: [calm] };
const slow: Phase = { ...calm, delays: { ...delays, p50: 300, p95: 390, p99: 400, max: 400 } };
const quick = (p99: number): Phase => ({ ...calm, delays: { ...delays, p99 } });

/** Requests of the load under way at once from which on the faults begin: the search for the knee has 16. */
const manyFrom = 24;

/** Changes answers to the load; `most`: the most that have been under way so far. */
function loadFault(
  name: string,
  change: (answer: RawAnswer, load: { readonly underWay: number; readonly most: number }) => RawAnswer,
): Fault {
  return {
    name,
    wrap(wire, fired) {
      let [underWay, most] = [0, 0];
      return {
        ...wire,
        async exchange(request) {
          if (request.connection?.startsWith("load ") !== true) return await wire.exchange(request);
          underWay += 1;
          most = Math.max(most, underWay);
          const load = { underWay, most };
          try {
            const answer = await wire.exchange(request);
            const changed = change(answer, load);
            if (changed !== answer) fired();
            return changed;
          } finally {
            underWay -= 1;
          }
        },
      };
    },
  };
}

/** A pool that is used up. */
const failWhenMany = loadFault("failWhenMany", (answer, { underWay }) =>
  underWay < manyFrom || answer.kind !== "answered"
    ? answer
    : { ...answer, status: 500, body: Buffer.from(JSON.stringify(errorBody("INTERNAL_ERROR", "pool timed out"))) },
);

/** The request is lost with its worker; the proof need not wait for it. */
const loseWhenMany = loadFault("loseWhenMany", (answer, { underWay }) =>
  underWay < manyFrom
    ? answer
    : {
        kind: "broken",
        because: "timeout",
        detail: "no answer within 15000 ms",
        sentAt: answer.sentAt,
        doneAt: answer.doneAt,
      },
);

/** What queued up is never worked off: each answer is late by the clock alone, so that the proof need not wait. */
const staySlow = loadFault("staySlowAfterOverload", (answer, { most }) =>
  most < manyFrom || answer.kind !== "answered"
    ? answer
    : { ...answer, doneAt: answer.doneAt + 30_000, body: Buffer.concat([answer.body, Buffer.from(" ")]) },
);

export default proveCheck(recoversFromOverload, {
  holds: [
    sound,
    { ...sound, after: [{ ...calm, ownLateMs: 210 }] },
    { ...sound, after: [slow, calm] },
    { ...sound, after: [quick(900)] },
    { ...sound, before: quick(5), after: [quick(250)] },
    { ...sound, before: quick(200), after: [quick(400)] },
    { ...sound, overload: { ...overload, broken: 9, sample: [nothing("reset")] } },
    { ...sound, overload: { ...overload, broken: 20, sample: [nothing("reset")] } },
  ],
  cannotTell: [
    { ...sound, knee: null },
    { ...sound, knee: 9, overload: { ...overload, unanswered: 10 } },
    { ...sound, before: { ...calm, right: 9, offered: 9 } },
    { ...sound, before: { ...calm, right: 29 } },
    { ...sound, before: { ...calm, delays: null } },
    { ...sound, overload: { ...overload, inFlight: 20 } },
    { ...sound, after: [] },
    // Connections broke before the overload, too.
    {
      ...sound,
      before: { ...calm, right: 29, broken: 1 },
      overload: { ...overload, broken: 100, sample: [nothing("reset")] },
    },
    { ...sound, after: [{ ...calm, right: 3 }] },
    { ...sound, after: [{ ...slow, ownLateMs: 210 }] },
    { ...sound, after: [{ ...slow, heldMs: 900 }] },
  ],
  breaks: {
    collapsed: {
      seen: { ...sound, overload: { ...overload, broken: 24, sample: [nothing("reset")] } },
      fault: failWhenMany,
    },
    // The requests that are lost keep the server busy all the same.
    stoppedAnswering: {
      seen: { ...sound, overload: { ...overload, unanswered: 10 } },
      also: ["staysSlow"],
      fault: loseWhenMany,
    },
    staysSlow: { seen: { ...sound, after: [slow, slow] }, fault: staySlow },
  },
  mayBeLost: [{ what: /^SELECT COUNT/, because: "one of hundreds, and those that were answered are counted" }],
});
