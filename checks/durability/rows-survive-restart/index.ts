import { defineCheck, pass, unknown, type Context } from "../../../src/check.ts";
import type { Values } from "../../../src/history/history.ts";
import { cellText, type Account, type Target } from "../../../src/server/target.ts";
import { tryLogin, type LoginSaid } from "../../vocabulary/logins.ts";
import { makeTable, sharedTable } from "../../vocabulary/tables.ts";
import { differencesOf, type Changed } from "../model.ts";
import { atLeast, readUntil, readWhole, type Reading } from "../reading.ts";
import { restart, restartText, restartTimes, whyNotRestarted, type Restart } from "../restart.ts";

const columns = "id BIGINT PRIMARY KEY, mark TEXT, level INT DEFAULT 7, made TIMESTAMP DEFAULT NOW()";
const read = ["id", "mark", "level", "made"];

type Owned = {
  /** Whose rows: `alice`, `bob`, or `shared`. Their marks begin with it. */
  readonly owner: string;
  readonly table: "USER" | "SHARED";
  readonly written: number;
  readonly before: Reading;
  readonly after: Reading;
};
type LoggedIn = { readonly owner: string; readonly tries: readonly LoginSaid[] };
type Seen = {
  readonly restart: Restart;
  readonly owned: readonly Owned[];
  readonly logins: readonly LoggedIn[];
  /** The secret of tokens is the same as before. */
  readonly sameSecret: boolean;
};

export const rowsSurviveRestart = defineCheck({
  id: "durability/rows-survive-restart",
  title: "Rows and accounts survive a restart",
  failureTitle: "Rows or accounts are lost or changed by a restart",
  description:
    "Two users write rows into a USER table and one account into a SHARED table, some columns from their defaults. The server is asked to stop (SIGTERM) and is started again. Everybody must read the same rows as before, with the same default values, and nobody else's; both users' passwords must work, and so must a token from before, where the secret is the same.",
  blindTo:
    "It shows nothing about a power loss, and only a few rows; durability/hot-and-cold-agree tests flushed ones.",
  risk: "Every update of the server loses data.",
  remedy: "Look at the server's log of the shutdown and the start, and at the data folder that it was started with.",
  covers: ["DUR-01"],
  touches: "process",
  needs: ["control", "dba"],
  alone: true,
  level: "block",
  estimateMs: 3_000,
  estimateRequests: 40,
  timeoutMs: 200_000,
  findings: {
    lostRows: {
      say: (d: { owner: string; table: string; lost: number; of: number; keys: readonly string[] }) =>
        `${d.lost} of ${d.of} rows of ${d.owner} in the ${d.table} table are gone after the restart, such as ${d.keys.join(", ")}`,
    },
    changedRows: {
      say: (d: { owner: string; table: string; rows: number; first: Changed }) =>
        `${d.rows} rows of ${d.owner} in the ${d.table} table changed in the restart: ${d.first.column} of ${d.first.key} was ${d.first.expected} and is ${d.first.shown}`,
      risk: "Values change on their own, such as times of creation that become the time of the restart.",
    },
    strangeRows: {
      say: (d: { owner: string; table: string; keys: readonly string[] }) =>
        `${d.owner} reads rows in the ${d.table} table that were not there before the restart: ${d.keys.join(", ")}`,
      risk: "Deleted or unfinished data comes back and is taken for real.",
    },
    crossedUsers: {
      say: (d: { reader: string; marks: readonly string[] }) =>
        `after the restart ${d.reader} reads rows of another user: ${d.marks.join(", ")}`,
      risk: "Users see each other's private data.",
      remedy: "Take the server off the network.",
    },
    accountsLost: {
      say: (d: { owner: string; what: string; told: string }) =>
        `${d.what} of ${d.owner} no longer works after the restart: ${d.told}`,
      risk: "Nobody can log in after an update of the server.",
      remedy: "Keep the secret of tokens in the settings, and look for the accounts in system.users.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const [alice, bob] = [await target.account("user", "alice"), await target.account("user", "bob")];
    const own = await makeTable(target, context, op, `${context.scratch}.own`, { columns });
    const shared = await sharedTable(target, context, op, `${context.scratch}.shared`, { columns });
    const places = [
      { owner: "alice", as: alice, table: own, type: "USER" },
      { owner: "bob", as: bob, table: own, type: "USER" },
      { owner: "shared", as: op, table: shared, type: "SHARED" },
    ] as const;
    const written = context.size({ light: 5, standard: 20, deep: 200 });
    for (const place of places) await fill(target, context, place, written);
    const before = [];
    for (const { as, table } of places) before.push(await readWhole(target, as, table, read));
    const restarted = await restart(target, context, op, "stop");
    const owned: Owned[] = [];
    if (restarted.failed === null) {
      for (const [at, { owner, as, table, type }] of places.entries()) {
        const after = await readUntil(target, context, { as, table, columns: read, isWhole: atLeast(written) });
        owned.push({ owner, table: type, written, before: before[at] ?? after, after });
      }
    }
    const logins: LoggedIn[] = [];
    for (const [owner, account] of [
      ["alice", alice],
      ["bob", bob],
    ] as const)
      if (restarted.failed === null) logins.push({ owner, tries: await logIn(target, account) });
    return { restart: restarted, owned, logins, sameSecret: target.control?.own !== undefined };
  },
  timeline: ({ restart: restarted }) => restartTimes([restarted]),
  judge({ restart: restarted, owned, logins, sameSecret }, { found }) {
    const why = whyNotRestarted(restarted);
    if (why !== undefined) return unknown(why);
    for (const { owner, table, written, before, after } of owned) {
      if (after.cause === "login" && sameSecret) {
        const what = "the token from before";
        found.accountsLost({ owner, what, told: after.why ?? "" }, { case: what, sent: after });
      }
      const shown = after.cause === "missing" ? [] : after.rows;
      if (before.rows === null || shown === null) continue;
      const { lost, changed, strange, doubled } = differencesOf(before.rows, shown);
      const foreign = marksOfOthers(owner, shown);
      if (lost.length > 0)
        found.lostRows({ owner, table, lost: lost.length, of: written, keys: lost.slice(0, 5) }, { sent: after });
      if (foreign.length > 0) found.crossedUsers({ reader: owner, marks: foreign.slice(0, 5) }, { sent: after });
      const [first] = foreign.length > 0 ? [] : changed;
      if (first !== undefined) found.changedRows({ owner, table, rows: changed.length, first }, { sent: after });
      const odd = foreign.length > 0 ? [] : [...strange, ...doubled];
      if (odd.length > 0) found.strangeRows({ owner, table, keys: odd.slice(0, 5) }, { sent: after });
    }
    for (const { owner, tries } of logins) {
      if (tries.length < 2 || tries.some(({ kind }) => kind !== "refused")) continue;
      found.accountsLost(
        { owner, what: "the password", told: `${tries.at(-1)?.outcome ?? ""} (tried twice)` },
        { case: "the password", sent: tries },
      );
    }
    const unread = owned.flatMap(({ before, after }) => before.why ?? after.why ?? [])[0];
    if (unread !== undefined) return unknown(`the rows could not be read: ${unread}`);
    const partial = owned.find(({ before, written }) => (before.rows ?? []).length < written);
    if (partial !== undefined)
      return unknown(
        `${partial.owner} read ${partial.before.rows?.length ?? 0} of ${partial.written} rows before the restart`,
      );
    const unsure = logins.find(({ tries }) => tries.at(-1)?.kind !== "in");
    if (unsure !== undefined)
      return unknown(`the login of ${unsure.owner} was not answered: ${unsure.tries.at(-1)?.outcome}`);
    const rows = owned.reduce((sum, { written }) => sum + written, 0);
    const tokens = sameSecret ? " and earlier tokens" : "";
    return pass(
      `${rows} rows of ${owned.length} readers the same; ${logins.length} passwords${tokens} work; ${restartText([restarted])}`,
    );
  },
});

async function fill(
  target: Target,
  context: Pick<Context, "need">,
  { owner, as, table }: { owner: string; as: Account; table: string },
  count: number,
): Promise<void> {
  const rows = Array.from({ length: count }, (_, at) => `(${at + 1}, '${owner}-${at + 1}')`);
  context.need(
    await target.sql(as, `INSERT INTO ${table} (id, mark) VALUES ${rows.join(", ")}`),
    `the rows of ${owner} could not be written`,
  );
}

/** A second try only where the first was refused: wrong passwords lock an account. */
async function logIn(target: Target, account: Account): Promise<LoginSaid[]> {
  const first = await tryLogin(target, account.name, target.password(account));
  if (first.said.kind === "in") return [first.said];
  return [first.said, (await tryLogin(target, account.name, target.password(account))).said];
}

function marksOfOthers(owner: string, rows: readonly Values[]): string[] {
  return rows
    .map(({ mark }) => cellText(mark ?? ""))
    .filter((mark) => /^(alice|bob|shared)-/.test(mark) && !mark.startsWith(`${owner}-`));
}
