import { closeFault, endFault, frameFault } from "../../../src/faults/live.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { handshakeGuarded } from "./index.ts";
import { cases } from "./strangers.ts";

const tried = cases.map(({ name }) => ({
  case: name,
  opened: true,
  given: [] as string[],
  frames: ["auth_error"],
  code: 1008 as number | null,
  closed: "1008" as string | null,
  closedMs: 3_100 as number | null,
}));
const sound = {
  loggedIn: "in",
  tried,
  origin: { allowedOverHttp: true as boolean | null, opened: true, status: null as number | null },
};
const having = (at: number, change: object) => ({
  ...sound,
  tried: tried.map((one, n) => (n === at ? { ...one, ...change } : one)),
});
const shut = { opened: false, closed: "the upgrade was answered with 401", code: null, closedMs: null };

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
  ],
  cannotTell: [
    { ...sound, loggedIn: "denied" },
    { ...sound, tried: tried.map((one) => ({ ...one, ...shut })) },
    { ...sound, tried: tried.slice(1) },
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
});
