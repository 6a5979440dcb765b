import { defineCheck, pass, unknown } from "../../../src/check.ts";
import type { Json } from "../../../src/wire/json.ts";
import { cellText, rowsOf, saidOf, type Answer, type Reply } from "../../../src/server/target.ts";

/** `version` is null if this place shows none. `unread`: why it could not be read; null if it could. */
type Told = {
  readonly place: string;
  readonly version: string | null;
  readonly unread: string | null;
  readonly exchange: number;
};

export const versionTold = defineCheck({
  id: "observability/version-told",
  title: "The server reports one version everywhere",
  failureTitle: "The server reports no version, or several",
  description:
    "Reads the version from GET /health (which may be closed to us), system.stats and, for each node, system.cluster. At least one of them must report it, and all that do must report the same.",
  blindTo: "Only what is reported is compared; whether the binary is that version is not checked.",
  risk: "Nodes of different versions behave differently, and may not understand each other's data.",
  remedy: "Upgrade all nodes to one version.",
  covers: [],
  touches: "nothing",
  needs: ["dba"],
  level: "warn",
  estimateMs: 150,
  estimateRequests: 3,
  findings: {
    unknownVersion: {
      say: (d: { places: readonly string[] }) => `${d.places.join(", ")}: none reports the version`,
      risk: "Operators cannot tell which known bugs and fixes this server has.",
      remedy: "Record the version of what you deploy.",
    },
    mixed: { say: (d: { told: readonly string[] }) => `the versions differ: ${d.told.join(", ")}` },
  },
  async observe(target) {
    const [health, stats, cluster] = await Promise.all([
      target.request(null, { method: "GET", path: "/health" }),
      target.sql(target.login, "SELECT metric_value FROM system.stats WHERE metric_name = 'server_version' LIMIT 2"),
      target.sql(target.login, "SELECT node_id, version FROM system.cluster ORDER BY node_id LIMIT 100"),
    ]);
    const inView = (place: string, answer: Answer, cell: Json | undefined): Told => ({
      place,
      version: versionIn(cell),
      unread: unreadOf(answer),
      exchange: answer.exchange,
    });
    const nodes = rowsOf(cluster) ?? [];
    const told = [
      toldByHealth(health),
      inView("system.stats", stats, rowsOf(stats)?.[0]?.["metric_value"]),
      ...nodes.map((row) => inView(`node ${cellText(row["node_id"])}`, cluster, row["version"])),
      ...(nodes.length > 0 ? [] : [inView("system.cluster", cluster, undefined)]),
    ];
    return { told };
  },
  judge({ told }, { found }) {
    const known = told.filter(({ version }) => version !== null);
    if (new Set(known.map(({ version }) => version)).size > 1)
      found.mixed({ told: known.map(({ place, version }) => `${place} ${version}`) }, { sent: exchangesOf(told) });
    const unread = told.find((one) => one.unread !== null);
    if (unread !== undefined) return unknown(`${unread.place} was not answered: ${unread.unread}`);
    if (told.length === 0) return unknown("no place was read");
    if (known.length === 0) {
      found.unknownVersion({ places: told.map(({ place }) => place) }, { sent: exchangesOf(told) });
      return unknown("the version is not known");
    }
    return pass(
      `${known[0]?.version} in ${known.length} of ${told.length} places: ${known.map(({ place }) => place).join(", ")}`,
    );
  },
});

/** All nodes of a cluster come from one exchange. */
function exchangesOf(told: readonly Told[]): number[] {
  return [...new Set(told.map(({ exchange }) => exchange))];
}

/** A view that the server does not have shows no version; one that was not answered might. */
function unreadOf(answer: Answer): string | null {
  return answer.kind === "unsure" || answer.status === 429 ? saidOf(answer).message : null;
}

function toldByHealth(reply: Reply): Told {
  const json = reply.kind === "answered" ? reply.json : undefined;
  const version = typeof json === "object" && json !== null && "version" in json ? json["version"] : undefined;
  const unread =
    reply.kind === "broken" ? reply.detail : reply.status >= 500 || reply.status === 429 ? `${reply.status}` : null;
  return { place: "GET /health", version: versionIn(version), unread, exchange: reply.exchange };
}

/** Text with a digit in it: `unknown` is not a version. */
function versionIn(cell: Json | undefined): string | null {
  return typeof cell === "string" && /\d/.test(cell) ? cell : null;
}
