import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Category, Check, Observation, Touches } from "./check.ts";
import type { Need } from "./needs.ts";
import type { Json } from "./wire/json.ts";
import { makePlan, testsRates, type Means, type Plan } from "./plan.ts";
import type { Profile } from "./profile/effective.ts";
import { learn } from "./server/dialect.ts";
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
  control: undefined,
  way: {
    caFile: undefined,
    clientCert: undefined,
    clientKey: undefined,
    insecure: false,
    headers: [],
    headersGiven: [],
    tlsFromProfile: false,
  },
  olderServerBin: undefined,
  kalamBin: undefined,
  postgres: undefined,
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

describe("a check that depends on what is not known for this version", () => {
  const hangs = {
    ...check("c/hangs", looking("c/hangs", "scratch")),
    expects: ["keyOptional", "showCommands"],
  } as Check;
  const free = check("c/free", looking("c/free", "scratch"));
  const of = (told: string | undefined): Record<string, string> => {
    const means = {
      ownServer: false,
      kalam: false,
      ...(told === undefined ? {} : { dialect: learn(told, {}).dialect }),
    };
    return dispositions(makePlan(profile, [{ id: "c", promise: "", checks: [hangs, free] }], means));
  };

  test("is unknown, and not run", () => {
    expect(of("0.4.3-rc.4")).toEqual({ "c/hangs": "run", "c/free": "run" });
    expect(of("0.8.0")).toEqual({
      "c/hangs": "unknown: not known for this version: whether SHOW and DESCRIBE are there",
      "c/free": "run",
    });
    expect(of("0.9.0")["c/hangs"]).toBe("unknown: not known for this version: whether a table may lack a primary key");
  });

  test("is run as far as is known before the server was asked", () => {
    expect(of(undefined)).toEqual({ "c/hangs": "run", "c/free": "run" });
  });
});

describe("a check for one dialect only", () => {
  const some: readonly Category[] = [
    {
      id: "validation",
      promise: "",
      checks: [
        {
          ...check("validation/new", looking("validation/new", "scratch")),
          appliesWhere: { savepoints: true },
        },
      ],
    },
  ];
  const on = (told: string | undefined): string =>
    Object.values(
      dispositions(makePlan(profile, some, { ownServer: false, kalam: false, dialect: learn(told, {}).dialect })),
    ).join();

  test("runs there, is skipped elsewhere, and is unknown where the dialect is not known", () => {
    expect(on("0.8.0")).toBe("run");
    expect(on("0.4.3-rc.4")).toBe("skip: not for this server: whether there are savepoints: false, not true");
    expect(on("0.9.0")).toBe("unknown: not known for this version: whether there are savepoints");
    expect(Object.values(dispositions(makePlan(profile, some, { ownServer: false, kalam: false })))).toEqual(["run"]);
  });
});

describe("what the login cannot do", () => {
  const limit = (login: Means["login"], changes: Partial<Profile> = {}): string | undefined =>
    plan(changes, login === undefined ? {} : { login }).limitedBy;

  test("is counted from the plan, without what is skipped or left out", () => {
    const user = { name: "root2", role: "user" } as const;
    expect(limit(user)).toBe("root2 has the role user; 3 checks need dba");
    expect(limit(user, { skip: new Map([["b/one", "not now"]]) })).toBe("root2 has the role user; 2 checks need dba");
    expect(limit(user, { only: new Set(["a/looks", "a/makes"]) })).toBe("root2 has the role user; 1 check needs dba");
    expect(limit(null, { only: new Set(["a/looks"]) })).toMatch(/^no login was given; 1 check needs one: /);
  });

  test("is nothing where the login is enough, or not known yet", () => {
    const user = { name: "root2", role: "user" } as const;
    expect(limit(user, { only: new Set(["a/looks"]) })).toBeUndefined();
    expect([limit(undefined), limit({ name: "root", role: "dba" }), limit({ name: "root", role: "system" })]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe("a check that an effort leaves out", () => {
  const waits = looking("waits", "nothing", { from: { effort: "standard", needs: "12 s of silence" } });
  const of = [{ id: "c", promise: "", checks: [check("c/waits", waits)] }];
  const made = (changes: Partial<Profile>): Record<string, string> =>
    dispositions(makePlan({ ...profile, ...changes }, of, { ownServer: false, kalam: false }));

  test("is skipped below it, with the reason and what to do", () => {
    expect(made({ effort: "light" })).toEqual({
      "c/waits": "skip: needs 12 s of silence; run it with --effort standard",
    });
    expect([made({ effort: "standard" }), made({ effort: "deep" })]).toEqual([
      { "c/waits": "run" },
      { "c/waits": "run" },
    ]);
  });

  test("is made all the same where it is required", () => {
    expect(made({ effort: "light", require: new Set(["c/waits"]) })).toEqual({ "c/waits": "run" });
  });
});

test("a check that goes above limits of rates is skipped where the server could ban us for it, and says so", () => {
  const rushes = looking("rushes", "load", { testsRates: true });
  const of = [
    { id: "c", promise: "", checks: [check("c/rushes", rushes), check("c/loads", looking("loads", "load"))] },
  ];
  const made = (remote: boolean | undefined): Record<string, string> =>
    dispositions(
      makePlan({ ...profile, allow: ["nothing", "load"] }, of, {
        ownServer: false,
        kalam: false,
        ...(remote === undefined ? {} : { remote }),
      }),
    );
  expect(made(true)).toEqual({
    "c/rushes":
      "skip: it goes above the server's rate limits, and the server is not on this machine, so it could ban this address",
    "c/loads": "run",
  });
  expect([made(false), made(undefined)]).toEqual([
    { "c/rushes": "run", "c/loads": "run" },
    { "c/rushes": "run", "c/loads": "run" },
  ]);
});

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

  test("that stops the server is skipped where that is not allowed, and unknown where it is and nothing tells how", () => {
    const stops = check("c/stops", looking("c/stops", "process", needs("control")));
    const told = (allow: readonly Touches[], control?: boolean): string | undefined =>
      dispositions(
        makePlan({ ...profile, allow }, [{ id: "c", promise: "", checks: [stops] }], {
          ownServer: false,
          kalam: false,
          ...(control === undefined ? {} : { control }),
        }),
      )["c/stops"];
    expect(told(["scratch"], true)).toMatch(/^skip: stopping this server .*\(--allow process\)$/);
    expect(told(["process"])).toMatch(
      /^unknown: nothing is known about how to stop and start this server: .*--server-bin/,
    );
    expect(told(["process"], true)).toBe("run");
  });

  test("that needs a dba is unknown for any other login, once the role is known", () => {
    const as = (role: Role): Record<string, string> => dispositions(plan({}, { login: { name: "root", role } }));
    for (const role of ["user", "service"] as const) {
      const why = `unknown: root has the role ${role}, and a login with the role dba is needed`;
      expect(as(role)).toMatchObject({ "a/looks": "run", "a/makes": why, "b/one": why, "b/two": why });
    }
    for (const role of ["dba", "system"] as const) expect(as(role)).toEqual(dispositions(plan()));
    const reading = check("c/reads", looking("c/reads", "nothing", needs("dba")));
    const means = { ownServer: false, kalam: false, login: { name: "root", role: "user" } } as const;
    expect(dispositions(makePlan(profile, [{ id: "c", promise: "", checks: [reading] }], means))).toEqual({
      "c/reads": "unknown: root has the role user, and a login with the role dba is needed",
    });
  });

  test("that needs a login is unknown where nobody logs in, and names the variables that change it", () => {
    const open = check("a/open", looking("a/open", "nothing", { login: "none" }));
    const withOpen = [{ id: "a", promise: "", checks: [open, ...(categories[0]?.checks ?? [])] }];
    const means = { ownServer: false, kalam: false, login: null };
    const made = makePlan(profile, withOpen, means);
    const variables = "set KALAM_READY_USER and KALAM_READY_PASSWORD, or KALAM_READY_TOKEN";
    const why = `unknown: no login was given (${variables})`;
    expect(dispositions(made)).toEqual({ "a/open": "run", "a/looks": why, "a/makes": why });
    expect(made.limitedBy).toBe(`no login was given; 2 checks need one: ${variables}`);
    // Whoever logs in may run what needs no login.
    expect(dispositions(makePlan(profile, withOpen, { ...means, login: { name: "u", role: "user" } }))["a/open"]).toBe(
      "run",
    );
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

  test("gives what mostly waits no place among those that share them", () => {
    const waiting: Category = {
      id: "c",
      promise: "",
      checks: [check("c/waits", looking("c/waits", "scratch", { estimateMs: 900, waits: true }))],
    };
    const estimateOf = (parallel: number): number =>
      makePlan({ ...profile, parallel }, [...categories, waiting], { ownServer: false, kalam: false }).estimateMs;
    expect([estimateOf(1), estimateOf(2), estimateOf(4)]).toEqual([2100, 1000, 1000]);
  });

  test("counts what lasts as long as the run only where the others are done before it", () => {
    const lasting = (estimateMs: number): Category[] => [
      ...categories,
      {
        id: "c",
        promise: "",
        checks: [check("c/lasts", looking("c/lasts", "scratch", { estimateMs, lasting: true }))],
      },
    ];
    const means = { ownServer: false, kalam: false };
    expect(makePlan(profile, lasting(700), means).estimateMs).toBe(1200);
    expect(makePlan(profile, lasting(1900), means).estimateMs).toBe(1900);
    const alone = { ...profile, only: new Set(["c/lasts"]) };
    expect(makePlan(alone, lasting(700), means).estimateMs).toBe(700);
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

describe("a check of the command line", () => {
  const of = [{ id: "c", promise: "", checks: [check("c/runs", looking("c/runs", "nothing", needs("kalam")))] }];
  const made = (means: Partial<Means>): string | undefined =>
    dispositions(makePlan(profile, of, { ownServer: false, kalam: false, ...means }))["c/runs"];

  test("runs where there is one that reaches the server", () => {
    const why = "kalam cannot present a certificate";
    expect(made({})).toBe("skip: no kalam command line given (--kalam-bin)");
    expect(made({ kalam: true })).toBe("run");
    expect(made({ kalam: true, whyNoKalam: why })).toBe(`skip: ${why}`);
    // Others are not concerned.
    expect(dispositions(plan({}, { whyNoKalam: why }))["a/looks"]).toBe("run");
  });
});

test("a check that traces the server is skipped where nothing can be traced, and says why", () => {
  const of = [
    { id: "c", promise: "", checks: [check("c/traces", looking("c/traces", "disk", needs("own-server", "trace")))] },
  ];
  const made = (means: Partial<Means>, allow: Profile["allow"] = ["disk"]): string | undefined =>
    dispositions(makePlan({ ...profile, allow }, of, { ownServer: true, kalam: false, ...means }))["c/traces"];
  expect(made({})).toBe("run");
  expect(made({ whyNoTrace: "strace is not installed" })).toBe("skip: strace is not installed");
  expect(made({ whyNoTrace: "strace is not installed" }, ["scratch"])).toMatch(/--allow disk/);
  expect(made({ ownServer: false })).toMatch(/--server-bin/);
});

test("a check with two releases of the server needs both", () => {
  const both = { alone: true, needs: ["own-server", "older-server"] } as const;
  const of = [{ id: "c", promise: "", checks: [check("c/runs", looking("c/runs", "nothing", both))] }];
  const made = (means: Partial<Means>): string | undefined =>
    dispositions(makePlan(profile, of, { ownServer: false, kalam: false, ...means }))["c/runs"];
  expect(made({ olderServer: true })).toBe("skip: only on a server that kalam-ready starts (--server-bin)");
  expect(made({ ownServer: true })).toBe("skip: no older release of the server given (--older-server-bin)");
  expect(made({ ownServer: true, olderServer: true })).toBe("run");
});

test("rates are tested where a check that tests them runs", () => {
  const of = [
    {
      id: "c",
      promise: "",
      checks: [check("c/rates", looking("c/rates", "scratch", { testsRates: true })), ...(categories[0]?.checks ?? [])],
    },
  ];
  const made = (changes: Partial<Profile>): boolean =>
    testsRates(makePlan({ ...profile, ...changes }, of, { ownServer: false, kalam: false }));
  expect(made({})).toBe(true);
  expect(made({ skip: new Map([["c/rates", "not now"]]) })).toBe(false);
  expect(made({ only: new Set(["a/looks"]) })).toBe(false);
});
