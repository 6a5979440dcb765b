import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { connect, fenceArrives } from "../../vocabulary/following.ts";
import { openingText } from "../../vocabulary/opening.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { wrongSelection } from "./expected-selection.ts";
import {
  holdAgainst,
  predicates,
  seeds,
  statementFor,
  steps,
  type Agreement,
  type Filtered,
  type Selected,
} from "./filter-history.ts";
import { deliveredBy, fenceId, filteredBy, lacksEvents, open, select, type Control } from "./subscribing.ts";

/** Filters per account; with the subscription without a filter about half of what a server allows by default. */
const filtersPerReader = 5;
/** With fewer filters served and judged a pass would mean little. */
const servedMin = 4;
/** How far the events of filters may lag behind those of the unfiltered subscription on the same connection. */
const graceMs = 1_000;

type Seen = {
  readonly filters: readonly Filtered[];
  readonly selected: Selected;
  /** For each statement: acknowledged, with one row changed. */
  readonly acknowledged: readonly boolean[];
  readonly exchanges: readonly number[];
  readonly controls: readonly Control[];
};

export const filterAgreesWithSelect = defineCheck({
  id: "subscriptions/filter-agrees-with-select",
  title: "A live filter selects the same rows as SELECT",
  failureTitle: "A live filter selects different rows than SELECT",
  description: `Subscribes with ${predicates.length} filters (${predicates.map(({ name }) => name).join(", ")}), then runs ${steps.length} statements that bring rows into the filters, change them, take them out and delete them, with the same SELECT before and after each. A change to a row that SELECT returns must be delivered, a change to one that it does not return must not, and a row that SELECT no longer returns must be reported as gone. A filter may be rejected as unsupported SQL; once accepted it must be correct. A subscription without a filter on the same connection shows that every change was delivered.`,
  blindTo: "Other predicates and other values: filters with further functions or types may still be wrong.",
  risk: "An application that listens with a filter silently misses rows, or gets rows it must not have.",
  remedy: "Use only filters that pass here; otherwise subscribe without a filter and filter in the client.",
  covers: ["SUB-02"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  timeoutMs: 120_000,
  uses: { user: 2, service: 1 },
  estimateMs: 3_000,
  estimateRequests: 2 * steps.length + predicates.length + 10,
  findings: {
    lostByFilter: {
      say: (d: { where: string; first: string; lost: number; of: number }) =>
        `WHERE ${d.where}: ${d.lost} of ${d.of} changes to rows that SELECT returns were not delivered, the first: ${d.first}`,
      risk: "An application that listens with a filter silently misses changes.",
    },
    leakedByFilter: {
      say: (d: { where: string; first: string; leaked: number; of: number }) =>
        `WHERE ${d.where}: ${d.leaked} of ${d.of} changes to rows that SELECT does not return were delivered, the first: ${d.first}`,
      risk: "An application that listens with a filter gets rows it must not have.",
    },
    leavingNotTold: {
      say: (d: { filters: readonly string[]; first: string; untold: number; of: number }) =>
        `${d.untold} of ${d.of} times a row left a filter and the subscriber was not notified, the first: ${d.first}; filters: ${d.filters.join(", ")}`,
      level: "warn",
      risk: "A client goes on showing rows that no longer match its filter.",
      remedy: "Read the rows again from time to time to notice those that have left the filter.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const writer = await target.account("service", "writer");
    const table = await sharedTable(target, context, op, `${context.scratch}.filtered`, {
      columns: "id BIGINT PRIMARY KEY, kind TEXT, n INT, big BIGINT, note TEXT, step INT",
      readers: ["user"],
    });
    const first = seeds.map((seed) => statementFor(table, seed, 0)).join("; ");
    context.need(await target.sql(writer, first), "the first rows could not be written");
    const selectNow = async (): Promise<Selected[number]> =>
      context.need(await select(target, op, table), "the SELECT to compare with was not answered");

    const groups = Array.from({ length: Math.ceil(predicates.length / filtersPerReader) }, (_, at) =>
      predicates.slice(at * filtersPerReader, (at + 1) * filtersPerReader),
    );
    const readers = await Promise.all(groups.map(async (_, at) => await target.account("user", `reader ${at}`)));
    const lives = await Promise.all(
      readers.map(async (reader) => context.need(await connect(target, reader), "a reader could not connect")),
    );
    const opened = await Promise.all(lives.map(async (live, at) => await open(live, table, groups[at] ?? [])));

    const selected = [await selectNow()];
    const acknowledged: boolean[] = [];
    const exchanges: number[] = [];
    for (const [at, step] of steps.entries()) {
      const answer = await target.sql(writer, statementFor(table, step, at + 1));
      acknowledged.push(answer.kind === "ok" && answer.results[0]?.rowCount === 1);
      exchanges.push(answer.exchange);
      selected.push(await selectNow());
    }
    const fence = `INSERT INTO ${table} (id, step) VALUES (${fenceId}, ${fenceId})`;
    context.need(await target.sql(writer, fence), "the last row could not be written");
    const controls = await Promise.all(
      opened.map(async ({ control: { subscription, opening } }) => {
        const fenced = await fenceArrives(subscription, "id", String(fenceId));
        return { delivered: deliveredBy(subscription), fenced, opening };
      }),
    );
    // The fence arrived without a filter; what a filter lets through can only be moments behind it.
    const filters = await context.poll(
      async () => await Promise.resolve(opened.flatMap(filteredBy)),
      (now) => !now.some((one) => lacksEvents(one, selected)),
      { withinMs: graceMs, everyMs: 50 },
    );
    for (const live of lives) live.close();
    return { selected, acknowledged, exchanges, controls, filters };
  },
  judge({ filters, selected, acknowledged, exchanges, controls }, { found }) {
    const odd = acknowledged.findIndex((one) => !one);
    if (odd !== -1 || acknowledged.length < steps.length)
      return unknown(
        `statement ${odd + 1} of ${steps.length} was not acknowledged, so the table's contents are uncertain`,
      );
    const incomplete = controls.find(({ delivered, fenced }) => !fenced || delivered < steps.length);
    if (incomplete !== undefined || controls.length === 0)
      return unknown(
        `the subscription without a filter delivered ${incomplete?.delivered ?? 0} of ${steps.length} changes${incomplete?.fenced === true ? "" : ", and not the last row"}`,
      );
    const misread = predicates.flatMap(({ name, where }) => {
      const why = wrongSelection(selected, name);
      return why === undefined ? [] : [{ name, why: `SELECT … WHERE ${where} itself ${why}` }];
    });
    // What SELECT gets wrong is no fault of the live filter.
    const served = filters.filter(
      ({ name, opening }) => opening.kind === "ready" && !misread.some((one) => one.name === name),
    );
    const agreements = served.map((one) => ({ one, ...holdAgainst(one, selected, steps) }));
    const sum = (which: Exclude<keyof Agreement, "disagreements">): number =>
      agreements.reduce((all, one) => all + one[which], 0);
    const sentFor = ({ opening }: Filtered, at: number | null): number[] => [
      opening.exchange,
      ...(at === null ? [] : exchanges.slice(at, at + 1)),
    ];
    const disagreements = agreements.flatMap(({ one, disagreements: some }) => some.map((each) => ({ one, ...each })));
    for (const { one, name, first, at, events, of } of disagreements) {
      const shown = { case: one.name, sent: sentFor(one, at) };
      if (name === "lostByFilter") found.lostByFilter({ where: one.where, first, of, lost: events }, shown);
      if (name === "leakedByFilter") found.leakedByFilter({ where: one.where, first, of, leaked: events }, shown);
    }
    // Whether a row that leaves is reported does not depend on the filter: one finding for all of them.
    const leaving = disagreements.filter(({ name }) => name === "leavingNotTold");
    const [first] = leaving;
    if (first !== undefined) {
      const data = {
        filters: leaving.map(({ one }) => one.name),
        first: `${first.first}, WHERE ${first.one.where}`,
        untold: leaving.reduce((all, { events }) => all + events, 0),
        of: sum("left"),
      };
      found.leavingNotTold(data, { sent: sentFor(first.one, first.at) });
    }
    const [wrong] = misread;
    if (wrong !== undefined)
      return unknown(
        `${wrong.why} (validation/text-compared-exactly, clauses-answer-right and writes-hit-their-rows judge that)`,
      );
    const vague = filters.find(({ opening }) => opening.kind !== "ready" && opening.reason !== "sql");
    if (vague !== undefined)
      return unknown(`WHERE ${vague.where}: neither served nor rejected as SQL: ${openingText(vague.opening)}`);
    if (served.length < servedMin) return unknown(`only ${served.length} of ${predicates.length} filters were served`);
    const refused = filters.length - served.length;
    return pass(
      `${served.length} filters served${refused === 0 ? "" : `, ${refused} rejected as SQL`}: ${sum("matching")} changes delivered, ${sum("other")} withheld, ${sum("left")} rows reported as gone`,
    );
  },
});
