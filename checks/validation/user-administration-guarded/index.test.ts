import { expect, test } from "vitest";
import { foundIn, judged, no, nothing, soundFor, yes } from "../../vocabulary/evidence.ts";
import { userAdministrationGuarded } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(userAdministrationGuarded, proof);
type Seen = typeof sound;
const verdict = (change: Partial<Seen>): string[] => judged(userAdministrationGuarded, { ...sound, ...change });
const trying = (name: string, role: string, change: Partial<Seen["tried"][number]>) =>
  sound.tried.map((one) => (one.case === name && one.role === role ? { ...one, ...change } : one));
/** What an administrator saw at first, and after each account. */
const looking = (...shown: (string | null)[]) =>
  sound.looks.slice(0, shown.length).map((one, at) => ({ ...one, shown: shown[at] ?? null }));
const finding = (name: string, as: string, of: string, message: string): string =>
  `${name}: ${of}, as ${as}: ${JSON.stringify({ as, case: of, message })}`;
const done = (as: string, message: string): string =>
  `accepted: refused but done, as ${as}: ${JSON.stringify({ as, case: "change something although everything was refused", message })}`;
const unread = "unknown: accounts and names of the run could not be read before and after, so changes would go unseen";
const passes = [expect.stringMatching(/^pass/)];
const [higher, lower] = [true, false].map((wanted) => sound.tried.filter(({ role }) => (role === "dba") === wanted));
const anyRefusal = { alsoRefusedBy: "any" as const };
const other = expect.stringMatching(
  /^unknown: raise their own role in a transaction, as user, was not refused/,
) as string;

test.each<readonly [string, Partial<Seen>, unknown[]]>([
  ["a change after the user's attempts", { looks: looking("a", "b", "b", "b") }, [done("user", "b")]],
  [
    "changes after those of a service account and of a dba",
    { looks: looking("a", "a", "b", "c") },
    [done("service", "b"), done("dba", "c")],
  ],
  [
    "a long change",
    { looks: looking("a", "x".repeat(301), "x".repeat(301), "x".repeat(301)) },
    [done("user", `${"x".repeat(300)}…`)],
  ],
  [
    "300 characters",
    { looks: looking("a", "x".repeat(300), "x".repeat(300), "x".repeat(300)) },
    [done("user", "x".repeat(300))],
  ],
  ["nothing was read before", { looks: looking(null, "b", "b", "b") }, [unread]],
  ["nothing was read after", { looks: looking("a", null, "a", "a") }, [unread]],
  ["nothing was read at the end", { looks: looking("a", "a", "a", null) }, [unread]],
  [
    "a change by what was accepted",
    { tried: trying("create an account", "user", { said: yes() }), looks: looking("a", "b", "b", "b") },
    [finding("accepted", "user", "create an account", "200 done")],
  ],
  [
    "a change, and another account's statement was accepted",
    { tried: trying("create an account", "user", { said: yes() }), looks: looking("a", "a", "b", "b") },
    [finding("accepted", "user", "create an account", "200 done"), done("service", "b")],
  ],
  [
    "the other's password is another",
    { login: 401 },
    [
      `escalated: password check afterwards: ${JSON.stringify({ as: "user", case: "set another's password", message: "the old one no longer works" })}`,
    ],
  ],
  ["a look is missing", { looks: looking("a", "a", "a") }, [unread]],
  [
    "no look after a dba in production",
    { looks: looking("a", "a", "a"), tried: lower ?? [], production: true },
    passes,
  ],
  ["a look is missing in production", { looks: looking("a", "a"), tried: lower ?? [], production: true }, [unread]],
  [
    "four of five controls",
    { controls: sound.controls.slice(1) },
    ["unknown: a dba could not do it either: it was not tried "],
  ],
  [
    "one control does not work",
    { controls: sound.controls.map((one, at) => (at === 3 ? { ...one, works: false, message: "no" } : one)) },
    ["unknown: a dba could not do it either: CREATE NAMESPACE no"],
  ],
  ["three attempts by a dba", { tried: [...(lower ?? []), ...(higher ?? []).slice(0, 3)] }, passes],
  [
    "two attempts by a dba",
    { tried: [...(lower ?? []), ...(higher ?? []).slice(0, 2)] },
    [`unknown: only ${(lower ?? []).length + 2} statements were tried`],
  ],
  [
    "a refusal of another kind where any will do",
    { tried: trying("raise their own role in a transaction", "user", { ...anyRefusal, said: no("X", "no", "rule") }) },
    passes,
  ],
  [
    "no answer where any refusal will do",
    { tried: trying("raise their own role in a transaction", "user", { ...anyRefusal, said: nothing() }) },
    [other],
  ],
  [
    "a refusal of another kind where a parse error would do",
    {
      tried: trying("raise their own role in a transaction", "user", {
        alsoRefusedBy: "parse",
        said: no("X", "no", "rule"),
      }),
    },
    [other],
  ],
])("%s", (_, change, expected) => {
  expect(verdict(change)).toEqual(expected);
});

test("the requests that show it: all of the account after which something had changed", () => {
  const exchanges = { user: 1, service: 2, dba: 3 };
  const tried = sound.tried.map((one) => ({
    ...one,
    said: { ...one.said, exchange: exchanges[one.role as keyof typeof exchanges] },
  }));
  const found = foundIn(userAdministrationGuarded, { ...sound, tried, looks: looking("a", "a", "b", "b") });
  const count = tried.filter(({ role }) => role === "service").length;
  expect(found.map(({ sent }) => sent)).toEqual([Array.from({ length: count }, () => 2)]);
});
