import { breakServer } from "../../../src/faults/sql.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import type { Said } from "../../../src/server/target.ts";
import { healthTellsTruth } from "./index.ts";

type Kind = "open" | "closed" | "none" | "unsure";
const health = (kind: Kind, healthy = kind === "open", outcome = kind as string) => ({
  kind,
  healthy,
  outcome,
  exchange: 1,
});
const round = (told: ReturnType<typeof health>, sql: Said | null = yes()) => ({ health: told, sql });
const five = <T>(one: T): T[] => Array.from({ length: 5 }, () => one);
const sound = { rounds: five(round(health("open"))), forRemote: health("closed") };
const remote = { rounds: five(round(health("closed"))), forRemote: health("closed") };
const once = (one: ReturnType<typeof round>) => ({ ...sound, rounds: [...sound.rounds.slice(1), one] });
const down = { ...nothing("unavailable"), status: 503 };

/** Replaces answers to GET /health; `chosen` decides by whether the request was for a remote client. */
function answerHealth(name: string, status: number, word: string, chosen: (forRemote: boolean) => boolean): Fault {
  return {
    name,
    wrap: (wire, fired) => ({
      ...wire,
      async exchange(request) {
        const answer = await wire.exchange(request);
        const mine = request.path === "/health" && chosen(request.headers["x-forwarded-for"] !== undefined);
        if (!mine || answer.kind !== "answered") return answer;
        fired();
        return { ...answer, status, body: new TextEncoder().encode(JSON.stringify({ status: word })) };
      },
    }),
  };
}

export default proveCheck(healthTellsTruth, {
  holds: [sound, remote, { ...sound, forRemote: health("none") }],
  cannotTell: [
    { ...sound, rounds: [] },
    { ...sound, rounds: five(round(health("open"), null)) },
    { ...remote, rounds: five(round(health("closed"), null)) },
    once(round(health("open"), down)),
    once(round(health("unsure"))),
    once(round(health("open", false, "200 degraded"))),
    once(round(health("open"), no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429))),
    { rounds: five(round(health("none"))), forRemote: health("none") },
    { ...sound, forRemote: health("unsure") },
    { ...remote, rounds: five(round(health("closed"), down)) },
  ],
  breaks: {
    healthyButRefusing: {
      seen: { ...sound, rounds: five(round(health("open"), down)) },
      fault: breakServer("breakTheQuery", /^SELECT 1 AS serves$/),
    },
    sickButServing: {
      seen: { ...sound, rounds: five(round(health("open", false, "503 unhealthy"))) },
      fault: answerHealth("reportUnhealthy", 503, "unhealthy", (forRemote) => !forRemote),
    },
    openToAll: {
      seen: { ...sound, forRemote: health("open") },
      fault: answerHealth("answerEverybody", 200, "healthy", (forRemote) => forRemote),
    },
  },
});
