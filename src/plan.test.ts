import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Category, Check, Need, Observation, Touches } from "./check.ts";
import type { Json } from "./wire/json.ts";
import { makePlan, type Means, type Plan } from "./plan.ts";
import type { Profile } from "./profile/effective.ts";
import type { Role } from "./server/sender.ts";

function looking(id: string, touches: Touches, rest: Partial<Observation> = {}): Observation {
  return { id, touches, estimateMs: 100, estimateRequests: 5, observe: () => Promise.resolve<Json>(null), ...rest };
}

function check(id: string, observation: Observation, limits: Record<string, number> = {}): Check {
  return { id, observation, limits } as unknown as Check;
}

const needs = (...some: Need[]): Partial<Observation> => ({ needs: some });
const shared = looking("shared", "scratch", { estimateMs: 1000, estimateRequests: 50 });
const categories: readonly Category[] = [
  {
    id: "a",
    promise: "",
    checks: [
      check("a/looks", looking("a/looks", "nothing")),
      check("a/makes", looking("a/makes", "scratch"), { msMax: 5, countMin: 1 }),
    ],
  },
  {
    id: "b",
    promise: "",
    checks: [
      check("b/one", shared),
      check("b/two", shared),
      check("b/kills", looking("b/kills", "process", { alone: true, ...needs("own-server") })),
      check("b/loads", looking("b/loads", "load", { alone: true })),
    ],
  },
];

const profile: Profile = {
  name: "test",
  url: "http://x",
  serverBin: undefined,
  serverConfig: undefined,
  kalamBin: undefined,
  production: false,
  user: "root",
  allow: ["nothing", "scratch"],
  effort: "standard",
  budgetMs: 1000,
  timeoutMs: 1000,
  maxPerSecond: undefined,
  parallel: 1,
  failOn: "block",
  only: undefined,
  skip: new Map(),
  require: new Set(),
  checks: {},
  accept: [],
  reports: [],
};
const plan = (changes: Partial<Profile> = {}, means: Partial<Means> = {}): Plan =>
  makePlan({ ...profile, ...changes }, categories, { ownServer: false, kalam: false, ...means });
const dispositions = ({ steps }: Plan): Record<string, string> =>
  Object.fromEntries(
    steps.map(({ check: { id }, disposition }) => [
      id,
      disposition.kind === "run" ? "run" : `${disposition.kind}: ${disposition.reason}`,
    ]),
  );

describe("a step", () => {
  test("is made for every check, in the order of the categories", () => {
    const { steps, leftOut, requiredButLeftOut } = plan();
    expect(steps.map((step) => step.check.id)).toEqual(["a/looks", "a/makes", "b/one", "b/two", "b/kills", "b/loads"]);
    expect(steps.map((step) => step.category.id)).toEqual(["a", "a", "b", "b", "b", "b"]);
    expect({ leftOut, requiredButLeftOut }).toEqual({ leftOut: 0, requiredButLeftOut: [] });
  });

  test("runs where what it touches is allowed, else says how to allow it", () => {
    expect(dispositions(plan())).toEqual({
      "a/looks": "run",
      "a/makes": "run",
      "b/one": "run",
      "b/two": "run",
      "b/kills": "skip: stopping this server or starting another is not allowed (--allow process)",
      "b/loads": "skip: load on this server is not allowed (--allow load)",
    });
    expect(dispositions(plan({ allow: ["nothing"] }))).toMatchObject({
      "a/looks": "run",
      "a/makes": "skip: creating objects on this server is not allowed (--allow scratch)",
    });
    expect(dispositions(plan({ allow: ["nothing", "scratch", "load"] }))["b/loads"]).toBe("run");
  });

  test("that needs a server of our own runs only on one", () => {
    const allow: Touches[] = ["nothing", "scratch", "process"];
    expect(dispositions(plan({ allow }))["b/kills"]).toBe(
      "skip: only on a server that kalam-ready starts (--server-bin)",
    );
    expect(dispositions(plan({ allow }, { ownServer: true }))["b/kills"]).toBe("run");
  });

  test("that needs a dba is unknown for any other login, once the role is known", () => {
    const as = (role: Role): Record<string, string> => dispositions(plan({}, { login: { name: "root", role } }));
    for (const role of ["user", "service"] as const) {
      const why = `unknown: root has the role ${role}; this check needs a login with the role dba`;
      expect(as(role)).toMatchObject({ "a/looks": "run", "a/makes": why, "b/one": why, "b/two": why });
    }
    for (const role of ["dba", "system"] as const) expect(as(role)).toEqual(dispositions(plan()));
    const reading = check("c/reads", looking("c/reads", "nothing", needs("dba")));
    const means = { ownServer: false, kalam: false, login: { name: "root", role: "user" } } as const;
    expect(dispositions(makePlan(profile, [{ id: "c", promise: "", checks: [reading] }], means))).toEqual({
      "c/reads": "unknown: root has the role user; this check needs a login with the role dba",
    });
  });

  test("that was chosen to be left out says why, before anything else", () => {
    const skip = new Map([["a/looks", "one node only"], ["b/kills", "not tonight"]]); // prettier-ignore
    expect(dispositions(plan({ skip }))).toMatchObject({
      "a/looks": "skip: one node only",
      "b/kills": "skip: not tonight",
    });
  });

  test("has the check's limits, and over them the profile's", () => {
    const { steps } = plan({ checks: { "a/makes": { limits: { msMax: 50 } } } });
    expect(steps.map((step) => step.limits)).toEqual([{}, { msMax: 50, countMin: 1 }, {}, {}, {}, {}]);
  });
});

describe("only", () => {
  test("leaves out the others and counts them", () => {
    const { steps, leftOut } = plan({ only: new Set(["b/two"]) });
    expect(steps.map((step) => step.check.id)).toEqual(["b/two"]);
    expect(leftOut).toBe(5);
  });

  test("does not make what it leaves out pass: a required one among it is named", () => {
    const { steps, requiredButLeftOut } = plan({ only: new Set(["a/looks"]), require: new Set(["a/looks", "b/one"]) });
    expect(requiredButLeftOut).toEqual(["b/one"]);
    expect(steps.map((step) => step.required)).toEqual([true]);
  });
});

describe("a required check", () => {
  test("that what is allowed rules out is a contradiction, and says which", () => {
    const contradiction = (id: string, touches: string): Error =>
      expect.objectContaining({ code: "requiredNotAllowed", data: { check: id, touches } }) as Error;
    expect(() => plan({ require: new Set(["b/loads"]) })).toThrow(contradiction("b/loads", "load"));
    expect(() => plan({ require: new Set(["a/makes"]), allow: ["nothing"] })).toThrow(
      contradiction("a/makes", "scratch"),
    );
  });

  test("is no contradiction where it is left out by only, skipped by choice, or not possible here: the verdict tells", () => {
    const require = new Set(["b/kills"]);
    const allow: Touches[] = ["nothing", "scratch", "process"];
    expect(plan({ require, only: new Set(["a/looks"]) }).requiredButLeftOut).toEqual(["b/kills"]);
    const step = plan({ require, allow }).steps.find((one) => one.check.id === "b/kills");
    expect(step).toMatchObject({ required: true, disposition: { kind: "skip" } });
    const skip = new Map([["b/kills", "not tonight"]]); // prettier-ignore
    expect(dispositions(plan({ require, allow, skip }))["b/kills"]).toBe("skip: not tonight");
  });
});

describe("the estimate", () => {
  test("counts a shared observation once, and nothing that will not run", () => {
    expect(plan().estimateRequests).toBe(5 + 5 + 50);
    expect(plan().estimateMs).toBe(100 + 100 + 1000);
    expect(plan({ only: new Set(["b/kills"]) })).toMatchObject({ estimateMs: 0, estimateRequests: 0 });
  });

  test("divides by what runs side by side, but is never shorter than the longest, and adds what runs alone", () => {
    expect(plan({ parallel: 4 }).estimateMs).toBe(1000);
    expect(plan({ parallel: 4, allow: ["nothing", "scratch", "load"] }).estimateMs).toBe(1100);
    expect(plan({ parallel: 1, allow: ["nothing", "scratch", "load"] }).estimateMs).toBe(1300);
    expect(plan({ parallel: 4, only: new Set(["a/looks", "a/makes"]) }).estimateMs).toBe(100);
  });
});

test("whatever is chosen, each check is a step or left out, and a run step touches only what is allowed", () => {
  const ids = categories.flatMap(({ checks }) => checks.map(({ id }) => id));
  const some = fc.subarray(ids);
  const allowed = fc.subarray<Touches>(["scratch", "load", "process", "disk"]);
  fc.assert(
    fc.property(fc.option(some), some, allowed, fc.boolean(), (only, skipped, also, own) => {
      const allow: Touches[] = ["nothing", ...also];
      const chosen = only === null ? undefined : new Set(only);
      const { steps, leftOut } = plan(
        { only: chosen, skip: new Map(skipped.map((id) => [id, "why"])), allow },
        { ownServer: own },
      );
      expect(steps.length + leftOut).toBe(ids.length);
      const running = steps.filter(({ disposition }) => disposition.kind === "run");
      expect(
        running.filter((step) => !allow.includes(step.check.observation.touches) || skipped.includes(step.check.id)),
      ).toEqual([]);
    }),
  );
});
