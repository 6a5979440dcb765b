import { changeFault } from "../../../src/faults/live.ts";
import { proveCheck } from "../../../src/proof.ts";
import { parallelSubscriptionsSeparate } from "./index.ts";

const shares = [1, 5].flatMap((sockets) =>
  [0, 1, 2].map((group) => ({
    sockets,
    group,
    own: 8,
    crossed: [] as string[],
    fenced: true,
    silent: false,
    exchange: 1,
  })),
);
const sound = { shares, groups: 3, rows: 8, unwritten: 0 };
const firstIs = (change: object) => ({
  ...sound,
  shares: shares.map((share, at) => (at === 0 ? { ...share, ...change } : share)),
});
/** The last row, at light effort and at others. */
const isLast = (message: object) => / r[37]\b/.test(JSON.stringify(message));

export default proveCheck(parallelSubscriptionsSeparate, {
  holds: [sound, { ...sound, shares: shares.filter(({ group }) => group < 2), groups: 2 }],
  cannotTell: [
    firstIs({ fenced: false, own: 2 }),
    // Nothing arrived for any of them: the whole server may be late.
    { ...sound, shares: shares.map((share) => ({ ...share, own: 0, fenced: false, silent: true })) },
    // Nothing on its one socket: the others say nothing about that.
    {
      ...sound,
      shares: shares.map((share) => (share.sockets > 1 ? share : { ...share, own: 0, fenced: false, silent: true })),
    },
    { ...firstIs({ own: 7 }), unwritten: 1 },
    { ...sound, shares: shares.slice(1) },
    { ...sound, shares: shares.filter(({ group }) => group < 1), groups: 1 },
    { ...sound, shares: shares.map((share) => (share.sockets === 1 ? share : { ...share, fenced: false })) },
    { shares: [], groups: 0, rows: 8, unwritten: 0 },
  ],
  breaks: {
    crossed: {
      seen: firstIs({ crossed: ["g1 r3"] }),
      // Delivered to its own subscription, and to another one.
      fault: changeFault(
        "deliverToAnotherToo",
        9,
        (message) => [message, { ...message, subscription_id: message["subscription_id"] === "q1" ? "q2" : "q1" }],
        (message) => !isLast(message),
      ),
    },
    lostChange: {
      seen: firstIs({ own: 0, fenced: false, silent: true }),
      fault: changeFault(
        "dropOneChangeInNine",
        9,
        () => [],
        (message) => !isLast(message),
      ),
    },
  },
});
