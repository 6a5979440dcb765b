import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import type { Json } from "../../../src/wire/json.ts";
import { cellText, rowsOf, saidOf, type Answer, type Reply } from "../../../src/server/target.ts";

/** `version` is null where it is not told there. `unread`: why that cannot be known; null where it can. */
type Told = {
  readonly place: string;
  readonly version: string | null;
  readonly unread: string | null;
  readonly exchange: number;
};

export const versionTold = defineCheck({
  id: "observability/version-told",
  title: "The server tells its version, the same everywhere",
  failureTitle: "The server does not tell its version, or several",
  description:
    "Looks for the version in GET /health (which may be closed to us), system.stats and, for each node, system.cluster. One of them has to tell it, and all that do must tell the same.",
  blindTo: "It sees what is told; whether the binary is what it says is not looked at.",
  risk: "Nobody knows which known defects this server has, or half of a cluster runs something else.",
  remedy: "Bring all nodes to one version; note the version of what you deploy.",
  covers: [],
  touches: "nothing",
  needs: ["dba"],
  level: "warn",
  estimateMs: 150,
  estimateRequests: 3,
  findings: {
    unknownVersion: { say: (d: { places: readonly string[] }) => `${d.places.join(", ")}: none tells the version` },
    mixed: { say: (d: { told: readonly string[] }) => `the versions differ: ${d.told.join(", ")}` },
  },
  async observe(target) {
    const [health, stats, cluster] = await Promise.all([
      target.request(null, { method: "GET", path: "/health" }),
      target.sql(target.login, "SELECT metric_value FROM system.stats WHERE metric_name = 'server_version' LIMIT 2"),
      target.sql(target.login, "SELECT node_id, version FROM system.cluster ORDER BY node_id LIMIT 100"),
    ]);
    const nodes = (rowsOf(cluster) ?? []).map((row) => ({
      place: `node ${cellText(row["node_id"])}`,
      version: versionIn(row["version"]),
      unread: null,
      exchange: cluster.exchange,
    }));
    const told: Told[] = [
      toldByHealth(health),
      {
        place: "system.stats",
        version: versionIn(rowsOf(stats)?.[0]?.["metric_value"]),
        unread: unreadOf(stats),
        exchange: stats.exchange,
      },
      ...(nodes.length > 0
        ? nodes
        : [
            {
              place: "system.cluster",
              version: null,
              unread: unreadOf(cluster),
              exchange: cluster.exchange,
            },
          ]),
    ];
    return { told };
  },
  judge({ told }) {
    const known = told.filter(({ version }) => version !== null);
    const versions = new Set(known.map(({ version }) => version));
    const sent = [...new Set(told.map(({ exchange }) => exchange))];
    if (versions.size > 1)
      return fail({
        name: "mixed",
        data: { told: known.map(({ place, version }) => `${place} ${version}`) },
        sent,
      });
    const unread = told.find((one) => one.unread !== null);
    if (unread !== undefined) return unknown(`${unread.place} was not answered: ${unread.unread}`);
    if (told.length === 0) return unknown("nothing was asked");
    if (known.length === 0)
      return fail({ name: "unknownVersion", data: { places: told.map(({ place }) => place) }, sent });
    return pass(
      `${known[0]?.version} in ${known.length} of ${told.length} places: ${known.map(({ place }) => place).join(", ")}`,
    );
  },
});

/** A view that this server does not have tells nothing; one that was not answered may. */
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

/** Something with a digit in it; `unknown` is no version. */
function versionIn(cell: Json | undefined): string | null {
  return typeof cell === "string" && /\d/.test(cell) ? cell : null;
}
