import { expect, test } from "vitest";
import { judged, no, nothing } from "../../vocabulary/evidence.ts";
import { catalogueQueryable } from "./index.ts";
import proof from "./proof.ts";

type Seen = Parameters<typeof catalogueQueryable.judge>[0];
const [sound] = proof.holds as readonly [Seen];
const stepIs = (at: number, change: object): Seen => ({
  ...sound,
  steps: sound.steps.map((one, index) => (index === at ? { ...one, ...change } : one)),
});

test.each(["namespaces", "settings", "stats", "tables", "users"])("system.%s must be there", (name) => {
  expect(judged(catalogueQueryable, { ...sound, views: sound.views.filter(({ view }) => view !== name) })).toEqual([
    `unknown: the server does not list system.${name}`,
  ]);
});

test("a step without a count or a listing decides nothing", () => {
  const unread = ["unknown: the tables of our namespace could not be counted"];
  expect(judged(catalogueQueryable, stepIs(1, { count: null }))).toEqual(unread);
  expect(judged(catalogueQueryable, stepIs(1, { listed: null }))).toEqual(unread);
  expect(judged(catalogueQueryable, { ...sound, steps: sound.steps.slice(0, 3) })).toEqual(unread);
});

test("a table that was not created does not freeze the count", () => {
  expect(judged(catalogueQueryable, stepIs(1, { done: nothing(), count: 0, listed: 0 }))).toEqual([
    expect.stringMatching(/^unknown: a table could not be created or dropped/),
  ]);
});

test("the counts are told beside those that were expected, from the first on", () => {
  expect(judged(catalogueQueryable, stepIs(0, { count: 4, listed: 4 }))).toEqual([
    'countFrozen: {"counts":[4,1,2,1],"wanted":[0,1,2,1]}',
  ]);
});

test("a view of a newer version may be closed to dba, one that was always open may not", () => {
  const denied = no("PERMISSION_DENIED", "no", "permission", 403);
  const withView = (view: string, said = denied): string[] =>
    judged(catalogueQueryable, {
      ...sound,
      views: [...sound.views.filter((one) => one.view !== view), { view, said }],
    });
  expect(withView("procedure_logs")).toEqual([
    "pass: 6 of 7 views answer, closed to dba: procedure_logs; tables counted and listed: 0, 1, 2, 1",
  ]);
  expect(withView("jobs")).toEqual([expect.stringMatching(/^viewBroken: jobs/)]);
  expect(withView("procedure_logs", no("SQL_EXECUTION_ERROR", "Arrow error", "rule"))).toEqual([
    expect.stringMatching(/^viewBroken: procedure_logs/),
  ]);
});

test.each(["namespaces", "settings", "stats", "tables", "users", "audit_log", "transactions"])(
  "system.%s may not be closed to dba",
  (name) => {
    const said = no("PERMISSION_DENIED", "no", "permission", 403);
    const views = [...sound.views.filter(({ view }) => view !== name), { view: name, said }];
    expect(judged(catalogueQueryable, { ...sound, views })).toEqual([expect.stringMatching(`^viewBroken: ${name}`)]);
  },
);
