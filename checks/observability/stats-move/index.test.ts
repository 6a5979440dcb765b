import * as fc from "fast-check";
import { expect, test } from "vitest";
import { latePace, judged, nothing, yes } from "../../vocabulary/evidence.ts";
import { statsMove } from "./index.ts";
import proof from "./proof.ts";

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
      waits: { rising: latePace, falling: latePace, ageing: latePace },
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

const [written] = proof.holds as readonly [Seen];
const judge = (change: Partial<Seen>): string[] => judged(statsMove, { ...written, ...change });

test("a pass tells each figure in each reading that was needed", () => {
  expect(judge({})).toEqual([
    "pass: connections 0 → 2 → 0 for 2 of ours, subscriptions 0 → 3 → 0 for 3 of ours, tables 12 → 14 → 12 for 2 of ours; uptime 10 s → 12 s",
  ]);
  const others = judge({ exact: false });
  expect(others).toEqual([
    expect.stringMatching(/^pass: connections 0 → 2 for 2 of ours, .*only a minimum was checked$/),
  ]);
});

test("a reading that fails, or an uptime that is missing, decides nothing", () => {
  const again = ["unknown: system.stats could not be read again"];
  const unread = { exchange: 1, figures: null };
  for (const change of [{ during: unread }, { after: unread }, { later: unread }]) expect(judge(change)).toEqual(again);
  expect(judge({ later: without(written.later, uptime) })).toEqual(again);
});

test("a figure that is wrong is told with the one before", () => {
  const one = judge({ during: moved(written.during, "active_connections", () => 5) });
  expect(one).toEqual([expect.stringContaining('"told":"5","wanted":"2, after 0 before"')]);
});

test("a connection that was lost excuses the figures, not the uptime", () => {
  expect(judge({ lost: true, during: written.before })).toEqual([
    "unknown: a connection of the check was closed meanwhile",
  ]);
});

test("a table that could not be dropped does not excuse connections that stay counted", () => {
  const after = moved(written.after, "active_connections", () => 2);
  expect(judge({ dropped: [yes(), nothing()], after })).toEqual([
    expect.stringMatching(/^wrong: active_connections: .*"told":"2","wanted":"0, as before"/),
  ]);
});
