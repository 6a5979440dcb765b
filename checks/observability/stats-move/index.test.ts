import * as fc from "fast-check";
import { expect, test } from "vitest";
import { nothing, yes } from "../../vocabulary/evidence.ts";
import { statsMove } from "./index.ts";

type Seen = Parameters<typeof statsMove.judge>[0];
type Reading = Seen["before"];

/** How many of each the check holds. */
const held = { active_connections: 2, active_subscriptions: 3, total_tables: 2 } as const;
type Metric = keyof typeof held;
const metrics = Object.keys(held) as Metric[];
const uptime = "server_uptime_seconds";
const anyMetric = fc.constantFrom(...metrics);

const found = (seen: Seen): string[] => {
  const verdict = statsMove.judge(seen, {});
  return verdict.kind === "fail" ? verdict.found.map((one) => `${one.name} ${one.case ?? ""}`) : [verdict.kind];
};
const reading = (figures: { readonly [metric: string]: number }): Reading => ({
  exchange: 1,
  figures: Object.fromEntries(Object.entries(figures).map(([metric, told]) => [metric, String(told)])),
});
const counts = fc.record({
  active_connections: fc.nat(50),
  active_subscriptions: fc.nat(50),
  total_tables: fc.nat(500),
});

/** A server without other clients: exactly what the check holds, and then as before. */
const alone = fc
  .record({ was: counts, from: fc.nat(1e6), ran: fc.integer({ min: 1, max: 60 }) })
  .map(({ was, from, ran }): Seen => {
    const with_ = Object.fromEntries(metrics.map((metric) => [metric, was[metric] + held[metric]]));
    return {
      exact: true,
      lost: false,
      dropped: [yes(), yes()],
      before: reading({ ...was, [uptime]: from }),
      during: reading({ ...with_, [uptime]: from }),
      after: reading({ ...was, [uptime]: from + ran }),
      later: reading({ ...was, [uptime]: from + ran }),
    };
  });
/** A server with other clients: at least what the check holds; anything before and after. */
const crowded = fc.tuple(alone, counts, counts, counts).map(([seen, before, others, after]): Seen => ({
  ...seen,
  exact: false,
  before: reading({ ...before, [uptime]: Number(seen.before.figures?.[uptime]) }),
  during: reading({
    ...Object.fromEntries(metrics.map((metric) => [metric, others[metric] + held[metric]])),
    [uptime]: Number(seen.before.figures?.[uptime]),
  }),
  after: reading({ ...after, [uptime]: Number(seen.after.figures?.[uptime]) }),
}));

const moved = (one: Reading, metric: string, change: (told: number) => number): Reading => ({
  ...one,
  figures: { ...one.figures, [metric]: String(change(Number(one.figures?.[metric]))) },
});
const without = (one: Reading, metric: string): Reading => ({
  ...one,
  figures: Object.fromEntries(Object.entries(one.figures ?? {}).filter(([name]) => name !== metric)),
});

test("metrics that follow what is held pass, with and without other clients", () => {
  fc.assert(
    fc.property(fc.oneof(alone, crowded), (seen) => {
      expect(found(seen)).toEqual(["pass"]);
    }),
  );
});

test("without other clients, a metric that is frozen, off or does not fall back is reported", () => {
  fc.assert(
    fc.property(alone, anyMetric, fc.integer({ min: 1, max: 9 }), (seen, metric, off) => {
      const still = moved(seen.during, metric, (told) => told - held[metric]);
      expect(found({ ...seen, during: still })).toEqual([`frozen ${metric}`]);
      const high = moved(seen.during, metric, (told) => told + off);
      expect(found({ ...seen, during: high })).toEqual([`wrong ${metric}`]);
      const stays = moved(seen.after, metric, (told) => told + off);
      expect(found({ ...seen, after: stays })).toEqual([`wrong ${metric}`]);
    }),
  );
});

test("with other clients, only less than what is held is reported", () => {
  fc.assert(
    fc.property(crowded, anyMetric, fc.nat(5), (seen, metric, told) => {
      const during = moved(seen.during, metric, () => told);
      expect(found({ ...seen, during })).toEqual([told < held[metric] ? `wrong ${metric}` : "pass"]);
    }),
  );
});

test("an uptime that does not rise and missing metrics are reported", () => {
  const what = { active_connections: "connections", active_subscriptions: "subscriptions", total_tables: "tables" };
  fc.assert(
    fc.property(alone, anyMetric, fc.nat(10), (seen, metric, back) => {
      const from = Number(seen.before.figures?.[uptime]);
      const later = moved(seen.later, uptime, () => Math.max(0, from - back));
      expect(found({ ...seen, later })).toEqual([`frozen ${uptime}`]);
      expect(found({ ...seen, before: without(seen.before, metric) })).toEqual([`missing ${what[metric]}`]);
      expect(found({ ...seen, before: without(seen.before, uptime) })).toEqual(["missing the uptime"]);
    }),
  );
});

test("what was not read, held or dropped is no finding", () => {
  const unread = { exchange: 1, figures: null };
  const lacks = fc.constantFrom<Partial<Seen>>(
    { before: unread },
    { during: unread },
    { after: unread },
    { later: unread },
    { lost: true },
    { dropped: [yes(), nothing()] },
  );
  fc.assert(
    fc.property(alone, lacks, (seen, lack) => {
      expect(found({ ...seen, ...lack })).toEqual(["unknown"]);
    }),
  );
});

test("a metric that was there only before is unknown, not passed over", () => {
  fc.assert(
    fc.property(fc.oneof(alone, crowded), anyMetric, (seen, metric) => {
      expect(found({ ...seen, during: without(seen.during, metric) })).toEqual(["unknown"]);
    }),
  );
  fc.assert(
    fc.property(alone, anyMetric, (seen, metric) => {
      expect(found({ ...seen, after: without(seen.after, metric) })).toEqual(["unknown"]);
    }),
  );
});

test("a table that could not be dropped may still be counted", () => {
  fc.assert(
    fc.property(alone, (seen) => {
      const after = moved(seen.after, "total_tables", (told) => told + 1);
      expect(found({ ...seen, after, dropped: [yes(), nothing()] })).toEqual(["unknown"]);
    }),
  );
});
