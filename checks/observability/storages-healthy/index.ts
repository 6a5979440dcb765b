import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import type { Json } from "../../../src/wire/json.ts";
import { cellText, rowsOf, saidOf, isCleanRefusal, type Said } from "../../../src/server/target.ts";

/** More are not checked: each costs a file written and deleted. */
const checkedMax = 5;
const abilities = ["readable", "writable", "listable", "deletable"];
/** Names under which a storage keeps what nobody should see. */
const secretName = /secret|password|token|private_?key|access_?key(?!_?id)|credential/i;
const masked = /^(|null|none|\(?(set|unset|hidden|redacted|masked)\)?|[*•]+|<[^>]*>|\[[^\]]*\])$/i;

type Checked = {
  readonly storage: string;
  readonly said: Said;
  readonly status: string;
  /** What it says that it cannot do. */
  readonly unable: readonly string[];
  readonly error: string;
};

export const storagesHealthy = defineCheck({
  id: "observability/storages-healthy",
  title: "The storages are listed, healthy, and show no secret",
  failureTitle: "A storage is ill or unlisted, or shows a secret",
  description: `Creates a table, looks up which storage it is on, and compares system.storages with SHOW STORAGES. Runs STORAGE CHECK on each (${checkedMax} at most), which writes, reads, lists and deletes a small file there; each must be healthy. A storage that does not exist must not be. No row may show a key or password.`,
  blindTo: "A check now says nothing about room for tomorrow; secrets are recognised by the names they go by.",
  risk: "Flushes and backups fail, unnoticed until somebody needs them; or everybody with a look at the catalogue can read the bucket.",
  remedy: "Look at the error of STORAGE CHECK <storage> EXTENDED, at the folder's rights and at free space.",
  covers: ["OBS-05"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 300,
  estimateRequests: 6 + checkedMax,
  findings: {
    unhealthy: {
      say: (d: { storage: string; status: string; unable: readonly string[]; error: string }) =>
        `STORAGE CHECK ${d.storage} says ${d.status}${d.unable.length === 0 ? "" : `, not ${d.unable.join(", not ")}`}${d.error === "" ? "" : `: ${d.error}`}`,
    },
    missing: { say: (d: { storage: string; where: string }) => `${d.where} does not list the storage ${d.storage}` },
    secretShown: {
      say: (d: { storage: string; what: string }) => `system.storages shows ${d.what} of ${d.storage} in clear text`,
    },
    alwaysHealthy: {
      say: (d: { storage: string }) => `STORAGE CHECK calls ${d.storage} healthy, and there is no such storage`,
    },
  },
  async observe(target, { scratch }) {
    const op = await target.account("dba");
    const made = saidOf(
      await target.sql(op, `CREATE TABLE ${scratch}.stored (id BIGINT PRIMARY KEY) WITH (TYPE='SHARED')`),
    );
    const table = rowsOf(
      await target.sql(op, `SELECT storage_id FROM system.tables WHERE namespace_id = '${scratch}' LIMIT 2`),
    )?.[0];
    const view = await target.sql(op, "SELECT * FROM system.storages ORDER BY storage_id LIMIT 100");
    const shown = await target.sql(op, "SHOW STORAGES");
    const ids = (rows: ReturnType<typeof rowsOf>): string[] | null =>
      rows?.map((row) => cellText(row["storage_id"])).toSorted() ?? null;
    const listed = ids(rowsOf(view));
    const checked: Checked[] = [];
    for (const storage of (listed ?? []).slice(0, checkedMax)) {
      const answer = await target.sql(op, `STORAGE CHECK ${storage}`);
      const row = rowsOf(answer)?.[0];
      checked.push({
        storage,
        said: saidOf(answer),
        status: cellText(row?.["status"] ?? "").toLowerCase(),
        unable: abilities.filter((ability) => row?.[ability] === false),
        error: cellText(row?.["error"] ?? "").slice(0, 200),
      });
    }
    const nobody = `${scratch}_nowhere`;
    const bogus = await target.sql(op, `STORAGE CHECK ${nobody}`);
    return {
      made,
      ofTable: table === undefined ? null : cellText(table["storage_id"] ?? ""),
      listed,
      inShow: ids(rowsOf(shown)),
      said: [saidOf(view), saidOf(shown)],
      secrets: (rowsOf(view) ?? []).flatMap((row) =>
        secretsIn(row).map((what) => ({ storage: cellText(row["storage_id"]), what })),
      ),
      checked,
      bogus: {
        storage: nobody,
        said: saidOf(bogus),
        status: cellText(rowsOf(bogus)?.[0]?.["status"] ?? "").toLowerCase(),
      },
    };
  },
  judge({ made, ofTable, listed, inShow, said, secrets, checked, bogus }) {
    const sent = said.map(({ exchange }) => exchange);
    const places: [string, readonly string[] | null][] = [
      ["system.storages", listed],
      ["SHOW STORAGES", inShow],
    ];
    const wanted = new Set([
      ...(ofTable === null || ofTable === "" ? [] : [ofTable]),
      ...(listed ?? []),
      ...(inShow ?? []),
    ]);
    const found = [
      ...places.flatMap(([where, some]) =>
        some === null
          ? []
          : [...wanted]
              .filter((storage) => !some.includes(storage))
              .map((storage) => ({ name: "missing" as const, case: storage, data: { storage, where }, sent })),
      ),
      ...secrets.map((data) => ({ name: "secretShown" as const, case: data.storage, data, sent })),
      ...checked
        .filter((one) => one.said.kind === "ok" && (one.status !== "healthy" || one.unable.length > 0))
        .map(({ storage, status, unable, error, said: { exchange } }) => ({
          name: "unhealthy" as const,
          case: storage,
          data: { storage, status: status === "" ? "nothing" : status, unable, error },
          sent: [exchange],
        })),
      ...(bogus.said.kind === "ok" && bogus.status === "healthy"
        ? [{ name: "alwaysHealthy" as const, data: { storage: bogus.storage }, sent: [bogus.said.exchange] }]
        : []),
    ];
    if (found.length > 0) return fail(...found);
    if (made.kind !== "ok" || ofTable === null || ofTable === "")
      return unknown(`no table of ours tells its storage: ${made.message}`);
    if (listed === null || inShow === null)
      return unknown(`the storages could not be listed: ${said.find(({ kind }) => kind !== "ok")?.message ?? ""}`);
    const vague = checked.find((one) => one.said.kind !== "ok");
    if (vague !== undefined) return unknown(`STORAGE CHECK ${vague.storage} was not answered: ${vague.said.message}`);
    if (checked.length === 0) return unknown("no storage could be checked");
    if (bogus.said.kind !== "ok" && !isCleanRefusal(bogus.said))
      return unknown(`STORAGE CHECK of a storage that does not exist was not answered: ${bogus.said.message}`);
    return pass(
      `${checked.length} of ${listed.length} storages checked and healthy, ours is ${ofTable}; no secret in ${listed.length} rows`,
    );
  },
});

/** Names of what looks like a secret in clear text: in the columns of a row, and in the JSON that a column holds. */
function secretsIn(row: Readonly<Record<string, Json>>): string[] {
  return Object.entries(row).flatMap(([column, cell]) => {
    const inside = secretsUnder(column, parsed(cell));
    return [...new Set(inside)];
  });
}

function secretsUnder(name: string, value: Json): string[] {
  if (Array.isArray(value)) return value.flatMap((one: Json) => secretsUnder(name, one));
  if (typeof value === "object" && value !== null)
    return Object.entries(value).flatMap(([key, inner]: [string, Json]) => secretsUnder(key, inner));
  return secretName.test(name) && typeof value === "string" && !masked.test(value) ? [name] : [];
}

function parsed(cell: Json): Json {
  if (typeof cell !== "string") return cell;
  try {
    return JSON.parse(cell) as Json;
  } catch {
    return cell;
  }
}
