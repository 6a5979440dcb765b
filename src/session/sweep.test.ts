import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Json } from "../wire/json.ts";
import type { Answer } from "../server/answer.ts";
import { runOf } from "./scratch.ts";
import type { Account, Sender } from "../server/sender.ts";
import { drop, listWithin, sweep, type Listing } from "./sweep.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

const root: Account = { name: "root", role: "system" };
const times = { exchange: 1, sentAt: 0, doneAt: 1 };
const done: Answer = {
  kind: "ok",
  status: 200,
  results: [{ columns: [], rows: [], rowCount: 0 }],
  tookMs: 1,
  ...times,
};
const unavailable: Answer = { kind: "unsure", because: "unavailable", status: 503, message: "starting", ...times };

function countAnswer(count: Json): Answer {
  const columns = [{ name: "count", type: "BigInt", flags: [] }];
  return { kind: "ok", status: 200, results: [{ columns, rows: [[count]], rowCount: 1 }], tookMs: 1, ...times };
}

function rowsAnswer(names: readonly string[], createdAt: Json = 1_795_361_687_193): Answer {
  const columns = ["name", "created_at"].map((name) => ({ name, type: "Text", flags: [] }));
  const rows = names.map((name) => [name, createdAt]);
  return { kind: "ok", status: 200, results: [{ columns, rows, rowCount: rows.length }], tookMs: 1, ...times };
}

interface Fake {
  readonly sender: Sender;
  readonly namespaces: Set<string>;
  readonly accounts: Set<string>;
  readonly statements: string[];
  readonly dropped: string[];
}

/**
 * A server with these names. It understands the statements of the sweep and no others; `instead` may answer for it.
 */
function fake(
  names: { namespaces?: readonly string[]; accounts?: readonly string[] },
  instead: (sql: string) => Answer | undefined = () => undefined,
): Fake {
  const namespaces = new Set(names.namespaces ?? []);
  const accounts = new Set(names.accounts ?? []);
  const statements: string[] = [];
  const dropped: string[] = [];
  const answer = (sql: string): Answer => {
    const said = instead(sql);
    if (said !== undefined) return said;
    // One after the other; those before one that fails stay done.
    const [foremost = "", ...others] = sql.split(/; (?=DROP USER IF EXISTS ')/);
    if (others.length > 0) {
      const answered = answer(foremost);
      return answered.kind === "ok" ? answer(others.join("; ")) : answered;
    }
    const [, kind, written = ""] = /^DROP (NAMESPACE|USER) IF EXISTS (.*?)(?: CASCADE)?$/s.exec(sql) ?? [];
    if (kind !== undefined) {
      const [, name = written] =
        /^'(.*)'$/s.exec(written.replaceAll("''", "'")) ?? /^"(.*)"$/s.exec(written.replaceAll('""', '"')) ?? [];
      dropped.push(name);
      (kind === "USER" ? accounts : namespaces).delete(name);
      return done;
    }
    const from = sql.includes("system.users") ? accounts : namespaces;
    const unquoted = (text: string): string => text.replaceAll("''", "'");
    const list = /IN \((.*?)\)( AND | ORDER| LIMIT)/.exec(sql)?.[1];
    const wanted = new Set([...(list ?? "").matchAll(/'((?:[^']|'')*)'/g)].map(([, one = ""]) => unquoted(one)));
    const [, first = "", to = ""] = />= '((?:[^']|'')*)' AND \w+ < '((?:[^']|'')*)'/.exec(sql) ?? [];
    const after = / AND \w+ > '((?:[^']|'')*)'/.exec(sql)?.[1];
    if (list === undefined && first === "") throw new Error(`not understood: ${sql}`);
    const matching = [...from].filter((one) => (list === undefined ? one >= first && one < to : wanted.has(one)));
    if (sql.includes("COUNT(*)")) return countAnswer(String(matching.length));
    const found = matching.filter((one) => after === undefined || one > unquoted(after));
    return rowsAnswer(found.toSorted().slice(0, 500));
  };
  const sender: Sender = {
    sql(as, sql) {
      expect(as).toBe(root);
      statements.push(sql);
      return Promise.resolve(answer(sql));
    },
    request: () => Promise.reject(new Error("a sweep speaks SQL")),
  };
  return { sender, namespaces, accounts, statements, dropped };
}

type Options = Parameters<typeof sweep>[2];
async function sweeping(sender: Sender, options: Partial<Options> = {}): ReturnType<typeof sweep> {
  const swept = sweep(sender, root, { prefix: "kr_k7f3a", withinMs: 1000, ...options });
  await vi.runAllTimersAsync();
  return await swept;
}

async function listing(sender: Sender, named: readonly string[] = []): Promise<Listing> {
  const listed = listWithin(sender, root, { prefix: "kr_k7f3a", named, withinMs: 100 });
  await vi.runAllTimersAsync();
  return await listed;
}

const many = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `kr_k7f3a_${String(at).padStart(4, "0")}`);

describe("a sweep", () => {
  test("removes namespaces and accounts of the run, and looks whether they are gone", async () => {
    const { sender, namespaces, accounts, statements } = fake({
      namespaces: ["default", "kr_k7f3a_1", "kr_b1c2d_1"],
      accounts: ["root", "kr_k7f3a_dba_1"],
    });
    expect(await sweeping(sender)).toEqual({
      kind: "clean",
      removed: [{ kind: "namespace", name: "kr_k7f3a_1" }, { kind: "account", name: "kr_k7f3a_dba_1" }], // prettier-ignore
    });
    expect([...namespaces, ...accounts]).toEqual(["default", "kr_b1c2d_1", "root"]);
    expect(statements.at(-1)).toMatch(/^SELECT/);
  });

  test("drops accounts several in a request, and namespaces one by one", async () => {
    const { sender, accounts, statements } = fake({ namespaces: many(2), accounts: many(20) });
    expect(await sweeping(sender)).toMatchObject({ kind: "clean" });
    expect(accounts.size).toBe(0);
    const drops = statements.filter((sql) => sql.startsWith("DROP")).map((sql) => sql.split("; ").length);
    expect(drops).toEqual([1, 1, 8, 8, 4]);
  });

  const locked: Answer = { kind: "refused", status: 400, code: "X", message: "locked", cause: "rule", ...times };
  const answers: readonly (readonly [string, Answer, string])[] = [
    ["refused", locked, "left"],
    ["answered in words that nobody knows", { ...unavailable, because: "unrecognised" }, "unclear"],
    ["not answered", { ...unavailable, because: "timeout" }, "unclear"],
  ];
  test.each(answers)("drops the others where the drop of one account is %s", async (_, answer, kind) => {
    const { sender, accounts } = fake({ accounts: many(5) }, (sql) =>
      sql === "DROP USER IF EXISTS 'kr_k7f3a_0001'" ? answer : undefined,
    );
    const swept = await sweeping(sender);
    expect([...accounts]).toEqual(["kr_k7f3a_0001"]);
    expect(swept).toMatchObject(
      kind === "left"
        ? { kind, left: [{ kind: "account", name: "kr_k7f3a_0001", why: expect.stringContaining("locked") as string }] }
        : { kind, sentence: expect.stringContaining("account kr_k7f3a_0001 is still listed") as string },
    );
    if (swept.kind === "left") expect(swept.removed).toHaveLength(4);
  });

  test("with nothing to remove only looks", async () => {
    const { sender, statements } = fake({ namespaces: ["default"] });
    expect(await sweeping(sender)).toEqual({ kind: "clean", removed: [] });
    expect(statements.every((sql) => sql.startsWith("SELECT"))).toBe(true);
  });

  test.for([499, 500, 501, 1000, 1203])("finds all of %d names, page by page", async (count) => {
    const { sender, namespaces } = fake({ namespaces: many(count) });
    const swept = await sweeping(sender);
    expect(swept.kind === "clean" && swept.removed.length).toBe(count);
    expect(namespaces.size).toBe(0);
  });

  test("waits for a removal that takes its time", async () => {
    let looks = 0;
    const { sender } = fake({}, (sql) => {
      if (sql.startsWith("DROP")) return done;
      if (sql.includes("system.users")) return undefined;
      const isLast = sql.includes("COUNT(*)");
      if (isLast) looks += 1;
      if (isLast) return countAnswer(looks < 5 ? 1 : 0);
      return rowsAnswer(looks < 4 && !/ > '/.test(sql) ? ["kr_k7f3a_1"] : []);
    });
    expect(await sweeping(sender)).toEqual({ kind: "clean", removed: [{ kind: "namespace", name: "kr_k7f3a_1" }] });
  });

  test("tells what is still listed when the time is up, and what the server said to its removal", async () => {
    const { sender, namespaces } = fake({ namespaces: ["kr_k7f3a_1", "kr_k7f3a_2"] }, (sql) => {
      if (!/DROP.*kr_k7f3a_1/.test(sql)) return undefined;
      return { kind: "refused", status: 400, code: "X", message: "in use", cause: "rule", ...times };
    });
    expect(await sweeping(sender)).toEqual({
      kind: "left",
      removed: [{ kind: "namespace", name: "kr_k7f3a_2" }],
      left: [{ kind: "namespace", name: "kr_k7f3a_1", why: "400 X: in use" }],
    });
    expect([...namespaces]).toEqual(["kr_k7f3a_1"]);
  });

  test("what is listed while its removal was not answered is neither left nor gone", async () => {
    const { sender } = fake({ namespaces: ["kr_k7f3a_1"] }, (sql) =>
      sql.startsWith("DROP") ? unavailable : undefined,
    );
    expect(await sweeping(sender)).toEqual({
      kind: "unclear",
      sentence: expect.stringMatching(
        /^namespace kr_k7f3a_1 is still listed, and its removal was not answered: .*starting/,
      ) as string,
    });
  });

  test("that only claims to have removed is found out", async () => {
    const { sender } = fake({ accounts: ["kr_k7f3a_dba_1"] }, (sql) => (sql.startsWith("DROP") ? done : undefined));
    const left = [{ kind: "account", name: "kr_k7f3a_dba_1", why: "200 success" }];
    expect(await sweeping(sender)).toEqual({ kind: "left", removed: [], left });
  });

  test.for<[string, Answer]>([
    ["does not answer", unavailable],
    ["answers without rows", done],
    ["answers without a result", { ...done, results: [] }],
    ["answers another question", countAnswer(7)],
    ["lists what was not asked for", rowsAnswer(["default", "kr_b1c2d_1"])],
    ["lists a name twice", rowsAnswer(["kr_k7f3a_1", "kr_k7f3a_1"])],
  ])("of a server that %s is unclear, before and after", async ([, answer]) => {
    for (const view of ["system.namespaces", "system.users"]) {
      const silent = fake({}, (sql) => (sql.includes(view) ? answer : undefined));
      const swept = await sweeping(silent.sender);
      expect(swept).toMatchObject({ kind: "unclear", sentence: expect.stringContaining(view) as string });
    }
    let dropped = false;
    const later = fake({ namespaces: ["kr_k7f3a_1"] }, (sql) => {
      dropped ||= sql.startsWith("DROP");
      return dropped && sql.startsWith("SELECT") ? answer : undefined;
    });
    expect(await sweeping(later.sender)).toMatchObject({ kind: "unclear" });
  });

  test.for<[string, (sql: string) => Answer | undefined]>([
    ["a rate limit", () => ({ ...unavailable, because: "rate", status: 429 })],
    ["an answer without rows", () => done],
    ["an empty list", (sql) => (sql.includes("COUNT(*)") ? undefined : rowsAnswer([]))],
    ["a list that is cut", (sql) => (sql.includes("COUNT(*)") ? undefined : rowsAnswer([" kr_k7f3a_1"]))],
    ["a list of others", () => rowsAnswer(["default"])],
  ])("asks again after %s, and removes everything", async ([, wrong]) => {
    let asked = 0;
    const { sender, namespaces, accounts } = fake({ namespaces: many(24), accounts: ["kr_k7f3a_dba_1"] }, (sql) => {
      asked += 1;
      return asked <= 4 && sql.startsWith("SELECT") ? wrong(sql) : undefined;
    });
    expect(await sweeping(sender)).toMatchObject({ kind: "clean" });
    expect([namespaces.size, accounts.size]).toEqual([0, 0]);
  });

  test("of a server that lists fewer than it counts is unclear, and what it lists is removed", async () => {
    const { sender, namespaces } = fake({ namespaces: many(3) }, (sql) =>
      sql.includes("COUNT(*)") ? countAnswer("27") : undefined,
    );
    const sentence = expect.stringMatching(
      /system\.namespaces could not be read: it lists 0 names and counts 27/,
    ) as string;
    expect(await sweeping(sender)).toEqual({ kind: "unclear", sentence });
    expect(namespaces.size).toBe(0);
  });

  test("takes a short page for no last page", async () => {
    const { sender, namespaces } = fake({ namespaces: many(120) });
    const short: Sender = {
      ...sender,
      sql: async (as, sql) => await sender.sql(as, sql).then((answer) => (answer.kind === "ok" ? cut(answer) : answer)),
    };
    const cut = (answer: Extract<Answer, { kind: "ok" }>): Answer => {
      const results = answer.results.map((result) => ({ ...result, rows: result.rows.slice(0, 50) }));
      return { ...answer, results };
    };
    const swept = await sweeping(short);
    expect([swept.kind === "clean" && swept.removed.length, namespaces.size]).toEqual([120, 0]);
  });

  test("of a server that lists the same page for ever is unclear, and ends", async () => {
    const { sender } = fake({}, (sql) => (sql.startsWith("SELECT") ? rowsAnswer(many(500)) : undefined));
    expect(await sweeping(sender)).toMatchObject({ kind: "unclear" });
  });

  test("takes only what passes the filter", async () => {
    const { sender, namespaces } = fake({ namespaces: ["kr_k7f3a_1", "kr_k7f3a_2"] });
    await sweeping(sender, { only: ({ name }) => name.endsWith("2") });
    expect([...namespaces]).toEqual(["kr_k7f3a_1"]);
  });

  test("of any run takes every run's names", async () => {
    const { sender, namespaces } = fake({ namespaces: ["kr_k7f3a_1", "kr_b1c2d_1", "kr_prod", "krypton"] });
    await sweeping(sender, { prefix: "kr_" });
    expect([...namespaces]).toEqual(["kr_prod", "krypton"]);
  });
});

describe("names that do not begin like ours", () => {
  test("are removed where the ledger has them, and no others", async () => {
    const { sender, namespaces } = fake({ namespaces: ["1abc", "select", "o'brien", "my"] });
    expect(await sweeping(sender, { named: ["1abc", "select", "gone"] })).toEqual({
      kind: "clean",
      removed: [{ kind: "namespace", name: "1abc" }, { kind: "namespace", name: "select" }], // prettier-ignore
    });
    expect([...namespaces]).toEqual(["o'brien", "my"]);
  });

  test("may hold a quote: it is written as SQL wants it", async () => {
    const { sender, statements } = fake({});
    await listing(sender, ["o'brien"]);
    expect(statements[0]).toContain("IN ('o''brien')");
  });

  test("are not asked for where the ledger has none", async () => {
    const { sender, statements } = fake({});
    await listing(sender, ["kr_k7f3a_1"]);
    expect(statements.filter((sql) => sql.includes(" IN "))).toEqual([]);
  });

  test("cannot be told where the server does not say", async () => {
    const { sender } = fake({}, (sql) => (sql.includes(" IN ") ? unavailable : undefined));
    const doubt = expect.stringMatching(/system.namespaces could not be read/) as string;
    expect(await listing(sender, ["1abc"])).toMatchObject({ doubt });
  });
});

test("a login that has ended is given up after three looks", async () => {
  const expired: Answer = { kind: "unsure", because: "expired", message: "the run's own token has expired", ...times };
  const { sender, statements } = fake({}, () => expired);
  const startedAt = performance.now();
  expect(await sweeping(sender, { withinMs: 10_000 })).toMatchObject({ kind: "unclear" });
  expect(statements).toHaveLength(2 * 3);
  const looking = fake({}, () => expired);
  const listed = listWithin(looking.sender, root, { prefix: "kr_", withinMs: 10_000 });
  await vi.runAllTimersAsync();
  expect(await listed).toMatchObject({ doubt: expect.stringMatching(/has expired/) as string });
  expect(looking.statements).toHaveLength(2 * 3);
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});

describe("requests that take longer than there is time", () => {
  const waiting = (wanted?: AbortSignal): Promise<Answer> =>
    new Promise((_, reject) => wanted?.addEventListener("abort", () => reject(wanted.reason as Error)));
  test.each<readonly [string, Sender["sql"]]>([
    ["because the server does not answer", async () => await new Promise(() => {})],
    ["because they wait for their turn", async (_, __, options) => await waiting(options?.wanted)],
  ])("%s: the sweep and the list end, and nothing is known", async (_, sql) => {
    const sender: Sender = { ...fake({}).sender, sql };
    const startedAt = performance.now();
    expect(await sweeping(sender, { withinMs: 1_000 })).toMatchObject({
      kind: "unclear",
      sentence: expect.stringMatching(/namespaces could not be read: timeout: no answer within the 3 s/) as string,
    });
    expect(performance.now() - startedAt).toBe(3_000);
    expect(await listing(sender)).toMatchObject({ doubt: expect.stringMatching(/no answer within/) as string });
  });

  test("because of the drops only: what is left is still looked up", async () => {
    const { sender, namespaces } = fake({ namespaces: ["kr_k7f3a_1"] });
    const stuck: Sender = {
      ...sender,
      async sql(as, sql, options) {
        if (!sql.startsWith("DROP")) return await sender.sql(as, sql);
        await new Promise((resolve) => setTimeout(resolve, 1_500));
        return { ...unavailable, message: String(options?.wanted?.aborted) };
      },
    };
    expect(await sweeping(stuck, { withinMs: 1_000 })).toEqual({
      kind: "unclear",
      sentence: expect.stringMatching(/kr_k7f3a_1 is still listed, and its removal was not answered/) as string,
    });
    expect([...namespaces]).toEqual(["kr_k7f3a_1"]);
  });

  describe("a slow server that drops one after the other, half a second each", () => {
    const names = many(10);
    const slow = ({ sender }: Fake): Sender => {
      let before: Promise<unknown> = Promise.resolve();
      return {
        ...sender,
        async sql(as, sql) {
          if (!sql.startsWith("DROP")) return await sender.sql(as, sql);
          const turn = before.then(async () => await new Promise((resolve) => setTimeout(resolve, 500)));
          before = turn;
          await turn;
          return await sender.sql(as, sql);
        },
      };
    };

    test("gets the time that it needs", async () => {
      const server = fake({ namespaces: names });
      const startedAt = performance.now();
      expect(await sweeping(slow(server), { withinMs: 1_000, atMostMs: 60_000 })).toMatchObject({ kind: "clean" });
      expect([server.namespaces.size, performance.now() - startedAt]).toEqual([0, 5_000]);
    });

    test.each([
      [2_000, 2_000 + 2_000],
      [undefined, 1_000 + 2_000],
    ])("but no more than %s ms, and one more look", async (atMostMs, wantedMs) => {
      const server = fake({ namespaces: names });
      const startedAt = performance.now();
      const options = { prefix: "kr_k7f3a", withinMs: 1_000, ...(atMostMs === undefined ? {} : { atMostMs }) };
      const swept = sweep(slow(server), root, options).then(({ kind }) => [kind, performance.now() - startedAt]);
      await vi.runAllTimersAsync();
      expect(await swept).toEqual(["unclear", wantedMs]);
    });

    test("and none at all where it acknowledges drops and does nothing", async () => {
      const server = fake({ namespaces: names }, (sql) => (sql.startsWith("DROP") ? done : undefined));
      const startedAt = performance.now();
      expect(await sweeping(server.sender, { withinMs: 1_000, atMostMs: 60_000 })).toMatchObject({ kind: "left" });
      expect(performance.now() - startedAt).toBeLessThan(1_500);
    });
  });

  test("an error that is none of the time is not swallowed", async () => {
    const sender: Sender = { ...fake({}).sender, sql: () => Promise.reject(new Error("a defect")) };
    await expect(sweep(sender, root, { prefix: "kr_k7f3a", withinMs: 1_000 })).rejects.toThrow("a defect");
    expect(vi.getTimerCount()).toBe(0);
  });
});

test("what is listed tells when it was made, where the server says so", async () => {
  const { sender } = fake({}, (sql) => {
    if (sql.includes("COUNT(*)")) return countAnswer(1);
    if (/ > '/.test(sql)) return rowsAnswer([]);
    return sql.includes("system.users") ? rowsAnswer(["kr_k7f3a_user_1"], null) : rowsAnswer(["kr_k7f3a_1"]);
  });
  expect((await listing(sender)).found).toEqual([
    { kind: "namespace", name: "kr_k7f3a_1", createdAt: 1_795_361_687_193 },
    { kind: "account", name: "kr_k7f3a_user_1", createdAt: undefined },
  ]);
});

test("topics are looked for where they are wanted, and a server without the view has none", async () => {
  const missing: Answer = {
    kind: "refused",
    status: 400,
    code: "TABLE_NOT_FOUND",
    message: "table 'kalam.system.topics' not found",
    cause: "missing",
    ...times,
  };
  let topics = ["kr_k7f3a_1.work"];
  const answer = (sql: string): Answer | undefined => {
    if (sql === "DROP TOPIC kr_k7f3a_1.work") {
      topics = [];
      return done;
    }
    if (!sql.includes("system.topics")) return undefined;
    if (sql.includes("COUNT(*)")) return countAnswer(String(topics.length));
    return rowsAnswer(/ > '/.test(sql) ? [] : topics);
  };
  const unwanted = fake({}, answer);
  expect(await sweeping(unwanted.sender)).toEqual({ kind: "clean", removed: [] });
  expect(unwanted.statements.some((sql) => sql.includes("topics"))).toBe(false);
  expect(await sweeping(fake({}, answer).sender, { topics: true })).toEqual({
    kind: "clean",
    removed: [{ kind: "topic", name: "kr_k7f3a_1.work" }],
  });
  const old = fake({}, (sql) => (sql.includes("system.topics") ? missing : undefined));
  expect(await sweeping(old.sender, { topics: true })).toEqual({ kind: "clean", removed: [] });
});

test("a drop asks for that name only", async () => {
  const { sender, statements } = fake({}, () => done);
  await drop(sender, root, { kind: "namespace", name: "kr_k7f3a_1" });
  await drop(sender, root, { kind: "namespace", name: 'kr_k7f3a_1; DROP NAMESPACE "prod"' });
  await drop(sender, root, { kind: "account", name: "o'brien" });
  expect(statements).toEqual([
    "DROP NAMESPACE IF EXISTS kr_k7f3a_1 CASCADE",
    'DROP NAMESPACE IF EXISTS "kr_k7f3a_1; DROP NAMESPACE ""prod""" CASCADE',
    "DROP USER IF EXISTS 'o''brien'",
  ]);
});

test("whatever a server lists, nothing is dropped that is not of this run or in its ledger", async () => {
  const name = fc.oneof(
    fc.stringMatching(/^kr_[a-z][0-9][a-z][0-9][a-z](_[0-9a-z_]{0,4})?$/),
    fc.constantFrom(
      "kr_k7f3a",
      "kr_k7f3a_1",
      "kr_k7f3a_1_n0",
      "kr_k7f3ab",
      "kr_k7f3across_1",
      "kr_k7f3a-prod",
      "kr_prod",
    ),
    fc.constantFrom("kr_k7f3a_1-dash", "kr_k7f3a_1 ns", "kr_k7f3a_1'; DROP", 'kr_k7f3a_1"', "kr_k7f3a_😀"),
    fc.constantFrom("default", "system", "root", "prod", "1abc", ""),
    fc.string(),
  );
  const names = fc.uniqueArray(name, { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(names, names, fc.boolean(), fc.boolean(), async (namespaces, accounts, ignoresWhere, anyRun) => {
      const named = ["1abc", "kr_k7f3a_9"];
      const server = fake({ namespaces, accounts }, (sql) => {
        if (!ignoresWhere || !sql.startsWith("SELECT")) return undefined;
        const all = sql.includes("system.users") ? server.accounts : server.namespaces;
        return rowsAnswer([...all].toSorted());
      });
      await sweeping(server.sender, { named, prefix: anyRun ? "kr_" : "kr_k7f3a" });
      const ours = (one: string): boolean => (anyRun ? runOf(one) !== undefined : runOf(one) === "k7f3a");
      expect(server.dropped.filter((one) => !ours(one) && !named.includes(one))).toEqual([]);
      const left = [...server.namespaces, ...server.accounts];
      if (!ignoresWhere) expect(left.filter(ours)).toEqual([]);
    }),
    { numRuns: 200 },
  );
});
