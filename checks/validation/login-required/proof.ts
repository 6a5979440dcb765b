import { proveCheck, type Fault } from "../../../src/proof.ts";
import { loginRequired } from "./index.ts";

const endpoints = ["POST /v1/api/sql", "GET /a", "GET /b", "GET /c", "GET /d", "GET /e", "GET /f"];
const keys = ["no token", "garbage for a token", "a forged token", "an unsigned token"];
const tried = endpoints.flatMap((endpoint) =>
  keys.map((key) => ({ endpoint, key, status: 401 as number | null, broke: "", exchange: 1 })),
);
const having = (at: number, change: object) => ({
  tried: tried.map((one, n) => (n === at ? { ...one, ...change } : one)),
});

/** Checks no signature: whoever has a token gets an answer. */
const acceptForgedTokens: Fault = {
  name: "acceptForgedTokens",
  wrap: (wire, fired) => ({
    ...wire,
    async exchange(request) {
      const answer = await wire.exchange(request);
      const hasToken = request.headers["authorization"]?.startsWith("Bearer eyJ") === true;
      if (!hasToken || request.path !== "/v1/api/sql" || answer.kind !== "answered") return answer;
      fired();
      const body = new TextEncoder().encode('{"status":"success","results":[],"took":1}');
      return { ...answer, status: 200, body };
    },
  }),
};

export default proveCheck(loginRequired, {
  holds: [
    { tried },
    having(0, { status: 403 }),
    // An endpoint that this server does not have.
    { tried: tried.map((one) => (one.endpoint === "GET /f" ? { ...one, status: 404 } : one)) },
  ],
  cannotTell: [
    { tried: [] },
    { tried: tried.slice(1) },
    having(0, { status: 404 }),
    having(5, { status: null, broke: "no answer within 15000 ms" }),
    having(5, { status: 503 }),
    having(5, { status: 302 }),
    having(5, { status: 429 }),
  ],
  breaks: {
    accepted: { seen: having(2, { status: 200 }), fault: acceptForgedTokens },
  },
});
