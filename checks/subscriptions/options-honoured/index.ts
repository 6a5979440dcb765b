import { defineCheck, fail, pass, unknown, type FoundOf } from "../../../src/check.ts";
import { cellText, rowsOf, versionOf, type Live, type SubscribeOptions } from "../../../src/server/target.ts";
import { connect, fenceArrives } from "../../vocabulary/following.ts";
import { openingOf, openingText, type Opening } from "../../vocabulary/opening.ts";

interface Case {
  readonly name: string;
  /** `null`: a subscription without options at all. */
  readonly options: SubscribeOptions | null;
  /** What the snapshot must be: so many of the newest rows, or all. */
  readonly newest: number | "all";
  /** Whether refusing it is as good. */
  readonly mayRefuse?: boolean;
  /** Refusing is the only right answer. */
  readonly mustRefuse?: boolean;
}

/** One line a case; add to it freely. */
export const cases: readonly Case[] = [
  { name: "no options", options: null, newest: 0 },
  { name: "empty options", options: {}, newest: "all" },
  { name: "the last 0", options: { lastRows: 0 }, newest: 0, mayRefuse: true },
  { name: "the last 3", options: { lastRows: 3 }, newest: 3 },
  { name: "the last 10", options: { lastRows: 10 }, newest: 10 },
  { name: "the last of more than there are", options: { lastRows: 100 }, newest: "all" },
  { name: "pages of 7", options: { batchSize: 7 }, newest: "all" },
  { name: "pages of 5, no rest", options: { batchSize: 5 }, newest: "all" },
  { name: "one page for all", options: { batchSize: 20 }, newest: "all" },
  { name: "the last 4 in a page of 4", options: { lastRows: 4, batchSize: 4 }, newest: 4 },
  { name: "the last 10 in pages of 4", options: { lastRows: 10, batchSize: 4 }, newest: 10, mayRefuse: true },
  { name: "pages of 0", options: { batchSize: 0 }, newest: "all", mayRefuse: true },
  { name: "unknown option", options: { other: { last_row: 3 } }, newest: "all", mustRefuse: true },
];

const readerCount = 2;
const keyMax = 1_000;
/** Not in the order of their keys, and one changed later: so that "the last" can be told from "the highest". */
const batches: readonly (readonly number[])[] = [
  Array.from({ length: 14 }, (_, at) => at + 1),
  [900],
  [301, 302, 303],
  [250, 150],
];
const changedKey = 2;
const rowCount = batches.flat().length;

type Opened = {
  readonly case: string;
  readonly opening: Opening;
  readonly pages: readonly (readonly string[])[];
  /** Whether the row that was written at the end was told: a subscription that is not alive shows nothing. */
  readonly alive: boolean;
};

type Seen = {
  readonly why: string | null;
  readonly opened: readonly Opened[];
  /** Keys of all rows, the newest first. */
  readonly newest: readonly string[];
};

const findings = {
  wrongWindow: {
    say: (d: { wanted: string; missing: readonly string[]; extra: readonly string[] }) =>
      `${d.wanted} were asked for; missing: ${d.missing.join(", ") || "none"}, there without being asked for: ${d.extra.join(", ") || "none"}`,
  },
  lostPage: {
    say: (d: { rows: number; of: number; pages: number; missing: readonly string[] }) =>
      `${d.pages} pages have ${d.rows} of ${d.of} rows; missing: ${d.missing.join(", ")}`,
  },
  doubledPage: {
    say: (d: { pages: number; doubled: readonly string[] }) =>
      `in ${d.pages} pages rows came more than once: ${d.doubled.join(", ")}`,
  },
  silentlyIgnored: {
    say: (d: { option: string }) => `the option ${d.option} does not exist and was accepted without a word`,
  },
};

export const optionsHonoured = defineCheck({
  id: "subscriptions/options-honoured",
  title: "A subscription starts with the rows that its options name",
  failureTitle: "A subscription starts with other rows than asked for",
  description: `Writes ${rowCount} rows, not in the order of their keys, and changes an old one; then subscribes with ${cases.length} sets of options: none, the last rows, more than there are, pages of several sizes, contradictions, an option that does not exist. The snapshot must be exactly the rows asked for, each once, no page longer than asked; an unknown option must be refused.`,
  blindTo: "A small table that nobody writes to meanwhile; cursors over many rows are for cursor-exact.",
  risk: "A chat that asks for the last ten messages shows ten others.",
  remedy: "Read the first rows with SELECT … ORDER BY, and subscribe without a snapshot or to all rows.",
  covers: ["SUB-03"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_500,
  estimateRequests: cases.length + batches.length + 8,
  findings,
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const writer = await target.account("service", "writer");
    const table = `${context.scratch}.asked_for`;
    const nothing = { opened: [], newest: [] };
    const made = await target.sql(
      op,
      `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, v TEXT) WITH (TYPE='SHARED', ACCESS_LEVEL='PUBLIC')`,
    );
    if (made.kind !== "ok") return { ...nothing, why: `the table could not be made: ${made.message}` };
    const statements = [
      ...batches.map((ids) => `INSERT INTO ${table} (id, v) VALUES ${ids.map((id) => `(${id}, 'v')`).join(", ")}`),
      `UPDATE ${table} SET v = 'changed' WHERE id = ${changedKey}`,
    ];
    for (const statement of statements) {
      const done = await target.sql(writer, statement);
      if (done.kind !== "ok") return { ...nothing, why: `the rows could not be written: ${done.message}` };
    }
    const rows = rowsOf(await target.sql(op, `SELECT * FROM ${table} LIMIT 1000`));
    if (rows === undefined) return { ...nothing, why: "the rows could not be read" };
    const versions = rows.map((row) => ({ id: cellText(row["id"]), version: versionOf(row)?.digits }));
    if (versions.some(({ version }) => version === undefined))
      return { ...nothing, why: "the rows have no version by which they could be put in order" };
    const newest = versions
      .toSorted((a, b) => (BigInt(a.version ?? 0) < BigInt(b.version ?? 0) ? 1 : -1))
      .map(({ id }) => id);

    const readers = await Promise.all(
      Array.from({ length: readerCount }, async (_, at) => await target.account("user", `reader ${at}`)),
    );
    const lives = await Promise.all(readers.map(async (reader) => await connect(target, reader)));
    const subscriptions = await Promise.all(
      lives.map(async (live, at) =>
        "why" in live
          ? live
          : await openAll(
              live,
              table,
              cases.filter((_, n) => n % readerCount === at),
            ),
      ),
    );
    const unmade = subscriptions.find((one) => "why" in one);
    if (unmade !== undefined && "why" in unmade) return { ...nothing, why: unmade.why };
    await target.sql(writer, `INSERT INTO ${table} (id, v) VALUES (${keyMax}, 'fence')`);
    const opened = await Promise.all(
      subscriptions
        .flatMap((one) => ("why" in one ? [] : one))
        .map(async ({ subscription, ...one }): Promise<Opened> => {
          const alive = one.opening.kind === "ready" && (await fenceArrives(subscription, "v", "fence"));
          return { ...one, alive };
        }),
    );
    return { why: null, opened, newest };
  },
  judge({ why, opened, newest }) {
    if (why !== null) return unknown(why);
    const all = new Set(newest);
    if (all.size !== rowCount) return unknown(`the table has ${all.size} rows of ${rowCount}`);
    const found = opened.flatMap((one) => faultsOf(one, newest));
    if (found.length > 0) return fail(...found);
    const refused = opened.filter(({ opening }) => opening.kind !== "ready");
    const odd = refused.find(({ case: name, opening }) => {
      const asked = cases.find((one) => one.name === name);
      return opening.reason !== "sql" || (asked?.mayRefuse !== true && asked?.mustRefuse !== true);
    });
    if (odd !== undefined) return unknown(`${odd.case}: ${openingText(odd.opening)}`);
    const dead = opened.find(({ opening, alive }) => opening.kind === "ready" && !alive);
    if (dead !== undefined) return unknown(`${dead.case}: the row that was written at the end did not arrive`);
    if (opened.length < cases.length) return unknown(`only ${opened.length} of ${cases.length} cases were tried`);
    return pass(
      `${opened.length - refused.length} sets of options gave exactly their rows, ${refused.length} were refused`,
    );
  },
});

function faultsOf({ case: name, opening, pages }: Opened, newest: readonly string[]): FoundOf<typeof findings>[] {
  const asked = cases.find((one) => one.name === name);
  if (asked === undefined || opening.kind !== "ready") return [];
  const common = { case: name, sent: [opening.exchange] };
  const { options, mustRefuse } = asked;
  if (mustRefuse === true)
    return [{ name: "silentlyIgnored", ...common, data: { option: JSON.stringify(options?.other) } }];
  const wanted = asked.newest === "all" ? newest : newest.slice(0, asked.newest);
  const came = pages.flat();
  const missing = wanted.filter((id) => !came.includes(id));
  const extra = [...new Set(came)].filter((id) => !wanted.includes(id));
  const doubled = [...new Set(came.filter((id, at) => came.indexOf(id) !== at))];
  const size = options?.batchSize ?? 0;
  const long = size === 0 ? undefined : pages.find((page) => page.length > size);
  const found: FoundOf<typeof findings>[] = [];
  if (doubled.length > 0)
    found.push({ name: "doubledPage", ...common, data: { pages: pages.length, doubled: doubled.slice(0, 5) } });
  if (asked.newest === "all" && missing.length > 0) {
    const data = { rows: wanted.length - missing.length, of: wanted.length, pages: pages.length };
    found.push({ name: "lostPage", ...common, data: { ...data, missing: missing.slice(0, 5) } });
  } else if (missing.length > 0 || extra.length > 0) {
    const words = asked.newest === "all" ? "all rows" : `the newest ${asked.newest} rows`;
    found.push({ name: "wrongWindow", ...common, data: { wanted: words, missing, extra: extra.slice(0, 5) } });
  }
  if (long !== undefined) {
    const data = { wanted: `pages of ${size} rows`, missing: [], extra: long.slice(size, size + 5) };
    found.push({ name: "wrongWindow", ...common, data });
  }
  return found;
}

/** One after the other on one connection. */
async function openAll(live: Live, table: string, some: readonly Case[]) {
  const opened = [];
  for (const { name, options } of some) {
    const subscription = await live.subscribe(`SELECT * FROM ${table}`, options);
    const begun = await subscription.begin();
    const pages = begun.kind === "ready" ? begun.pages.map((page) => page.map((row) => cellText(row["id"]))) : [];
    opened.push({ case: name, subscription, opening: openingOf(begun, subscription), pages });
  }
  return opened;
}
