import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { observeBurst } from "./burst.ts";

/** Within it, a bucket that starts full lets through twice the limit, and three times as many are sent. */
const burstMsMax = 1_000;

export const rateLimitSaysSo = defineCheck({
  id: "backpressure/rate-limit-says-so",
  title: "Too many queries are refused with a code, and only briefly",
  failureTitle: "The rate limit does not hold, or does harm",
  description:
    "Sends three times as many queries at once as one user may per second (rate_limit.max_queries_per_sec), every fifth an INSERT. Some must be refused, each with 429 and a code; refused INSERTs must not be in the table; another account must be served meanwhile, and the user again within two seconds. It runs only where the server takes us for a client on its own machine: elsewhere an address that goes on above its limit is banned.",
  blindTo: "Limits by address, which lead to a ban, and limits above 300 per second, which take too much to try.",
  risk: "One client can slow the server down for all, or programs cannot tell that they must wait.",
  remedy: "Set rate_limit.max_queries_per_sec to what clients need, and let clients wait and retry after a 429.",
  covers: [],
  touches: "load",
  needs: ["dba"],
  alone: true,
  testsRates: true,
  level: "block",
  estimateMs: 2_500,
  estimateRequests: 330,
  timeoutMs: 90_000,
  limits: { shutMsMax: 2_000 },
  findings: {
    noLimit: {
      say: (d: { served: number; tookMs: number; limit: number }) =>
        `${d.served} queries of one user were served within ${d.tookMs} ms, although the limit is ${d.limit} per second`,
    },
    wrongCode: {
      say: (d: { odd: readonly string[]; refused: number }) =>
        `${d.refused} queries were refused, but not all with 429 and a code: ${d.odd.join(", ")}`,
      risk: "A program cannot tell that it was too fast, and reports an error instead of waiting.",
    },
    refusedButDone: {
      say: (d: { rows: number; refused: number; first: readonly number[] }) =>
        `${d.rows} of ${d.refused} refused INSERTs were done, such as those of the keys ${d.first.join(", ")}`,
      risk: "A client that is refused tries again, and what it does is done twice.",
      remedy: "Give each request a key of its own in the data, so that a repeated one is noticed.",
    },
    spread: {
      say: (d: { refused: number; asked: number }) =>
        `while one user was too fast, ${d.refused} of ${d.asked} queries of another account were refused for the rate`,
      risk: "One client that is too fast shuts out all others.",
    },
    staysShut: {
      say: (d: { shutMs: number | null }) =>
        d.shutMs === null
          ? "the user was not served again within 6 s"
          : `the user was served again only after ${d.shutMs} ms`,
      timed: true,
    },
  },
  observe: observeBurst,
  judge({ unsafe, limit, tally, tookMs, shutMs, bystander, refusedWrites, done, exchanges: sent }, { found, limits }) {
    if (unsafe !== null) return unknown(`not tried: ${unsafe}`);
    const { served, refused, odd, unclear } = tally;
    if (refused === 0 && served >= 2.5 * limit && tookMs <= burstMsMax)
      found.noLimit({ served, tookMs, limit }, { sent });
    if (odd.length > 0) found.wrongCode({ odd, refused }, { sent });
    if (done !== null && done.length > 0)
      found.refusedButDone({ rows: done.length, refused: refusedWrites, first: done.slice(0, 5) }, { sent });
    if (bystander.refused > 0) found.spread({ refused: bystander.refused, asked: bystander.asked }, { sent });
    if (refused > 0 && (shutMs === null || shutMs > limits.shutMsMax)) found.staysShut({ shutMs }, { sent });

    if (refused === 0)
      return unknown(
        `none of ${served} queries was refused, but they took ${tookMs} ms; ${unclear} got no clear answer`,
      );
    if (served === 0) return unknown("no query was served");
    if (refusedWrites === 0) return unknown(`${refused} queries were refused, but no INSERT among them`);
    if (done === null) return unknown("the table could not be read afterwards");
    if (bystander.served === 0)
      return unknown(`none of ${bystander.asked} queries of another account was served meanwhile`);
    return pass(
      `of ${served + refused + unclear} queries at once ${refused} were refused with 429 and a code, ${refusedWrites} INSERTs of them not done; served again after ${shutMs ?? 0} ms, another account meanwhile`,
    );
  },
});
