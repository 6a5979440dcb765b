import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { listed, saidOf, type Account, type Said, type Target } from "../../../src/server/target.ts";

/** A listing of this many rows may have been cut without a word. */
const rowsMax = 900;

/** Where namespaces are listed; the name is the first column. */
const places: readonly { place: string; sql: (prefix: string) => string }[] = [
  {
    place: "system.namespaces",
    sql: (prefix) =>
      `SELECT namespace_id FROM system.namespaces WHERE namespace_id >= '${prefix}' AND namespace_id < '${prefix}zz' LIMIT 100`,
  },
  { place: "SHOW NAMESPACES", sql: () => "SHOW NAMESPACES" },
  {
    place: "information_schema.schemata",
    sql: (prefix) =>
      `SELECT schema_name FROM information_schema.schemata WHERE schema_name >= '${prefix}' AND schema_name < '${prefix}zz' LIMIT 100`,
  },
];

/** `names` is null where it was not answered, or may have been cut. */
type Look = { readonly place: string; readonly said: Said; readonly names: readonly string[] | null };

async function lookEverywhere(target: Target, as: Account, prefix: string): Promise<Look[]> {
  const looks: Look[] = [];
  for (const { place, sql } of places) {
    const answer = await target.sql(as, sql(prefix));
    const all = listed(answer);
    const names = all?.filter((name) => name.startsWith(prefix)).toSorted();
    looks.push({
      place,
      said: saidOf(answer),
      names: all === undefined || all.length >= rowsMax ? null : (names ?? null),
    });
  }
  return looks;
}

export const namespacesListed = defineCheck({
  id: "observability/namespaces-listed",
  title: "Namespaces are listed exactly, and not after their end",
  failureTitle: "Namespaces are missing in listings, or listed after their end",
  description: `Creates three namespaces and compares what ${places.map(({ place }) => place).join(", ")} list of ours with them: exactly these, each once. Then drops two of them: the third must stay, the others be gone.`,
  blindTo: "It looks at names only, and only at those of this run.",
  risk: "Who cleans up, backs up or moves by these lists forgets data, or looks for what is not there.",
  remedy: "Go by system.namespaces where the places disagree; a restart makes the server list anew.",
  covers: ["OBS-02"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 500,
  estimateRequests: 5 + places.length * 2,
  findings: {
    missing: {
      say: (d: { place: string; names: readonly string[] }) => `${d.place} does not list ${d.names.join(", ")}`,
    },
    extra: {
      say: (d: { place: string; names: readonly string[] }) =>
        `${d.place} lists ${d.names.join(", ")}, once more than was made`,
    },
    lingering: {
      say: (d: { place: string; names: readonly string[] }) =>
        `${d.place} still lists ${d.names.join(", ")} after DROP NAMESPACE`,
    },
    ghostSchema: {
      say: (d: { place: string; names: readonly string[] }) =>
        `${d.place} still lists ${d.names.join(", ")} after DROP NAMESPACE, which system.namespaces does not`,
      level: "warn",
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const prefix = `${context.scratch}_`;
    const names = ["a", "b", "c"].map((suffix) => context.name(suffix));
    const [kept = "", second = "", third = ""] = names;
    const made: Said[] = [];
    for (const [at, name] of names.entries())
      made.push(saidOf(await target.sql(op, `CREATE NAMESPACE ${at === 2 ? "IF NOT EXISTS " : ""}${name}`)));
    const there = await lookEverywhere(target, op, prefix);
    const dropped = [
      saidOf(await target.sql(op, `DROP NAMESPACE ${second}`)),
      saidOf(await target.sql(op, `DROP NAMESPACE IF EXISTS ${third}`)),
    ];
    return { names, kept, made, there, dropped, after: await lookEverywhere(target, op, prefix) };
  },
  judge({ names, kept, made, there, dropped, after }) {
    const unmade = [...made, ...dropped].find((said) => said.kind !== "ok");
    if (unmade !== undefined) return unknown(`a namespace could not be made or dropped: ${unmade.message}`);
    const looks = [
      ...there.map((look) => ({ ...look, wanted: names, dropped: [] as readonly string[] })),
      ...after.map((look) => ({ ...look, wanted: [kept], dropped: names.filter((name) => name !== kept) })),
    ];
    const found = looks.flatMap(({ place, said, names: seen, wanted, dropped: gone }) => {
      if (seen === null) return [];
      const tell = <N extends "missing" | "extra" | "lingering" | "ghostSchema">(name: N, which: readonly string[]) =>
        which.length === 0 ? [] : [{ name, case: place, data: { place, names: which }, sent: [said.exchange] }];
      const ghosts = seen.filter((name) => gone.includes(name));
      const extra = seen.filter((name, at) => seen.indexOf(name) !== at || ![...wanted, ...gone].includes(name));
      const missing = wanted.filter((name) => !seen.includes(name));
      return [
        ...tell("missing", missing),
        ...tell("extra", extra),
        ...(place.startsWith("information_schema") ? tell("ghostSchema", ghosts) : tell("lingering", ghosts)),
      ];
    });
    if (found.length > 0) return fail(...found);
    const untold = looks.find(({ said }) => said.kind !== "ok");
    if (untold !== undefined) return unknown(`${untold.place} was not answered: ${untold.said.message}`);
    const [before, left] = [there, after].map((some) => some.filter((look) => look.names !== null).length);
    if (before === undefined || left === undefined || before < 2 || left < 2)
      return unknown("fewer than two of the listings could be read whole");
    return pass(`exactly our ${names.length} in ${before} places, after two drops exactly 1 in ${left}`);
  },
});
