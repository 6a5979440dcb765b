import { closeFault, endFault, frameFault } from "../../../src/faults/live.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { handshakeGuarded } from "./index.ts";
import type { Origin } from "./origin.ts";
import { cases } from "./strangers.ts";

const tried = cases.map(({ name }) => ({
  case: name,
  opened: true,
  refused: null as number | null,
  given: [] as string[],
  frames: ["auth_error"],
  code: 1008 as number | null,
  closed: "1008" as string | null,
  closedMs: 3_100 as number | null,
}));
const sound = {
  loggedIn: "in" as string | null,
  tried,
  controlMs: 12 as number | null,
  origin: { allowedOverHttp: true as boolean | null, opened: true, status: null as number | null } as Origin | null,
};
const outside = { ...sound, loggedIn: null, origin: null };
const having = (at: number, change: object) => ({
  ...sound,
  tried: tried.map((one, n) => (n === at ? { ...one, ...change } : one)),
});
const shut = { opened: false, refused: 401, closed: "the upgrade was answered with 401", code: null, closedMs: null };

/** The HTTP side rejects foreign origins, the socket side does not. */
const forbidOverHttp: Fault = {
  name: "forbidForeignPagesOverHttp",
  wrap: (wire, fired) => ({
    ...wire,
    async exchange(request) {
      const answer = await wire.exchange(request);
      if (request.method !== "OPTIONS" || answer.kind !== "answered") return answer;
      fired();
      const { "access-control-allow-origin": _, ...headers } = answer.headers;
      return { ...answer, status: 403, headers };
    },
  }),
};

export default proveCheck(handshakeGuarded, {
  holds: [
    sound,
    having(4, shut),
    { ...sound, origin: { allowedOverHttp: false, opened: false, status: 403 } },
    { ...sound, origin: { allowedOverHttp: null, opened: true, status: null } },
    outside,
    { ...outside, tried: tried.map((one, at) => (at === 0 ? one : { ...one, frames: [] })) },
    { ...sound, tried: tried.map((one) => ({ ...one, frames: [] })) },
    // Only one stayed open long enough, and was closed at once.
    { ...sound, tried: tried.map((one, at) => (at === 0 ? { ...one, closedMs: 0 } : { ...one, ...shut })) },
    having(0, { closedMs: 10_000, closed: "1002", code: 1002 }),
  ],
  cannotTell: [
    // Refused by a proxy that has no server.
    { ...sound, tried: sound.tried.map((one, at) => (at === 0 ? { ...one, ...shut, refused: 500 } : one)) },
    having(0, { ...shut, refused: null }),
    ...[null, 500, 503].map((status) => ({ ...sound, origin: { allowedOverHttp: false, opened: false, status } })),
    { ...sound, origin: { allowedOverHttp: "unanswered", opened: true, status: null } },
    { ...sound, loggedIn: "denied" },
    { ...sound, tried: tried.map((one) => ({ ...one, ...shut })) },
    { ...sound, tried: tried.slice(1) },
    // A server that is slow altogether is not accused.
    { ...having(0, { closed: null, code: null, closedMs: null }), controlMs: 2_000 },
    { ...outside, tried: tried.map((one) => ({ ...one, frames: [] })) },
  ],
  breaks: {
    noTimeout: {
      seen: having(0, { closed: null, code: null, closedMs: null }),
      fault: closeFault("keepStrangersOpen", ({ code }) => code === 1008),
    },
    dataBeforeLogin: {
      seen: having(1, { given: ["subscription_ack", "initial_data_batch"] }),
      fault: frameFault("serveStrangers", () => (message, { pass, fired }) => {
        pass(message);
        if (message["type"] !== "error" || message["code"] !== "AUTH_REQUIRED") return;
        fired();
        pass({ type: "initial_data_batch", subscription_id: "early", rows: [{ namespace_id: "default" }] });
      }),
    },
    unclearEnd: {
      seen: having(2, { closed: "1000", code: 1000 }),
      fault: endFault("closeStrangersWith1000", (close) =>
        close.code === 1008 ? { ...close, code: 1000, reason: "" } : undefined,
      ),
    },
    foreignOrigin: {
      seen: { ...sound, origin: { allowedOverHttp: false, opened: true, status: null } },
      fault: forbidOverHttp,
    },
  },
  mayBeLost: [
    {
      what: /^live connection |^frame .*auth_success/,
      because: "where the server restricts no origin over HTTP, whether a foreign one may connect is not judged",
    },
  ],
});
