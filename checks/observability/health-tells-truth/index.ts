import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { askedTwice } from "../../vocabulary/second-look.ts";
import type { Json } from "../../../src/wire/json.ts";
import { saidOf, type Reply, type Said, type Target } from "../../../src/server/target.ts";

const rounds = 5;
/** One round may coincide with a restart; two that agree do not. */
const contradictionsMin = 2;
/** An address that no host has (RFC 5737). */
const remoteAddress = "203.0.113.9";

/** What GET /health answered: `open` with a state, `closed` to us, `none` if there is no such endpoint, `unsure`. */
type Health = {
  readonly kind: "open" | "closed" | "none" | "unsure";
  readonly healthy: boolean;
  readonly outcome: string;
  readonly exchange: number;
};
/** `sql` is null if nobody logged in. */
type Round = { readonly health: Health; readonly sql: Said | null };

export const healthTellsTruth = defineCheck({
  id: "observability/health-tells-truth",
  title: "GET /health agrees with whether queries are answered",
  failureTitle: "GET /health contradicts the queries, or is public",
  description: `Sends GET /health and a query concurrently, ${rounds} times: if the server reports healthy, the query must be answered, and if it answers, it must report healthy. Then sends GET /health as a proxy on the server's host would for a remote client (X-Forwarded-For: ${remoteAddress}); that must be refused. A server that refuses GET /health from another host passes. Without a login there is no query to compare with, so the check cannot pass.`,
  blindTo:
    "The server is most likely healthy during the check; whether it reports that it is not is left to the configuration category.",
  risk: "A load balancer sends users to a server that cannot serve them, or takes a working server out of service.",
  remedy: "Let the load balancer run SELECT 1 with its own account.",
  covers: [],
  touches: "nothing",
  login: "none",
  level: "block",
  estimateMs: 200,
  estimateRequests: rounds * 2 + 1,
  findings: {
    healthyButRefusing: {
      say: (d: { times: number; of: number; outcome: string }) =>
        `${d.times} of ${d.of} times GET /health reported healthy while a query got: ${d.outcome}`,
    },
    sickButServing: {
      say: (d: { of: number; outcome: string }) =>
        `${d.of} of ${d.of} times GET /health reported ${d.outcome} while queries were answered`,
    },
    openToAll: {
      say: (d: { from: string }) => `GET /health answers 200 to a client at ${d.from}`,
      risk: "Everyone can read the version and the state of the server.",
      remedy: "Block /health in the proxy for requests from outside.",
    },
  },
  async observe(target) {
    const seen: Round[] = [];
    const { login } = target;
    const query = async (): Promise<Said | null> =>
      login === null ? null : saidOf(await target.sql(login, "SELECT 1 AS serves"));
    for (let n = 0; n < rounds; n += 1) {
      const both = async (): Promise<Round> => {
        const [health, sql] = await Promise.all([ask(target), query()]);
        return { health, sql };
      };
      // What is lost once may be lost by chance, on the way.
      seen.push((await askedTwice(both, ({ sql }) => sql?.kind === "unsure")).last);
    }
    return { rounds: seen, forRemote: await ask(target, remoteAddress) };
  },
  judge({ rounds: seen, forRemote }, { found }) {
    const sent = (some: readonly Round[]) => ({
      sent: some.flatMap(({ health, sql }) => (sql === null ? [health] : [health, sql])),
    });
    const open = seen.filter(({ health }) => health.kind === "open");
    // A refusal (rate limit, missing privilege) is an answer of a working server.
    const broken = open.filter(({ health, sql }) => health.healthy && sql?.kind === "unsure");
    if (broken.length >= contradictionsMin)
      found.healthyButRefusing(
        { times: broken.length, of: seen.length, outcome: outcomeOf(broken[0]?.sql) },
        sent(broken),
      );
    const serving = open.filter(({ health, sql }) => !health.healthy && sql?.kind === "ok");
    if (serving.length === seen.length && serving.length > 0)
      found.sickButServing({ of: seen.length, outcome: serving[0]?.health.outcome ?? "" }, sent(serving));
    if (forRemote.kind === "open") found.openToAll({ from: remoteAddress }, { sent: forRemote });

    if (seen.length < rounds) return unknown(`only ${seen.length} of ${rounds} rounds were done`);
    if (seen.some(({ sql }) => sql === null)) return unknown(withoutQuery(seen, forRemote));
    const odd = seen.find(({ health, sql }) => health.kind === "unsure" || sql?.kind !== "ok");
    if (odd !== undefined)
      return unknown(`in one round, GET /health got ${odd.health.outcome} and the query ${outcomeOf(odd.sql)}`);
    const [first] = seen.map(({ health }) => health);
    if (seen.some(({ health }) => health.kind !== first?.kind || health.healthy !== first.healthy))
      return unknown(`the reported health changed: ${seen.map(({ health }) => health.outcome).join(", ")}`);
    if (first?.kind === "none") return unknown("this server has no GET /health");
    if (forRemote.kind === "unsure")
      return unknown(`GET /health for a remote client was not answered: ${forRemote.outcome}`);
    const state = first?.kind === "closed" ? "closed to remote clients, as it should be" : "healthy";
    return pass(
      `GET /health ${state}, query answered, ${seen.length} of ${seen.length} times; for a remote client ${forRemote.outcome}`,
    );
  },
});

async function ask(target: Target, from?: string): Promise<Health> {
  const headers = from === undefined ? {} : { headers: { "x-forwarded-for": from } };
  return healthOf(await target.request(null, { method: "GET", path: "/health", ...headers }));
}

function healthOf(reply: Reply): Health {
  const { exchange } = reply;
  if (reply.kind === "broken") return { kind: "unsure", healthy: false, outcome: reply.detail, exchange };
  const { status } = reply;
  const word = wordOf(reply.json);
  const outcome = `${status} ${word}`.trim();
  if (status === 401 || status === 403) return { kind: "closed", healthy: false, outcome, exchange };
  if (status === 404) return { kind: "none", healthy: false, outcome, exchange };
  if (status === 200) return { kind: "open", healthy: /^(healthy|ok|up|pass)$/i.test(word), outcome, exchange };
  if (status === 503 && word !== "") return { kind: "open", healthy: false, outcome, exchange };
  return { kind: "unsure", healthy: false, outcome, exchange };
}

function wordOf(json: Json | undefined): string {
  const word = typeof json === "object" && json !== null && "status" in json ? json["status"] : undefined;
  return typeof word === "string" ? word : "";
}

function withoutQuery(seen: readonly Round[], forRemote: Health): string {
  const told = [...new Set(seen.map(({ health }) => health.outcome))].join(", ");
  return `GET /health: ${told}; for a remote client ${forRemote.outcome}; without a login there is no query to compare it with`;
}

function outcomeOf(said: Said | null | undefined): string {
  return said === undefined || said === null || said.kind === "ok"
    ? "an answer"
    : `${said.status ?? said.why} ${said.code} ${said.message}`;
}
