import { defineCheck, pass, unknown, type Collector, type Context } from "../../../src/check.ts";
import type { OtherServer, Said } from "../../../src/server/target.ts";
import { hasEnded } from "../../vocabulary/jobs.ts";
import { createTable } from "../../vocabulary/tables.ts";
import { differencesFrom, sayDifference, whyUnanswered } from "../digest.ts";
import { runToEnd, whyNotEnded } from "../jobs.ts";
import { othersOf, whyNoOther } from "../others.ts";
import { leaveTopic, messages, type TopicLeft, type TopicShown } from "./jobs-topic.ts";
import {
  enterAll,
  lookAt,
  notOpened,
  roles,
  versionOf,
  type Before,
  type LoggedIn,
  type NotOpened,
  type Opened,
} from "./opening.ts";
import {
  askOf,
  flushedLater,
  latePlace,
  makeTables,
  namespace,
  nameOf,
  password,
  places,
  show,
  writeHalf,
  type Shown,
} from "./places.ts";

type Round = {
  /** How the older release ended. */
  readonly by: "stop" | "kill";
  readonly before: readonly Shown[];
  readonly opened: Opened | NotOpened;
};
type Seen = { readonly version: string | null; readonly topic: TopicLeft; readonly rounds: readonly Round[] };

/** What a refusal must be about to be of use. */
const clearWords = /version|format|compatib|migrat|upgrade|older|newer|schema/i;
const unclearWords = /panicked at|backtrace/i;

export const olderDataOpens = defineCheck({
  id: "durability/older-data-opens",
  title: "Data of an older release opens unchanged",
  failureTitle: "Data of an older release is lost, changed or unusable",
  description: `Starts the older release on an empty folder of kalam-ready's and writes with it: two SHARED tables, one of them altered, a USER table with the rows of two users, a STREAM table, columns of all types, half of the rows flushed, accounts of ${Object.keys(roles).length} users in three roles, and a topic of which a group has acknowledged half. It is stopped, and the newer release is started on the folder: all rows, types and logins must be there, the group must go on where it was, and rows can be written and flushed. With more effort the same after the older release was killed. What the newer one only shows in another way is no finding: it must show rows of its own in the same way.`,
  blindTo:
    "Large folders and long migrations; a cluster; going back to the older release; live queries and what only the newer one has.",
  risk: "After an upgrade, tables, rows or accounts are gone, and the older release may not be able to read the folder any more.",
  remedy: "Keep a copy of the data folder from before the upgrade, and try the upgrade on a copy first.",
  covers: [],
  touches: "process",
  needs: ["own-server", "older-server", "dba"],
  alone: true,
  level: "block",
  estimateMs: 12_000,
  estimateRequests: 500,
  timeoutMs: 400_000,
  findings: {
    tableMissing: {
      say: (d: { by: string; table: string; told: string }) =>
        `after ${sayBy(d.by)} the newer release does not have the table ${d.table}: ${d.told}`,
    },
    rowsDiffer: {
      say: (d: { by: string; table: string; owner: string; what: string; queries: number; of: number }) =>
        `after ${sayBy(d.by)} the newer release answers ${d.queries} of ${d.of} queries about the rows of ${d.owner} in ${d.table} in another way: ${d.what}`,
    },
    typesDiffer: {
      say: (d: { by: string; table: string; column: string; was: string; is: string }) =>
        `after ${sayBy(d.by)} the column ${d.column} of ${d.table} was ${d.was} and is ${d.is}`,
      risk: "Values are read as something else than they were written as.",
    },
    loginsBroken: {
      say: (d: { by: string; who: string; told: string }) =>
        `after ${sayBy(d.by)} the newer release does not let ${d.who} in as before: ${d.told}`,
      risk: "Nobody can log in after an upgrade, or with other rights.",
    },
    acknowledgedAgain: {
      say: (d: { by: string; keys: readonly string[]; of: number }) =>
        `after ${sayBy(d.by)} the group receives ${d.keys.length} of ${d.of} messages again that it had acknowledged (ids ${d.keys.join(", ")})`,
      risk: "Workers do jobs again after an upgrade.",
    },
    messagesLost: {
      say: (d: { by: string; keys: readonly string[]; of: number; waitedMs: number; elsewhere: number }) =>
        `after ${sayBy(d.by)} the group does not receive ${d.keys.length} of ${d.of} messages that it never acknowledged (ids ${d.keys.join(", ")}) within ${d.waitedMs} ms; another group receives ${d.elsewhere} of them`,
      timed: true,
      risk: "Workers miss jobs after an upgrade.",
    },
    notWritable: {
      say: (d: { by: string; table: string; statement: string; told: string }) =>
        `after ${sayBy(d.by)}, with the newer release, ${d.statement} on ${d.table}: ${d.told}`,
      risk: "After an upgrade, tables can be read but not used.",
    },
    refused: {
      say: (d: { by: string; words: string }) =>
        `after ${sayBy(d.by)} the newer release refuses the folder: ${d.words}`,
      level: "warn",
      risk: "There is no upgrade without moving the data by other means.",
      remedy: "Export the data with the older release, or upgrade by way of the releases in between.",
    },
    silentRefusal: {
      say: (d: { by: string; why: string; words: string }) =>
        `after ${sayBy(d.by)} the newer release does not start, and does not say that the folder is an older one: ${d.why}${d.words === "" ? "" : `: ${d.words}`}`,
      risk: "An upgrade ends in a server that does not start, and nobody knows why.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const { disk, another } = othersOf(target, context);
    const folder = disk.newFolder();
    const older = await another({ dataFolder: folder, older: true });
    if (older.kind === "notReady")
      return context.need({ why: `the older release did not start: ${whyNoOther(older)}`, whole: true }, "");
    const version = await versionOf(older);
    const written = await writeAll(older, context);
    await older.stop();
    const rounds: Round[] = [];
    const open = async (by: Round["by"], dataFolder: string, before: Before): Promise<void> => {
      const newer = await another({ dataFolder });
      const { shown } = before;
      if (newer.kind === "notReady") rounds.push({ by, before: shown, opened: notOpened(newer) });
      else {
        rounds.push({ by, before: shown, opened: await lookAt(newer, context, before) });
        await newer.stop();
      }
    };
    // In the place of the folder itself: a server may keep the paths of its files.
    const kept = disk.copyOf(folder);
    await open("stop", folder, written);
    if (context.size({ light: 0, standard: 1, deep: 1 }) > 0) {
      disk.restore(folder, kept);
      const again = await another({ dataFolder: folder, older: true });
      if (again.kind === "running") {
        const late = await writeLate(again, context, written);
        await again.kill();
        await open("kill", folder, late);
      }
    }
    for (const made of [folder, kept]) disk.remove(made);
    return { version, topic: written.topic, rounds };
  },
  judge({ version, topic, rounds }, { found }) {
    const unseen: string[] = [];
    const newerVersions = new Set<string | null>();
    for (const { by, before, opened } of rounds) {
      if (!("shown" in opened)) {
        const why = judgeNotOpened(opened);
        if (why === "login") found.loginsBroken({ by, who: "root", told: opened.why }, { case: "root" });
        else if (why === "clear") found.refused({ by, words: opened.words });
        else if (why === "unclear") found.silentRefusal({ by, why: opened.why, words: opened.words });
        unseen.push(`the newer release could not be looked at: ${opened.why}`);
        continue;
      }
      newerVersions.add(opened.version);
      for (const { who, told } of opened.logins.filter(({ kind }) => kind === "refused"))
        found.loginsBroken({ by, who, told }, { case: who });
      for (const { table, owner, digest, types, twin } of opened.shown) {
        const was = before.find((one) => one.table === table && one.owner === owner);
        if (was === undefined) continue;
        const gone = digest.find(({ missing }) => missing);
        if (gone !== undefined) {
          found.tableMissing({ by, table, told: gone.why ?? "" }, { case: table, sent: [gone.exchange] });
          continue;
        }
        const differences = differencesFrom(was.digest, digest).filter(({ query }) => !isShownSo(query, digest, twin));
        const [first] = differences;
        if (first !== undefined) {
          const what = sayDifference(first);
          const data = { by, table, owner, what, queries: differences.length, of: digest.length };
          found.rowsDiffer(data, { case: table, sent: [first.exchange] });
        }
        for (const [column, type] of Object.entries(was.types ?? {})) {
          const is = types?.[column] ?? "missing";
          if (types === null || is === type || twin?.types?.[column] === is) continue;
          found.typesDiffer({ by, table, column, was: type, is }, { case: table });
          break;
        }
      }
      const refusal = opened.writes.find(({ table, said }) => said.kind === "refused" && !isGone(opened, table));
      if (refusal !== undefined) {
        const { table, statement, said } = refusal;
        found.notWritable({ by, table, statement, told: said.message }, { case: table, sent: said });
      }
      const { status, message } = opened.flush;
      if (status !== null && status !== "completed" && hasEnded({ status }))
        found.notWritable({ by, table: flushedLater, statement: "a flush", told: `${status} ${message}` });
      const { after } = opened;
      if (after !== null) {
        const { table, owner, digest } = after;
        const then = opened.shown.find((one) => one.table === table);
        const [changed] = differencesFrom(then?.digest ?? [], digest);
        if (changed !== undefined) {
          const what = `when it was flushed, ${sayDifference(changed)}`;
          found.rowsDiffer({ by, table, owner, what, queries: 1, of: digest.length }, { sent: [changed.exchange] });
        }
      }
      if (opened.topic !== null) judgeTopic(by, topic, opened.topic, found);
      unseen.push(...whyUnseen(opened));
    }
    const [why] = unseen;
    if (why !== undefined) return unknown(why);
    if (rounds.length === 0) return unknown("the newer release was not started");
    const [newer = null] = newerVersions;
    if (version !== null && version === newer) return unknown(`both releases say that they are ${version}`);
    const tables = new Set(rounds.flatMap(({ before }) => before.map(({ table }) => table))).size;
    const queries = rounds.reduce(
      (sum, { before }) => sum + before.reduce((all, { digest }) => all + digest.length, 0),
      0,
    );
    const left =
      topic.why === null
        ? `${topic.done.length} of ${messages} messages stayed acknowledged`
        : `topics were not tried with the older release (${topic.why})`;
    return pass(
      `${version ?? "a release that tells no version"} to ${newer ?? "one that tells none"}, after ${rounds.map(({ by }) => sayBy(by)).join(" and ")}: ${queries} queries about ${tables} tables answered as before, ${Object.keys(roles).length} logins work; ${left}`,
    );
  },
});

function sayBy(by: string): string {
  return by === "kill" ? "a kill" : "a stop";
}

async function writeAll(older: OtherServer, context: Context): Promise<Before> {
  const { root } = older;
  const ask = async (sql: string) => await older.sql(root, sql);
  context.need(await ask(`CREATE NAMESPACE ${namespace}`), "the older release made no namespace");
  const all = places();
  await makeTables(context, ask, all);
  for (const [who, role] of Object.entries(roles))
    context.need(await ask(`CREATE USER '${who}' WITH PASSWORD '${password}' ROLE ${role}`), `no account for ${who}`);
  const { logins, accounts } = await enterAll(older);
  const out = logins.find(({ kind }) => kind !== "in");
  if (out !== undefined) context.need({ why: `${out.who} could not log in to the older release: ${out.told}` }, "");
  const askAs = askOf(older, accounts);
  for (const place of all) await writeHalf(context, askAs, place, "cold");
  for (const table of new Set(all.map(nameOf))) {
    const flushed = await runToEnd(older, context, root, `STORAGE FLUSH TABLE ${table}`);
    const why = whyNotEnded(flushed, `the flush of ${table} with the older release`);
    if (why !== undefined) context.need({ why, whole: true }, "");
  }
  for (const place of all) await writeHalf(context, askAs, place, "hot");
  await ask(
    createTable(`${namespace}.events`, {
      type: "STREAM",
      columns: "id BIGINT PRIMARY KEY, mark TEXT",
      options: { TTL_SECONDS: 86_400 },
    }),
  );
  const topic = await leaveTopic(older, context);
  const shown = [];
  for (const place of all) shown.push(await show(askAs, place));
  return answered({ places: all, shown, topic }, context);
}

/** On the folder that was stopped cleanly, just before a kill: another table, with rows that nobody has flushed. */
async function writeLate(older: OtherServer, context: Context, written: Before): Promise<Before> {
  const { accounts } = await enterAll(older);
  const askAs = askOf(older, accounts);
  const late = latePlace();
  await makeTables(context, askAs("root"), [late]);
  for (const half of ["cold", "hot"] as const) await writeHalf(context, askAs, late, half);
  const shown = [...written.shown, await show(askAs, late)];
  return answered({ ...written, places: [...written.places, late], shown }, context);
}

/** What the older release does not answer, the newer one cannot be measured against. */
function answered(before: Before, context: Context): Before {
  const why = before.shown.flatMap(({ digest }) => whyUnanswered(digest) ?? [])[0];
  if (why !== undefined) context.need({ why: `with the older release: ${why}`, whole: true }, "");
  return before;
}

/** Rows that the newer release has written itself are shown in the same way. The query was answered. */
function isShownSo(query: string, digest: Shown["digest"], twin: Shown | null): boolean {
  const lines = (of: Shown["digest"] = []): string | undefined =>
    of.find((one) => one.query === query)?.lines?.join("\n");
  return lines(twin?.digest) === lines(digest);
}

function judgeTopic(
  by: string,
  { done, open }: TopicLeft,
  { why, came, elsewhere, waitedMs, exchange }: TopicShown,
  found: Pick<Collector<(typeof olderDataOpens)["findings"]>, "acknowledgedAgain" | "messagesLost">,
): void {
  const again = done.filter((key) => came.includes(key));
  const lost = why === null ? open.filter((key) => !came.includes(key)) : [];
  const sent = [exchange];
  if (again.length > 0) found.acknowledgedAgain({ by, keys: again, of: done.length }, { sent });
  if (lost.length === 0) return;
  const others = lost.filter((key) => elsewhere.includes(key)).length;
  found.messagesLost({ by, keys: lost, of: open.length, waitedMs, elsewhere: others }, { sent });
}

function isGone({ shown }: Opened, table: string): boolean {
  return shown.some((one) => one.table === table && one.digest.some(({ missing }) => missing));
}

function judgeNotOpened({ ended, words, rootRefused }: NotOpened): "login" | "clear" | "unclear" | "unknown" {
  if (rootRefused) return "login";
  if (!ended) return "unknown";
  return clearWords.test(words) && !unclearWords.test(words) ? "clear" : "unclear";
}

/** Why it is not known whether all is as before. */
function whyUnseen({ logins, shown, topic, writes, flush, after }: Opened): string[] {
  const notIn = logins.find(({ kind }: LoggedIn) => kind === "unsure");
  const unread = shown.flatMap(({ digest }) => whyUnanswered(digest) ?? [])[0];
  const untyped = shown.find(({ types }) => types === null);
  const unsure = writes.find(({ said }: { readonly said: Said }) => said.kind !== "ok");
  const reasons = [
    notIn && `the login of ${notIn.who} was not answered: ${notIn.told}`,
    unread,
    untyped && `the types of ${untyped.table} were not answered`,
    topic?.why && `the topic could not be polled: ${topic.why}`,
    unsure && `${unsure.statement} on ${unsure.table}: ${unsure.said.message}`,
    whyNotEnded(flush, "the flush with the newer release"),
    after === null ? undefined : whyUnanswered(after.digest),
  ];
  return reasons.flatMap((why) => why ?? []);
}
