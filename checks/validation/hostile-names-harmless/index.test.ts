import { expect, test } from "vitest";
import type { Context, Verdict } from "../../../src/check.ts";
import type { Account, Answer, Target } from "../../../src/server/target.ts";
import { judged, no, nothing, soundFor } from "../../vocabulary/evidence.ts";
import { cases } from "./cases.ts";
import proof from "./proof.ts";
import { hostileNamesHarmless } from "./index.ts";

type Because = Extract<Answer, { kind: "unsure" }>["because"];
const times = { exchange: 1, sentAt: 0, doneAt: 1 };
const ok = { kind: "ok", status: 200, results: [], tookMs: 1, ...times } as const;
const refused = { kind: "refused", status: 400, code: "X", message: "no", cause: "rule", ...times } as const;
const broken = (because: Because): Answer => ({ kind: "unsure", because, message: because, ...times });

const isHostile = (sql: string): boolean => /\u0000|\/|\.\.|\\|''|""/.test(sql);

/** A server that rejects hostile names until something happens to it at a NUL, and is then as `after` says. */
function serverThat(atNul: Answer, after: (sql: string) => Answer | undefined, valid: Answer = ok): { target: Target } {
  let hit = false;
  const target = {
    account: (role: string) => Promise.resolve({ name: role, role } as Account),
    sql(_: Account, statement: string, { namespace }: { namespace?: string } = {}): Promise<Answer> {
      const sql = namespace === undefined ? statement : `${statement} in "${namespace}"`;
      const later = hit ? after(sql) : undefined;
      if (later !== undefined) return Promise.resolve(later);
      if (sql.includes("\u0000")) {
        hit = true;
        return Promise.resolve(atNul);
      }
      if (sql.startsWith("EXECUTE AS") && !isHostile(sql)) return Promise.resolve(valid);
      return Promise.resolve(isHostile(sql) ? refused : ok);
    },
    request: () =>
      Promise.resolve(
        hit && after("") !== undefined
          ? { kind: "broken", because: "unreachable", detail: "gone", text: "", ...times }
          : { kind: "answered", status: 404, headers: {}, body: new Uint8Array(), text: "", ...times },
      ),
  } as unknown as Target;
  return { target };
}

async function verdictOn({ target }: { target: Target }): Promise<Verdict> {
  const context = {
    scratch: "s",
    name: (suffix: string) => `s_${suffix}`,
    need(outcome: unknown, otherwise: string) {
      if ((outcome as Answer).kind !== "ok") throw new Error(otherwise);
      return outcome;
    },
  } as unknown as Context;
  const seen = await hostileNamesHarmless.observation.observe(target, context);
  return hostileNamesHarmless.judge(seen, {});
}
const outcomes = (verdict: Verdict): string[] =>
  verdict.kind === "fail"
    ? verdict.found.map(({ name, data }) => `${name}: ${(data as { outcome: string }).outcome}`)
    : [`${verdict.kind}: ${verdict.sentence}`];

const gone = (): Answer => broken("unreachable");
const hung = (): Answer => broken("timeout");
const unreachable = "crashed: stopped the server: it is unreachable";
const silent = "crashed: stopped the server: it answers no simple query, asked 3 times";
test.for<readonly [string, Answer, (sql: string) => Answer | undefined, string]>([
  ["ends without an answer and stays away", broken("reset"), gone, unreachable],
  ["ends after it has rejected the name", refused, gone, unreachable],
  ["hangs", hung(), hung, silent],
  ["rejects the name and hangs", refused, hung, silent],
  ["is started again at once", broken("reset"), () => undefined, "crashed: broke the connection (reset), twice"],
])("a server that %s at a NUL is found", async ([, atNul, after, found]) => {
  expect(outcomes(await verdictOn(serverThat(atNul, after)))[0]).toBe(found);
  // Even where valid names do not work everywhere, so that nothing else can be told.
  expect(outcomes(await verdictOn(serverThat(atNul, after, refused)))[0]).toBe(found);
});

test("one that is slow to answer once is asked again", async () => {
  let late = true;
  const server = serverThat(refused, (sql) => {
    if (sql !== "SELECT 1 AS alive" || !late) return undefined;
    late = false;
    return broken("timeout");
  });
  expect(outcomes(await verdictOn(server))).toEqual([
    `pass: ${cases.length} of ${cases.length} names rejected, and a simple query was answered after each`,
  ]);
});

test("a rejection shows nothing where a valid name is rejected, too", async () => {
  expect(outcomes(await verdictOn(serverThat(refused, () => undefined, refused)))).toEqual([
    "unknown: EXECUTE AS USER: a valid name does not work either: no",
  ]);
});

test("a server that was gone before the first hostile name is not blamed for them", async () => {
  const server = serverThat(refused, () => undefined, broken("unreachable"));
  await expect(verdictOn(server)).rejects.toThrow("EXECUTE AS USER: the server did not answer before any hostile name");
});

const sound = soundFor(hostileNamesHarmless, proof);
type Tried = (typeof sound.tried)[number];
const crashed = (outcome: string, of = 1): string[] => [
  `crashed: place 0: ${JSON.stringify({ place: "place 0", as: "user", sent: 'USE "a/b"', outcome, of })}`,
];
const having = (at: number, change: Partial<Tried>): string[] =>
  judged(hostileNamesHarmless, {
    ...sound,
    tried: sound.tried.map((one, n) => (n === at ? { ...one, ...change } : one)),
  });
const passed = ["pass: 38 of 38 names rejected, and a simple query was answered after each"];
const unclear = (why: string): string[] => [`unknown: case 0: neither rejected nor broken: ${why}`];

test.each<readonly [Partial<Tried>, string[]]>([
  [{ said: no("X", "no", "rule", 400) }, passed],
  [{ said: no("X", "no", "rule", 499) }, passed],
  [{ said: no("X", "odd", "rule", 399) }, unclear("399 odd")],
  [{ said: no("X", "slower", "rate", 429) }, unclear("429 slower")],
  [{ said: no("X", "oops", "", 500) }, crashed("got 500 oops")],
  [{ said: no("X", "proxy", "", 502) }, unclear("502 proxy")],
  [{ said: nothing("cut") }, crashed("broke the connection (cut), twice")],
  [{ said: nothing("malformed") }, crashed("broke the connection (malformed), twice")],
  [{ said: { ...nothing("cut"), status: 502 } }, unclear("502 no answer within 15000 ms")],
  [{ said: nothing() }, unclear("timeout no answer within 15000 ms")],
  [{ next: nothing("unreachable") }, crashed("stopped the server: it is unreachable")],
  [{ next: nothing("reset") }, crashed("stopped the server: it is unreachable")],
  [{ next: nothing("timeout") }, crashed("stopped the server: it answers no simple query, asked 3 times")],
  [{ next: no("X", "slower", "rate", 429) }, unclear("429 slower")],
])("%j", (change, sentences) => {
  expect(having(0, change)).toEqual(sentences);
});

test("each place has a finding of its own, with the number of its cases", () => {
  const ended = { said: nothing("cut") };
  const at = (...places: number[]) =>
    judged(hostileNamesHarmless, {
      ...sound,
      tried: sound.tried.map((one, n) => (places.includes(n) ? { ...one, ...ended } : one)),
    });
  const outcome = "broke the connection (cut), twice";
  expect(at(0, 12, 24)).toEqual(crashed(outcome, 3));
  const other = `crashed: place 1: ${JSON.stringify({ place: "place 1", as: "user", sent: 'USE "a/b"', outcome, of: 1 })}`;
  expect(at(0, 1)).toEqual([...crashed(outcome), other]);
});
