import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { listed, saidOf, type Account, type Said, type Target } from "../../../src/server/target.ts";

/** A listing with this many rows may be truncated. */
const rowsMax = 900;

const between = (column: string, prefix: string): string =>
  `${column} >= '${prefix}' AND ${column} < '${prefix}zz' LIMIT 100`;
/** Where namespaces are listed; the name is the first column. */
const places: readonly { place: string; sql: (prefix: string) => string }[] = [
  {
    place: "system.namespaces",
    sql: (prefix) => `SELECT namespace_id FROM system.namespaces WHERE ${between("namespace_id", prefix)}`,
  },
  { place: "SHOW NAMESPACES", sql: () => "SHOW NAMESPACES" },
  {
    place: "information_schema.schemata",
    sql: (prefix) => `SELECT schema_name FROM information_schema.schemata WHERE ${between("schema_name", prefix)}`,
  },
];

/** `names` is null if the listing could not be read or may be truncated. */
type Look = { readonly place: string; readonly said: Said; readonly names: readonly string[] | null };
type Named = { place: string; names: readonly string[] };

export const namespacesListed = defineCheck({
  id: "observability/namespaces-listed",
  title: "Namespaces are listed exactly while they exist",
  failureTitle: "Namespaces are not listed, or still listed after DROP",
  description: `Creates three namespaces and reads ${places.map(({ place }) => place).join(", ")}: each must list exactly these three of this run, each once. Then drops two of them: the third must still be listed and the others not.`,
  blindTo: "Only names are compared, and only those of this run.",
  risk: "Backups, migrations and clean-ups that use these lists skip data or fail on namespaces that do not exist.",
  remedy: "Use system.namespaces where the lists disagree; restart the server to rebuild them.",
  covers: ["OBS-02"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 500,
  estimateRequests: 5 + places.length * 2,
  findings: {
    missing: { say: (d: Named) => `${d.place} does not list ${d.names.join(", ")}` },
    extra: { say: (d: Named) => `${d.place} lists ${d.names.join(", ")} more often than it was created` },
    lingering: { say: (d: Named) => `${d.place} still lists ${d.names.join(", ")} after DROP NAMESPACE` },
    ghostSchema: {
      say: (d: Named) =>
        `${d.place} still lists ${d.names.join(", ")} after DROP NAMESPACE; system.namespaces does not`,
      level: "warn",
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const prefix = `${context.scratch}_`;
    const names = ["a", "b", "c"].map((suffix) => context.name(suffix));
    const [kept = "", second = "", third = ""] = names;
    for (const name of names) {
      const statement = `CREATE NAMESPACE ${name === third ? "IF NOT EXISTS " : ""}${name}`;
      context.need(await target.sql(op, statement), `the namespace ${name} could not be created`);
    }
    const there = await lookEverywhere(target, op, prefix);
    const dropped = [
      saidOf(await target.sql(op, `DROP NAMESPACE ${second}`)),
      saidOf(await target.sql(op, `DROP NAMESPACE IF EXISTS ${third}`)),
    ];
    return { names, kept, there, dropped, after: await lookEverywhere(target, op, prefix) };
  },
  judge({ names, kept, there, dropped, after }, { found }) {
    const undropped = dropped.find((said) => said.kind !== "ok");
    const looks = [
      ...there.map((look) => ({ ...look, wanted: names, gone: [] as readonly string[] })),
      // A namespace that was not dropped may still be listed.
      ...(undropped === undefined ? after : []).map((look) => ({
        ...look,
        wanted: [kept],
        gone: names.filter((name) => name !== kept),
      })),
    ];
    for (const { place, said, names: seen, wanted, gone } of looks) {
      if (seen === null) continue;
      const missing = wanted.filter((name) => !seen.includes(name));
      const extra = seen.filter((name, at) => seen.indexOf(name) !== at || ![...wanted, ...gone].includes(name));
      const stale = seen.filter((name) => gone.includes(name));
      const shown = { case: place, sent: said };
      if (missing.length > 0) found.missing({ place, names: missing }, shown);
      if (extra.length > 0) found.extra({ place, names: extra }, shown);
      if (stale.length > 0)
        (place.startsWith("information_schema") ? found.ghostSchema : found.lingering)({ place, names: stale }, shown);
    }
    if (undropped !== undefined) return unknown(`a namespace could not be dropped: ${undropped.message}`);
    const unanswered = looks.find(({ said }) => said.kind !== "ok");
    if (unanswered !== undefined) return unknown(`${unanswered.place} was not answered: ${unanswered.said.message}`);
    const [before = 0, left = 0] = [there, after].map((some) => some.filter((look) => look.names !== null).length);
    if (before < 2 || left < 2) return unknown("fewer than two of the listings could be read completely");
    return pass(`exactly our ${names.length} listed in ${before} places; after two drops, exactly 1 in ${left}`);
  },
});

async function lookEverywhere(target: Target, as: Account, prefix: string): Promise<Look[]> {
  const looks: Look[] = [];
  for (const { place, sql } of places) {
    const answer = await target.sql(as, sql(prefix));
    const all = listed(answer);
    const complete = all !== undefined && all.length < rowsMax;
    looks.push({
      place,
      said: saidOf(answer),
      names: complete ? all.filter((name) => name.startsWith(prefix)).toSorted() : null,
    });
  }
  return looks;
}
