import { describe, expect, test } from "vitest";
import { defineCheck, pass, unknown, type Check, type CheckOf } from "./check.ts";
import type { Control, TrialOutcome } from "./wire/control.ts";
import { trialFault } from "./faults/control.ts";
import { changeResult, refuseIt, sqlFault } from "./faults/sql.ts";
import {
  conclusions,
  proveCheck,
  proveLive,
  proveOnPaper,
  type Break,
  type Fault,
  type LiveProof,
  type Proof,
} from "./proof.ts";
import { Contradictions } from "./session/contradictions.ts";
import { harmNth } from "./faults/trouble.ts";
import { proveTroubled } from "./faults/troubled.ts";
import { Pacer } from "./session/pacing.ts";
import { Recording } from "./session/recording.ts";
import { learn } from "./server/dialect.ts";
import { makeSender } from "./server/sender.ts";
import type { Session } from "./session/session.ts";
import type { Wire } from "./wire/wire.ts";

type Seen = { readonly kind: string; readonly message: string };
const findings = {
  refused: { say: (d: { message: string }) => `refused: ${d.message}` },
  odd: { say: () => "odd" },
} as const;

/** Sends one query and expects success. */
const toy: CheckOf<Seen, typeof findings, Record<never, number>> = defineCheck({
  id: "toy/answers",
  title: "It answers",
  failureTitle: "It does not",
  description: "d",
  blindTo: "b",
  risk: "r",
  remedy: "m",
  covers: [],
  level: "block",
  touches: "scratch",
  estimateMs: 1,
  estimateRequests: 1,
  findings,
  async observe(target) {
    const answer = await target.sql(target.login, "SELECT 1");
    const message = answer.kind === "ok" ? (answer.results[0]?.message ?? "") : answer.message;
    return { kind: answer.kind, message };
  },
  judge({ kind, message }, { found }) {
    if (kind === "unsure") return unknown("no answer");
    if (kind === "refused") found.refused({ message });
    if (message === "odd") found.odd(undefined);
    return pass("answered");
  },
});

const good: Seen = { kind: "ok", message: "" };
const bad: Seen = { kind: "refused", message: "no" };
const odd: Seen = { kind: "ok", message: "odd" };
const unsure: Seen = { kind: "unsure", message: "" };
const onPaperOnly = { seen: odd, onPaperOnly: "nothing on the wire is odd" } as const;

function proof(refused: Break<Seen>, oddly: Break<Seen> = onPaperOnly): Proof {
  return proveCheck(toy, { holds: [good], cannotTell: [unsure], breaks: { refused, odd: oddly } });
}

test("what a check concludes where nothing is wrong is said once each", () => {
  const harmless = { ...proof(onPaperOnly), holds: [good, good, bad], cannotTell: [unsure, unsure] };
  expect(conclusions(harmless)).toEqual({ pass: ["answered"], unknown: ["no answer"] });
});

describe("on paper", () => {
  const anyFault = refuseIt("refuse", /./);
  const right = {
    holds: [good],
    cannotTell: [unsure],
    breaks: { refused: { seen: bad, fault: anyFault }, odd: onPaperOnly },
  } as const;

  test("a proof whose evidence is judged as expected has no problems", () => {
    expect(proveOnPaper(proveCheck(toy, right))).toEqual([]);
  });

  test.for<[string, Partial<Record<keyof typeof right, unknown>>, string]>([
    ["holds that fails", { holds: [good, bad] }, "holds[1] should pass"],
    ["holds that is unknown", { holds: [unsure] }, "holds[0] should pass"],
    ["cannotTell that passes", { cannotTell: [good] }, "cannotTell[0] should be unknown"],
    ["cannotTell that fails", { cannotTell: [unsure, bad] }, "cannotTell[1] should be unknown"],
    [
      "a break that passes",
      { breaks: { ...right.breaks, refused: { seen: good, fault: anyFault } } },
      "the evidence of refused should fail with that finding",
    ],
    [
      "a break with another finding",
      { breaks: { ...right.breaks, refused: { seen: odd, fault: anyFault } } },
      "the evidence of refused should fail with that finding",
    ],
    [
      "a break on paper that is unknown",
      { breaks: { ...right.breaks, odd: { ...onPaperOnly, seen: unsure } } },
      "the evidence of odd should fail with that finding",
    ],
  ])("%s is reported with its verdict", ([, changes, words]) => {
    const problems = proveOnPaper({ check: toy, ...right, ...changes } as unknown as Proof);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^toy\/answers: /);
    expect(problems[0]).toContain(`${words}, but the verdict is {"kind":`);
  });

  test("a judge that breaks is a problem, also where it should be unknown", () => {
    const broken = { ...toy, judge: () => [].join.call(undefined) as never };
    const [, second] = proveOnPaper({ check: broken, ...right });
    expect(second).toContain("cannotTell[0] should be unknown, but the judge broke: TypeError");
  });

  test("evidence is judged as it is read back from JSON", () => {
    const wild = { ...good, toJSON: () => bad };
    expect(proveOnPaper(proveCheck(toy, { ...right, holds: [wild as unknown as Seen] }))).toHaveLength(1);
  });
});

interface Fake {
  readonly session: Session;
  readonly wire: Wire;
  readonly scratch: string[];
}

/** A server that answers the n-th SELECT with `say(n)`, or with success. */
function fake(say: (asked: number) => string | undefined = () => undefined): Fake {
  const scratch: string[] = [];
  let asked = 0;
  const success = '{"status":"success","results":[{"row_count":0}],"took":1}';
  const wire: Wire = {
    exchange({ body }) {
      const { sql } = JSON.parse(String(body)) as { sql: string };
      const text = sql.startsWith("SELECT") ? (say((asked += 1)) ?? success) : success;
      if (sql.startsWith("CREATE")) scratch.push(sql);
      const status = text.includes('"error"') ? 400 : 200;
      return Promise.resolve({
        kind: "answered",
        status,
        headers: {},
        body: new TextEncoder().encode(text),
        sentAt: 0,
        doneAt: 1,
      });
    },
  };
  const parts = { wire, tokens: new Map(), pacer: new Pacer(), recording: new Recording(), timeoutMs: 1000 };
  let names = 0;
  const session = {
    parts,
    sender: makeSender(parts),
    login: { name: "root", role: "dba" },
    capabilities: { version: "1", loginField: "user", settings: {} },
    learned: learn("0.4.3-rc.4", {}),
    rate: { refusals: 0, banned: false },
    ledger: { enter: () => undefined },
    accounts: { release: () => Promise.resolve() },
    contradictions: new Contradictions(),
    nextName: () => `kr_k7f3a_${(names += 1)}`,
  };
  return { session: session as unknown as Session, wire, scratch };
}

const options = {
  effort: "light",
  seed: 1,
  parallel: 1,
  timeoutMs: 1000,
  budgetMs: 10_000,
  keep: false,
  signal: new AbortController().signal,
} as const;
const live = async (one: Proof, on: Fake = fake()): Promise<LiveProof[]> =>
  await proveLive([one], on.session, on.wire, options);
const first = async (fault: Fault, on: Fake = fake()): Promise<LiveProof | undefined> =>
  (await live(proof({ seen: bad, fault }), on))[0];
const refusal = '{"status":"error","error":{"code":"EMPTY_SQL","message":"no"}}';

describe("what a finding says is bound:", () => {
  const both = { kind: "refused", message: "odd" };
  const problemsOf = (change: Partial<Break<Seen>>): string[] =>
    proveOnPaper(proof({ seen: both, fault: refuseIt("refuse", /./), ...change }));

  test("another finding beside it must be named", () => {
    expect(problemsOf({})).toEqual(["toy/answers: the evidence of refused: odd was found, too: odd"]);
    expect(problemsOf({ also: ["odd"] })).toEqual([]);
  });

  test("the case and the sentence, where the proof gives them", () => {
    const also = ["odd"];
    expect(problemsOf({ also, says: /^refused: odd$/ })).toEqual([]);
    expect(problemsOf({ also, says: /even/ })).toEqual([
      "toy/answers: the evidence of refused: it does not say /even/: refused: odd",
    ]);
    expect(problemsOf({ also, case: "second" })).toEqual([
      "toy/answers: the evidence of refused: the case is none instead of second",
    ]);
  });

  test("live, too", async () => {
    const fault = sqlFault("refuseOddly", (sql) =>
      sql.includes("SELECT")
        ? Promise.resolve({ status: 400, body: { status: "error", error: { code: "EMPTY_SQL", message: "odd" } } })
        : undefined,
    );
    expect(await live(proof({ seen: bad, fault }))).toMatchObject([
      { kind: "missed", sentence: "red by name, and odd was found, too: odd" },
      {},
    ]);
    const named = { seen: bad, fault, also: ["odd"] };
    expect((await live(proof(named)))[0]).toMatchObject({ kind: "proven" });
  });
});

describe("live, a fault", () => {
  test("that causes its finding is proven once the check is green again", async () => {
    expect(await first(refuseIt("refuse", /SELECT/))).toEqual({
      check: "toy/answers",
      finding: "refused",
      fault: "refuse",
      kind: "proven",
      sentence: "red by name, the fault fired 1 times",
    });
  });

  test("that does not fire proves nothing", async () => {
    expect(await first(refuseIt("refuse", /INSERT/))).toMatchObject({
      kind: "missed",
      sentence: "the fault did not fire, so it proves nothing; the verdict was pass: answered",
    });
  });

  test("that fires without changing anything on the wire proves nothing", async () => {
    const idle: Fault = {
      name: "idle",
      wrap: (wire, fired) => ({
        ...wire,
        async exchange(request) {
          fired();
          return await wire.exchange(request);
        },
      }),
    };
    expect(await first(idle)).toMatchObject({
      kind: "missed",
      sentence: expect.stringMatching(/fired and changed nothing on the wire.*pass/) as string,
    });
    const echo = sqlFault("echo", async (_, __, exchange) => await exchange());
    // It rewrites the same answer with other headers: something changed, but nothing was found.
    expect(await first(echo)).toMatchObject({
      kind: "missed",
      sentence: "the fault fired 1 times and the verdict was pass: answered",
    });
  });

  test("that the check does not notice is missed", async () => {
    const unseen = changeResult("count", /SELECT/, (result) => ({ ...result, row_count: 7 }));
    expect(await first(unseen)).toMatchObject({
      kind: "missed",
      sentence: "the fault fired 1 times and the verdict was pass: answered",
    });
  });

  test("that causes another finding is missed", async () => {
    const other = changeResult("odd", /SELECT/, (result) => ({ ...result, message: "odd" }));
    expect(await first(other)).toMatchObject({
      kind: "missed",
      sentence: expect.stringContaining("fail: odd") as string,
    });
  });

  test("that only makes the check unknown is missed", async () => {
    const lost = sqlFault("lose", () => Promise.resolve("lost"));
    expect(await first(lost)).toMatchObject({
      kind: "missed",
      sentence: expect.stringContaining("unknown: no answer") as string,
    });
  });

  test("proves nothing if the check is not green after it", async () => {
    const on = fake((asked) => (asked >= 2 ? refusal : undefined));
    expect(await first(refuseIt("refuse", /SELECT/), on)).toMatchObject({
      kind: "missed",
      sentence: 'not green again after the fault: fail: refused {"message":"no"}',
    });
  });
});

describe("live, a check", () => {
  const both = proof(
    { seen: bad, fault: refuseIt("refuse", /SELECT/) },
    { seen: odd, fault: changeResult("odd", /SELECT/, (result) => ({ ...result, message: "odd" })) },
  );

  test("that is not green without the fault cannot be proven there, by none of its findings", async () => {
    const results = await live(
      both,
      fake(() => refusal),
    );
    expect(results.map(({ finding, kind }) => [finding, kind])).toEqual([["refused", "impossible"], ["odd", "impossible"]]); // prettier-ignore
    expect(results[0]?.sentence).toBe('it is not green without the fault: fail: refused {"message":"no"}');
  });

  test("is observed anew in each phase; the green run after one finding is the green run before the next", async () => {
    const on = fake();
    expect((await live(both, on)).map(({ kind }) => kind)).toEqual(["proven", "proven"]);
    expect(on.scratch).toEqual(["CREATE NAMESPACE kr_k7f3a_1", "CREATE NAMESPACE kr_k7f3a_2", "CREATE NAMESPACE kr_k7f3a_3", "CREATE NAMESPACE kr_k7f3a_4", "CREATE NAMESPACE kr_k7f3a_5"]); // prettier-ignore
  });

  test("that was not green after a fault must be green before the next finding", async () => {
    const on = fake((asked) => (asked === 2 || asked === 3 ? refusal : undefined));
    expect((await live(both, on)).map(({ kind }) => kind)).toEqual(["missed", "impossible"]);
    const later = fake((asked) => (asked === 2 ? refusal : undefined));
    expect((await live(both, later)).map(({ kind }) => kind)).toEqual(["missed", "proven"]);
  });

  test.each([
    // One finding's fault answers by itself, the other's passes the request on.
    [1, 0, "each"],
    [2, 0, "each"],
    [3, 1, "each"],
    [4, 1, "each"],
    [2, 0, "once"],
    [3, 0, "once"],
  ] as const)(
    "that is interrupted at request %i has proven %i findings, and missed none",
    async (at, count, greens) => {
      const interrupted = new AbortController();
      const on = fake((asked) => {
        if (asked === at) interrupted.abort("interrupted");
        return undefined;
      });
      const results = await proveLive([both], on.session, on.wire, { ...options, greens, signal: interrupted.signal });
      expect(results.map(({ kind }) => kind)).toEqual(Array.from({ length: count }, () => "proven"));
    },
  );

  test("may share its greens among its findings: one before the first fault, one after the last", async () => {
    const on = fake();
    const results = await proveLive([both], on.session, on.wire, { ...options, greens: "once" });
    expect(results.map(({ finding, kind }) => [finding, kind])).toEqual([
      ["refused", "proven"],
      ["odd", "proven"],
    ]);
    expect(on.scratch).toHaveLength(4);
  });

  test("that is not green after the last fault has proven nothing, by none of its findings", async () => {
    // The first request is the green before; the faults answer by themselves or pass one on.
    const on = fake((asked) => (asked >= 3 ? refusal : undefined));
    const results = await proveLive([both], on.session, on.wire, { ...options, greens: "once" });
    expect(results.map(({ kind }) => kind)).toEqual(["missed", "missed"]);
  });

  test("may share its observation with others: each is proven by its own findings", async () => {
    const on = fake();
    const other: Proof = { ...both, check: { ...both.check, id: "toy/other" } };
    const results = await proveLive([both, other], on.session, on.wire, { ...options, greens: "once" });
    expect(results.map(({ check, finding, kind }) => [check, finding, kind])).toEqual([
      ["toy/answers", "refused", "proven"],
      ["toy/answers", "odd", "proven"],
      ["toy/other", "refused", "proven"],
      ["toy/other", "odd", "proven"],
    ]);
    expect(on.scratch).toHaveLength(6);
    const stranger: Proof = { ...both, check: { ...both.check, observation: { ...both.check.observation } } };
    await expect(proveLive([both, stranger], on.session, on.wire, options)).rejects.toThrow("share an observation");
  });

  test("says where it is not proven only because too little was seen", async () => {
    const lost = proof({ seen: bad, fault: sqlFault("lose", () => Promise.resolve("lost")) });
    expect((await live(lost))[0]).toMatchObject({ kind: "missed", undetermined: true });
    expect(
      (
        await live(
          both,
          fake(() => refusal),
        )
      )[0],
    ).not.toHaveProperty("undetermined");
  });

  test("is proven only on paper if no fault on the wire could cause the finding, without sending anything", async () => {
    const on = fake();
    const [, oddly] = await live(proof({ seen: bad, fault: refuseIt("refuse", /SELECT/) }), on);
    expect(oddly).toEqual({
      check: "toy/answers",
      finding: "odd",
      fault: "",
      kind: "onPaperOnly",
      sentence: onPaperOnly.onPaperOnly,
    });
    expect(on.scratch).toHaveLength(3);
  });
});

describe("live, a fault in the process", () => {
  const outcome: TrialOutcome = {
    answered: false,
    exitCode: 1,
    tookMs: 5,
    stderr: "bad",
    stdout: "",
    leftListening: false,
  };
  const control: Control = {
    kind: "process",
    own: {
      port: 1,
      lowered: {},
      residentBytes: () => undefined,
      trial: () => Promise.resolve(outcome),
      stderr: () => "",
    },
  };
  const trying = {
    ...toy,
    observation: {
      ...toy.observation,
      async observe(target: Parameters<typeof toy.observation.observe>[0]) {
        const seen = await target.control?.own?.trial({ kind: "noFile" }, 5);
        return seen?.answered === true ? bad : good;
      },
    },
  };
  const proving = async (fault: Fault): Promise<LiveProof | undefined> => {
    const on = fake();
    const one = proveCheck(trying, {
      holds: [good],
      cannotTell: [unsure],
      breaks: { refused: { seen: bad, fault }, odd: onPaperOnly },
    });
    return (await proveLive([one], on.session, { ...on.wire, control }, options))[0];
  };

  test("is also watched on both sides", async () => {
    const starts = trialFault("start anyway", () => Promise.resolve({ ...outcome, answered: true }));
    expect(await proving(starts)).toMatchObject({ kind: "proven" });
    const same = trialFault("same", async (settings, trial) => ({ ...(await trial(settings)), tookMs: 9 }));
    expect(await proving(same)).toMatchObject({
      kind: "missed",
      sentence: expect.stringContaining("changed nothing on the wire") as string,
    });
  });
});

describe("under trouble", () => {
  const all = { ...options, troubles: [harmNth("its answer lost", 1), harmNth("lost on its way", 1)] };
  const one = proof({ seen: bad, fault: refuseIt("refuse", /./) });
  const under = async (tried: Proof): Promise<LiveProof[]> => {
    const on = fake();
    return await proveTroubled([tried], on.session, on.wire, all);
  };

  test("a check that cannot tell is proven, one that fails or passes all the same is not", async () => {
    expect(await under(one)).toMatchObject([{ check: "toy/answers", finding: "(cannot tell)", kind: "proven" }]);
    const red = { kind: "fail", found: [{ name: "refused", data: { message: "" } }] } as const;
    const withVerdict = (verdict: ReturnType<Check["judge"]>): Proof => ({
      ...one,
      check: {
        ...(toy as unknown as Check),
        judge: (seen) => ((seen as Seen).kind === "unsure" ? verdict : toy.judge(seen as Seen, {})),
      },
    });
    const missed = await under(withVerdict(red));
    expect(missed.length).toBeGreaterThan(1);
    expect(missed.every(({ kind, sentence }) => kind === "missed" && sentence.startsWith("it fails although"))).toBe(
      true,
    );
    const blind = await under(withVerdict({ kind: "pass", sentence: "all well" }));
    expect(blind.some(({ kind, sentence }) => kind === "missed" && sentence.includes("all well"))).toBe(true);
    const listed = {
      ...withVerdict({ kind: "pass", sentence: "all well" }),
      mayBeLost: [{ what: /SELECT/, because: "a toy" }],
    };
    expect(await under(listed)).toMatchObject([{ kind: "proven" }]);
  });

  test("a check that is not green without trouble cannot be proven", async () => {
    const never = {
      ...one,
      check: { ...(toy as unknown as Check), judge: () => ({ kind: "unknown", sentence: "no" }) as const },
    };
    const on = fake();
    expect(await proveTroubled([never], on.session, on.wire, { ...options, troubles: "all" })).toMatchObject([
      { kind: "impossible", undetermined: true },
    ]);
  });
});
