import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import type { Json } from "../../../src/wire/json.ts";
import { saidOf, type Reply, type Said, type Target } from "../../../src/server/target.ts";

const rounds = 5;
/** One round may fall into a restart; two that say the same do not. */
const liesMin = 2;
/** An address that nobody has (RFC 5737), named by a proxy on the server's own host. */
const elsewhere = "203.0.113.9";

/** What GET /health said: `open` with what it tells, `closed` to us, `none` where the server has no such thing, `unsure`. */
type Health = {
  readonly kind: "open" | "closed" | "none" | "unsure";
  readonly healthy: boolean;
  readonly outcome: string;
  readonly exchange: number;
};
type Round = { readonly health: Health; readonly sql: Said };

export const healthTellsTruth = defineCheck({
  id: "observability/health-tells-truth",
  title: "The health check agrees with what the server does",
  failureTitle: "The health check says something else than is so, or to all",
  description: `Asks GET /health and a query at the same time, ${rounds} times: where it says healthy the query must be answered, and the other way round. Then asks once as a proxy on the server's own host does for somebody elsewhere (X-Forwarded-For: ${elsewhere}): that must be refused, as it is right for it to refuse us where we are not on the server's host.`,
  blindTo:
    "The server is well meanwhile, most likely; whether it tells when it is not, is for configuration/ready-means-ready.",
  risk: "A balancer sends people to a server that cannot serve them, or everybody can read its version and state.",
  remedy: "Let the balancer ask for SELECT 1 with an account of its own; keep /health behind the proxy.",
  covers: [],
  touches: "nothing",
  level: "block",
  estimateMs: 200,
  estimateRequests: rounds * 2 + 1,
  findings: {
    healthyButRefusing: {
      say: (d: { times: number; of: number; outcome: string }) =>
        `${d.times} of ${d.of} times it said healthy while a query got: ${d.outcome}`,
    },
    sickButServing: {
      say: (d: { of: number; outcome: string }) =>
        `${d.of} of ${d.of} times it said ${d.outcome} while queries were answered`,
    },
    openToAll: { say: (d: { from: string }) => `GET /health is answered with 200 to a caller from ${d.from}` },
  },
  async observe(target) {
    const seen: Round[] = [];
    for (let n = 0; n < rounds; n += 1) {
      const [health, sql] = await Promise.all([ask(target), target.sql(target.login, "SELECT 1 AS serves")]);
      seen.push({ health, sql: saidOf(sql) });
    }
    return { rounds: seen, fromElsewhere: await ask(target, elsewhere) };
  },
  judge({ rounds: seen, fromElsewhere }) {
    const sent = (some: readonly Round[]): number[] =>
      some.flatMap(({ health, sql }) => [health.exchange, sql.exchange]);
    const open = seen.filter(({ health }) => health.kind === "open");
    // Too fast, or no right to: these are answers of a server that serves.
    const lies = open.filter(({ health, sql }) => health.healthy && sql.kind === "unsure");
    const sick = open.filter(({ health, sql }) => !health.healthy && sql.kind === "ok");
    const found = [
      ...(lies.length >= liesMin
        ? [
            {
              name: "healthyButRefusing" as const,
              data: { times: lies.length, of: seen.length, outcome: outcomeOf(lies[0]?.sql) },
              sent: sent(lies),
            },
          ]
        : []),
      ...(sick.length === seen.length && sick.length > 0
        ? [
            {
              name: "sickButServing" as const,
              data: { of: seen.length, outcome: sick[0]?.health.outcome ?? "" },
              sent: sent(sick),
            },
          ]
        : []),
      ...(fromElsewhere.kind === "open"
        ? [{ name: "openToAll" as const, data: { from: elsewhere }, sent: [fromElsewhere.exchange] }]
        : []),
    ];
    if (found.length > 0) return fail(...found);
    if (seen.length < rounds) return unknown(`only ${seen.length} of ${rounds} rounds`);
    const odd = seen.find(({ health, sql }) => health.kind === "unsure" || sql.kind !== "ok");
    if (odd !== undefined) {
      const { health, sql } = odd;
      return unknown(`once: health ${health.outcome}, query ${outcomeOf(sql)}`);
    }
    const mixed = seen.some(
      ({ health }) => health.kind !== seen[0]?.health.kind || health.healthy !== seen[0].health.healthy,
    );
    if (mixed) return unknown(`health went to and fro: ${seen.map(({ health }) => health.outcome).join(", ")}`);
    if (seen[0]?.health.kind === "none") return unknown("there is no GET /health on this server");
    if (fromElsewhere.kind === "unsure")
      return unknown(`health for elsewhere was not answered: ${fromElsewhere.outcome}`);
    const told = open.length === 0 ? "closed to us, which is right from elsewhere" : "healthy";
    return pass(
      `health ${told}, query answered, ${seen.length} of ${seen.length} times; for elsewhere ${fromElsewhere.outcome}`,
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

function outcomeOf(said: Said | undefined): string {
  return said === undefined || said.kind === "ok"
    ? "an answer"
    : `${said.status ?? said.why} ${said.code} ${said.message}`;
}
