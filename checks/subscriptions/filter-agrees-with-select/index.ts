import { defineCheck, fail, pass, unknown, type FoundOf } from "../../../src/check.ts";
import {
  cellText,
  rowsOf,
  type Account,
  type Live,
  type Subscription,
  type Target,
} from "../../../src/server/target.ts";
import { connect, fenceArrives } from "../../vocabulary/following.ts";
import {
  holdAgainst,
  predicates,
  seeds,
  statementFor,
  steps,
  type Disagreement,
  type Filtered,
  type Selected,
} from "./filter-history.ts";
import { openingOf, openingText, type Opening } from "../../vocabulary/opening.ts";

/** At most so many subscriptions an account, with the one that has no filter: half of what a server allows by default. */
const filtersPerReader = 5;
/** With fewer filters served and judged there is nothing to praise. */
const servedMin = 4;
/** How long the events of filters may be behind those of the subscription without one, on the same connection. */
const graceMs = 1_000;
const fenceId = 1_000;

type Seen = {
  readonly why: string | null;
  readonly filters: readonly Filtered[];
  readonly selected: Selected;
  /** Of each statement, in order: acknowledged, with one row changed. */
  readonly acknowledged: readonly boolean[];
  readonly exchanges: readonly number[];
  /** Of each connection's subscription without a filter: how many of the statements it was told of, and the fence. */
  readonly controls: readonly { readonly told: number; readonly fenced: boolean; readonly opening: Opening }[];
};

const findings = {
  lostByFilter: {
    say: (d: { where: string; first: string; lost: number; of: number }) =>
      `WHERE ${d.where}: ${d.lost} of ${d.of} changes that SELECT shows were not told, the first: ${d.first}`,
  },
  leakedByFilter: {
    say: (d: { where: string; first: string; leaked: number; of: number }) =>
      `WHERE ${d.where}: ${d.leaked} of ${d.of} changes that SELECT does not show were told, the first: ${d.first}`,
  },
  leavingNotTold: {
    say: (d: { filters: readonly string[]; first: string; untold: number; of: number }) =>
      `${d.untold} of ${d.of} times a row left a filter and the subscriber was not told, the first: ${d.first}; filters: ${d.filters.join(", ")}`,
    level: "warn",
  },
} as const;

export const filterAgreesWithSelect = defineCheck({
  id: "subscriptions/filter-agrees-with-select",
  title: "A live filter selects what SELECT selects",
  failureTitle: "A live filter selects other rows than SELECT",
  description: `Subscribes with ${predicates.length} filters (${predicates.map(({ name }) => name).join(", ")}), then ${steps.length} statements bring rows in, change them, take them out and delete them. The same SELECT is run before and after each: what it selects after a change must be told, what it does not select must not, and a row that it no longer selects must be told to have gone. A filter may be refused for its SQL; an accepted one must be right. A subscription without a filter on the same connection shows that everything was there to be told.`,
  blindTo: "These filters and these values; a filter with a function or a type of its own may still go wrong.",
  risk: "A screen or an agent that listens with a filter silently misses rows, or gets rows that it must not have.",
  remedy:
    "Use only filters that pass here; for others subscribe without and filter at the client. Read again to notice rows that have left.",
  covers: ["SUB-02"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  timeoutMs: 120_000,
  estimateMs: 3_000,
  estimateRequests: 2 * steps.length + predicates.length + 10,
  findings,
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const writer = await target.account("service", "writer");
    const table = `${context.scratch}.filtered`;
    const nothing = { filters: [], selected: [], acknowledged: [], exchanges: [], controls: [] };
    const made = await target.sql(
      op,
      `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, kind TEXT, n INT, big BIGINT, note TEXT, step INT) WITH (TYPE='SHARED', ACCESS_LEVEL='PUBLIC')`,
    );
    if (made.kind !== "ok") return { ...nothing, why: `the table could not be made: ${made.message}` };
    for (const seed of seeds) {
      const done = await target.sql(writer, statementFor(table, seed, 0));
      if (done.kind !== "ok") return { ...nothing, why: `the first rows could not be written: ${done.message}` };
    }
    const groups = Array.from({ length: Math.ceil(predicates.length / filtersPerReader) }, (_, at) =>
      predicates.slice(at * filtersPerReader, (at + 1) * filtersPerReader),
    );
    const readers = await Promise.all(groups.map(async (_, at) => await target.account("user", `reader ${at}`)));
    const connections = await Promise.all(readers.map(async (reader) => await connect(target, reader)));
    const unmade = connections.find((one) => "why" in one);
    if (unmade !== undefined && "why" in unmade) return { ...nothing, why: unmade.why };
    const lives = connections.filter((one): one is Live => !("why" in one));
    const opened = await Promise.all(lives.map(async (live, at) => await open(live, table, groups[at] ?? [])));

    const selected = [await select(target, op, table)];
    const acknowledged: boolean[] = [];
    const exchanges: number[] = [];
    for (const [at, step] of steps.entries()) {
      const answer = await target.sql(writer, statementFor(table, step, at + 1));
      acknowledged.push(answer.kind === "ok" && answer.results[0]?.rowCount === 1);
      exchanges.push(answer.exchange);
      selected.push(await select(target, op, table));
    }
    await target.sql(writer, `INSERT INTO ${table} (id, step) VALUES (${fenceId}, ${fenceId})`);
    const fenced = await Promise.all(
      opened.map(async ({ control }) => await fenceArrives(control, "id", String(fenceId))),
    );
    const complete = selected.flatMap((one) => (one === null ? [] : [one]));
    const filters = (): Filtered[] => opened.flatMap((one) => one.filters.map(filteredOf));
    // The fence has come where there is no filter; what a filter has let through is behind it by moments at most.
    const told = await context.poll(
      async () => await Promise.resolve(filters()),
      (now) => complete.length <= steps.length || !now.some((one) => lacksEvents(one, complete)),
      { withinMs: graceMs, everyMs: 50 },
    );
    for (const live of lives) live.close();
    return {
      why: complete.length <= steps.length ? "the SELECT to compare with was not answered" : null,
      selected: complete,
      acknowledged,
      exchanges,
      controls: opened.map(({ control, opening }, at) => ({
        told: toldOf(control),
        fenced: fenced[at] === true,
        opening,
      })),
      filters: told,
    };
  },
  judge({ why, filters, selected, acknowledged, exchanges, controls }) {
    if (why !== null) return unknown(why);
    const odd = acknowledged.findIndex((one) => !one);
    if (odd !== -1 || acknowledged.length < steps.length)
      return unknown(`statement ${odd + 1} of ${steps.length} was not acknowledged, so nobody knows what is there`);
    const deaf = controls.find(({ told, fenced }) => !fenced || told < steps.length);
    if (deaf !== undefined || controls.length === 0)
      return unknown(
        `the subscription without a filter was told ${deaf?.told ?? 0} of ${steps.length} changes${deaf?.fenced === true ? "" : ", and not the last"}`,
      );
    const vague = filters.find(({ opening }) => opening.kind !== "ready" && opening.reason !== "sql");
    const served = filters.filter(({ opening }) => opening.kind === "ready");
    const agreements = served.map((one) => ({ one, ...holdAgainst(one, selected, steps) }));
    const sum = (which: "told" | "silent" | "left"): number => agreements.reduce((all, one) => all + one[which], 0);
    const found: FoundOf<typeof findings>[] = [];
    const leaving: { one: Filtered; disagreement: Disagreement }[] = [];
    const sentFor = ({ opening }: Filtered, at: number | null): number[] => [
      opening.exchange,
      ...(at === null ? [] : exchanges.slice(at, at + 1)),
    ];
    for (const { one, disagreements } of agreements) {
      for (const disagreement of disagreements) {
        const { name, first, at, events, of } = disagreement;
        const common = { case: one.name, sent: sentFor(one, at) };
        const data = { where: one.where, first, of };
        if (name === "lostByFilter") found.push({ name, ...common, data: { ...data, lost: events } });
        else if (name === "leakedByFilter") found.push({ name, ...common, data: { ...data, leaked: events } });
        else leaving.push({ one, disagreement });
      }
    }
    // Whether rows that leave are told is no matter of this or that filter.
    const [first] = leaving;
    if (first !== undefined) {
      const data = {
        filters: leaving.map(({ one }) => one.name),
        first: `${first.disagreement.first}, WHERE ${first.one.where}`,
        untold: leaving.reduce((all, { disagreement }) => all + disagreement.events, 0),
        of: sum("left"),
      };
      found.push({ name: "leavingNotTold", data, sent: sentFor(first.one, first.disagreement.at) });
    }
    if (found.length > 0) return fail(...found);
    if (vague !== undefined)
      return unknown(`WHERE ${vague.where}: neither served nor refused for its SQL: ${openingText(vague.opening)}`);
    if (served.length < servedMin) return unknown(`only ${served.length} of ${predicates.length} filters were served`);
    const refused = filters.length - served.length;
    return pass(
      `${served.length} filters${refused === 0 ? "" : `, ${refused} refused for their SQL`}: ${sum("told")} changes told, ${sum("silent")} kept back, ${sum("left")} rows told to have left`,
    );
  },
});

interface Opened {
  readonly control: Subscription;
  readonly opening: Opening;
  readonly filters: readonly Asked[];
}
interface Asked {
  readonly name: string;
  readonly where: string;
  readonly subscription: Subscription;
  readonly opening: Opening;
  readonly snapshot: readonly string[];
}

/** One subscription without a filter, then those with one, each by its name. */
async function open(live: Live, table: string, filters: typeof predicates): Promise<Opened> {
  const control = await live.subscribe(`SELECT * FROM ${table}`, {}, "no-filter");
  const opening = openingOf(await control.begin(), control);
  const asked: Asked[] = [];
  for (const { name, where } of filters) {
    const subscription = await live.subscribe(`SELECT * FROM ${table} WHERE ${where}`, {}, name.replaceAll(" ", "-"));
    const begun = await subscription.begin();
    const snapshot = begun.kind === "ready" ? begun.rows.map((row) => cellText(row["id"])) : [];
    asked.push({ name, where, subscription, opening: openingOf(begun, subscription), snapshot });
  }
  return { control, opening, filters: asked };
}

function filteredOf({ name, where, opening, snapshot, subscription }: Asked): Filtered {
  const events = subscription.changes.map(({ kind, row, old }) => ({
    kind,
    id: cellText((row ?? old)?.["id"]),
    step: cellText((row ?? old)?.["step"]),
    gone: row === null,
  }));
  return { name, where, opening, snapshot, told: events.filter(({ id }) => id !== String(fenceId)) };
}

function lacksEvents(one: Filtered, selected: Selected): boolean {
  if (one.opening.kind !== "ready") return false;
  return holdAgainst(one, selected, steps).disagreements.some(({ name }) => name === "lostByFilter");
}

/** Of how many statements the subscription without a filter was told. */
function toldOf({ changes }: Subscription): number {
  return steps.filter(({ kind, id }, at) =>
    changes.some(({ row, old }) =>
      kind === "delete"
        ? row === null && cellText(old?.["id"]) === String(id)
        : cellText(row?.["step"]) === String(at + 1),
    ),
  ).length;
}

/** Which keys each filter selects now, in one request; null where it was not answered. */
async function select(target: Target, as: Account, table: string): Promise<Selected[number] | null> {
  const parts = predicates.map(({ name, where }) => `SELECT '${name}' AS asked, id FROM ${table} WHERE ${where}`);
  const rows = rowsOf(await target.sql(as, `${parts.join(" UNION ALL ")} LIMIT 1000`));
  if (rows === undefined) return null;
  return Object.fromEntries(
    predicates.map(({ name }) => [name, rows.filter((row) => row["asked"] === name).map((row) => cellText(row["id"]))]),
  );
}
