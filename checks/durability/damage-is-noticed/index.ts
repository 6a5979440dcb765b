import { defineCheck, pass, unknown, type Context } from "../../../src/check.ts";
import type { Answer, OtherServer } from "../../../src/server/target.ts";
import type { Disk } from "../../../src/wire/control.ts";
import { createTable } from "../../vocabulary/tables.ts";
import {
  change,
  differencesFrom,
  digest,
  digestColumns,
  fill,
  refusedColumns,
  sayDifference,
  whyUnanswered,
  type Ask,
  type Digest,
} from "../digest.ts";
import { runToEnd, whyNotEnded } from "../jobs.ts";
import { othersOf, whyNoOther } from "../others.ts";
import { damages, filesWith, manifestOf, segmentsOf, type Layout, type Part } from "./damages.ts";

const namespace = "kr_damage";
/** Of these, one is damaged, and the other is not. */
const [hurt, sound] = ["hurt", "sound"] as const;
const [segments, each] = [3, 15];
const all = { from: 1, count: (segments + 1) * each };
const few = { from: 1_001, count: 2 * each };
/** In a row that is never flushed; nothing else has these bytes. */
const marker = "marked-and-not-flushed-7c1e";

type Looked = {
  readonly hurt: Digest;
  readonly sound: Digest;
  /** An insert into the other table, which is read again. */
  readonly write: string | null;
};
type Round = {
  readonly damage: string;
  readonly part: Part | "none";
  readonly file: string;
  /** Why the server did not start, and its last words; null if it did. */
  readonly notStarted: { readonly why: string; readonly ended: boolean; readonly words: string } | null;
  readonly looked: Looked | null;
};
type Seen = {
  readonly before: Looked;
  /** Without any damage. */
  readonly control: Round;
  readonly rounds: readonly Round[];
  /** Damages for which no file was found. */
  readonly untried: readonly string[];
};

const sizes = { light: 0, standard: 1, deep: 2 };

/** What an error says that is about damage, or about a file. */
const clearWords =
  /corrupt|damag|checksum|crc|invalid|truncat|unexpected end|\beof\b|not found|no such|missing|manifest|segment|parquet|\.json|\.sst|\.log|page/i;

export const damageIsNoticed = defineCheck({
  id: "durability/damage-is-noticed",
  title: "Damaged files are noticed",
  failureTitle: "Damaged files make rows disappear or change without an error",
  description: `Starts another server on an empty folder of kalam-ready's, fills two SHARED tables, flushes one of them ${segments} times, leaves rows of both unflushed, and stops it. Then it damages one file, starts a server on the folder and reads everything, and makes the folder what it was before the next damage: a segment with a bit flipped, deleted, cut, emptied or replaced; a manifest of garbage, cut, deleted or older; a file too many; the file that has the bytes of an unflushed row. Each time all rows must be right, or the server must say in an error what is wrong, at its start or for the damaged table. The other table must be well.`,
  blindTo:
    "Damage while the server runs; several damages at once; disks that answer with errors; replicas that could repair it. Where the data folder of another version has other files, fewer damages are tried: the pass says how many.",
  risk: "A bad disk takes rows away, and no query, alarm or backup tells that they are missing.",
  remedy:
    "Keep the data folder on storage with checksums of its own, such as ZFS or btrfs, and compare counts with a backup.",
  covers: [],
  touches: "disk",
  needs: ["own-server", "dba"],
  alone: true,
  level: "block",
  estimateMs: 20_000,
  estimateRequests: 450,
  timeoutMs: 600_000,
  findings: {
    silentLoss: {
      say: (d: Silent) =>
        `${sayWhere(d)}, and ${d.queries} of ${d.of} queries are answered without its rows: ${d.what}`,
    },
    silentChange: {
      say: (d: Silent) => `${sayWhere(d)}, and ${d.queries} of ${d.of} queries are answered otherwise: ${d.what}`,
      risk: "A bad disk changes values, and they are believed.",
    },
    hotDamageHidden: {
      say: (d: Silent) =>
        `${sayWhere(d)}, and ${d.queries} of ${d.of} queries are answered as if nothing were wrong: ${d.what}`,
      level: "warn",
      risk: "Rows that were not flushed yet are lost to a bad disk, and nobody is told.",
    },
    spread: {
      say: (d: { damage: string; file: string; what: string }) =>
        `${sayWhere(d)}, and another table suffers from it: ${d.what}`,
      risk: "One bad file takes other tables with it.",
    },
    unclearError: {
      say: (d: { damage: string; file: string; told: string }) =>
        `${sayWhere(d)}, and all that is said of it is: ${d.told}`,
      level: "warn",
      risk: "Nobody can tell which file to restore.",
      remedy: "Look for the damaged file by comparing the data folder with a backup.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const { disk, another } = othersOf(target, context);
    const folder = disk.newFolder();
    const server = await another({ dataFolder: folder });
    if (server.kind === "notReady")
      return context.need({ why: `no other server: ${whyNoOther(server)}`, whole: true }, "");
    const olderManifest = await fillTables(server, context, disk, folder);
    const before = await look(server, context, { write: false });
    await server.stop();
    const layout: Layout = {
      segments: segmentsOf(disk, folder, hurt),
      manifest: manifestOf(disk, folder, hurt),
      olderManifest,
      hot: filesWith(disk, folder, marker),
    };
    const kept = disk.copyOf(folder);
    const untried: string[] = [];
    const roundWith = async (damage: Pick<Round, "damage" | "part">, apply: (at: string) => string | undefined) => {
      // In place: the server may keep the path of its segments, and would read those of the first folder.
      disk.restore(folder, kept);
      const file = apply(folder);
      if (file === undefined) {
        untried.push(damage.damage);
        return undefined;
      }
      const started = await another({ dataFolder: folder });
      if (started.kind === "notReady") {
        const { why, ended, lastWords: words } = started;
        return { ...damage, file, notStarted: { why, ended, words }, looked: null };
      }
      const looked = await look(started, context, { write: true });
      // Whatever it has not written yet: the folder is made anew.
      await started.kill();
      return { ...damage, file, notStarted: null, looked };
    };
    const control = await roundWith({ damage: "none", part: "none" }, () => "");
    const most = context.size(sizes);
    const rounds: Round[] = [];
    for (const { name, part, from, apply } of damages) {
      if (from > most) continue;
      const round = await roundWith({ damage: name, part }, (at) => apply(disk, at, layout));
      if (round !== undefined) rounds.push(round);
    }
    for (const made of [folder, kept]) disk.remove(made);
    const none = { damage: "none", part: "none", file: "", notStarted: null, looked: null } as const;
    return { before, control: control ?? none, rounds, untried };
  },
  judge({ before, control, rounds, untried }, { found }) {
    const healthy = whyUnhealthy(before, control);
    if (healthy !== undefined) return unknown(healthy);
    let [refusals, rightRows] = [0, 0];
    const unseen: string[] = [];
    for (const { damage, part, file, notStarted, looked } of rounds) {
      if (notStarted !== null) {
        const { why, ended, words } = notStarted;
        if (!ended) unseen.push(`with ${damage}: ${why}`);
        else if (isClear(words, file)) refusals += 1;
        else found.unclearError({ damage, file, told: words === "" ? why : words }, { case: damage });
        continue;
      }
      if (looked === null) {
        unseen.push(`with ${damage}: nothing was looked at`);
        continue;
      }
      const differences = differencesFrom(before.hurt, looked.hurt);
      const [first] = differences;
      if (first !== undefined) {
        const data = { damage, file, what: sayDifference(first), queries: differences.length, of: before.hurt.length };
        const shown = { case: damage, sent: [first.exchange] };
        if (part === "hot") found.hotDamageHidden(data, shown);
        else if (first.rows[1] < first.rows[0]) found.silentLoss(data, shown);
        else found.silentChange(data, shown);
      }
      const refused = looked.hurt.find(({ lines }) => lines === null);
      if (refused !== undefined && !isClear(refused.why ?? "", file, hurt))
        found.unclearError({ damage, file, told: refused.why ?? "" }, { case: damage, sent: [refused.exchange] });
      const [other] = differencesFrom(before.sound, looked.sound);
      const unread = whyUnanswered(looked.sound);
      const what = other === undefined ? (unread ?? looked.write ?? undefined) : sayDifference(other);
      // A store that all tables share may be damaged for all of them, if it says so.
      const isShared = part === "hot" && other === undefined && isClear(what ?? "", file);
      if (what !== undefined && !isShared) found.spread({ damage, file, what }, { case: damage });
      if (refused === undefined) rightRows += 1;
      else refusals += 1;
    }
    const [why] = unseen;
    if (why !== undefined) return unknown(why);
    const tried = (wanted: Part): number => rounds.filter(({ part }) => part === wanted).length;
    if (tried("segment") === 0 || tried("manifest") === 0)
      return unknown(`no segment and no manifest of the table was found in the data folder (${untried.join(", ")})`);
    const whole = rounds.find(({ part }) => part === "all");
    // Where it is answered in another way, that is a finding.
    if (whole === undefined || whole.looked?.hurt.every(({ lines }) => lines !== null) === true)
      return unknown(
        "with all segments deleted, all rows are there all the same: the server has them elsewhere, so damage of segments shows nothing",
      );
    const left = untried.length === 0 ? "" : `; no file for ${untried.length} others`;
    const counts = `${tried("segment")} of segments, ${tried("manifest")} of manifests, ${tried("hot")} of unflushed rows, ${tried("stray")} files too many`;
    return pass(
      `${rounds.length} damages (${counts}): ${rightRows} times all rows were right, ${refusals} times an error said what is wrong${left}`,
    );
  },
});

type Silent = {
  readonly damage: string;
  readonly file: string;
  readonly what: string;
  readonly queries: number;
  readonly of: number;
};

function sayWhere({ damage, file }: Pick<Silent, "damage" | "file">): string {
  return `${damage} (${file})`;
}

/** It names the table or the file, or at least says what kind of thing is wrong. */
function isClear(words: string, file: string, ...tables: readonly string[]): boolean {
  const names = [...file.split(/[\\/]/).slice(-1), ...tables];
  return names.some((name) => words.includes(name)) || clearWords.test(words);
}

/** Why nothing can be concluded: the folder is not answered about as before even where it is not damaged. */
function whyUnhealthy(before: Looked, { notStarted, looked }: Round): string | undefined {
  const unanswered = whyUnanswered([...before.hurt, ...before.sound]);
  if (unanswered !== undefined) return unanswered;
  if (notStarted !== null) return `a server does not start on an undamaged folder: ${notStarted.why}`;
  if (looked === null) return "no server was started on an undamaged folder";
  const [other] = [...differencesFrom(before.hurt, looked.hurt), ...differencesFrom(before.sound, looked.sound)];
  if (other !== undefined) return `an undamaged folder is not answered about as before: ${sayDifference(other)}`;
  const unread = whyUnanswered([...looked.hurt, ...looked.sound]) ?? looked.write ?? undefined;
  return unread === undefined ? undefined : `with an undamaged folder: ${unread}`;
}

/** Returns the manifest as it was before the last flush. */
async function fillTables(
  server: OtherServer,
  context: Pick<Context, "need" | "poll" | "size">,
  disk: Disk,
  folder: string,
): Promise<Uint8Array | undefined> {
  const ask: Ask = async (sql) => await server.sql(server.root, sql);
  context.need(await ask(`CREATE NAMESPACE ${namespace}`), "no namespace could be made");
  for (const table of [hurt, sound])
    context.need(
      await ask(createTable(`${namespace}.${table}`, { type: "SHARED", columns: digestColumns })),
      `the table ${table} could not be made`,
    );
  const [one, other] = [`${namespace}.${hurt}`, `${namespace}.${sound}`];
  const without = await refusedColumns(context, ask, one);
  const flush = async (table: string): Promise<void> => {
    const why = whyNotEnded(await runToEnd(server, context, server.root, `STORAGE FLUSH TABLE ${table}`), "the flush");
    if (why !== undefined) context.need({ why, whole: true }, "");
  };
  let older: Uint8Array | undefined;
  for (let segment = 0; segment < segments; segment += 1) {
    await fill(context, ask, one, { from: all.from + segment * each, count: each }, without);
    if (segment === segments - 1) older = readManifest(disk, folder);
    await flush(one);
  }
  await fill(context, ask, other, { from: few.from, count: each }, without);
  await flush(other);
  await fill(context, ask, one, { from: all.from + segments * each, count: each }, without);
  await fill(context, ask, other, { from: few.from + each, count: each }, without);
  await change(context, ask, one, { from: all.from + segments * each, count: each });
  const last = all.from + all.count - 1;
  context.need(await ask(`UPDATE ${one} SET mark = '${marker}' WHERE id = ${last}`), "a row could not be marked");
  return older;
}

/** Of the server that runs: it may not be there yet. */
function readManifest(disk: Disk, folder: string): Uint8Array | undefined {
  try {
    const file = manifestOf(disk, folder, hurt);
    return file === undefined ? undefined : disk.read(folder, file);
  } catch {
    return undefined;
  }
}

const written = 9_000;

async function look(
  server: OtherServer,
  context: Pick<Context, "poll" | "size">,
  { write }: { readonly write: boolean },
): Promise<Looked> {
  const ask: Ask = async (sql) => await server.sql(server.root, sql);
  const other = `${namespace}.${sound}`;
  const looked = {
    hurt: await digest(ask, `${namespace}.${hurt}`, all),
    sound: await digest(ask, other, few),
    write: null,
  };
  if (!write) return looked;
  const sayNot = (answer: Answer, what: string): string | null =>
    answer.kind === "ok" ? null : `${what}: ${answer.message}`;
  const failure =
    sayNot(await ask(`INSERT INTO ${other} (id, mark) VALUES (${written}, 'after')`), "an insert") ??
    whyNotEnded(await runToEnd(server, context, server.root, `STORAGE FLUSH TABLE ${other}`), "a flush") ??
    sayNot(await ask(`DELETE FROM ${other} WHERE id = ${written}`), "a delete");
  return { ...looked, write: failure };
}
