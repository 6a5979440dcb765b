import { expect, test } from "vitest";
import { judged } from "../../../vocabulary/evidence.ts";
import { closed, nobodyIsKnown, reached, refused, sound, timedOut, unreached, withWrong } from "../evidence.ts";
import type { Seen } from "../looking.ts";
import { postgresLoginsGuarded } from "./index.ts";

const pass = (listed: string): string =>
  `pass: 1 right login let in; 3 of 3 wrong ones refused (28P01 password authentication failed); ${listed}`;
const naming = (at: number, name: string): Seen =>
  withWrong(at, { said: reached({ login: { ...nobodyIsKnown, message: `no password for ${name}` } }) });

test.for<[string, Seen, readonly string[]]>([
  ["listed sessions", sound, [pass("no session of them is listed")]],
  [
    "sessions that are not listed",
    { ...sound, sessions: { shown: false, left: ["ann"] } },
    [pass("sessions are not listed here")],
  ],
  ["no sessions to read", { ...sound, sessions: null }, [pass("sessions are not listed here")]],
  [
    "sessions left, each user once",
    { ...sound, sessions: { shown: true, left: ["ann", "bob", "ann"] } },
    ['sessionLeft: {"users":"ann, bob"}'],
  ],
  [
    "let in twice",
    withWrong(2, { said: reached(), again: reached() }),
    ['acceptedLogin: an unknown user: {"login":"an unknown user","user":"kr_a1b2c_1_nobody"}'],
  ],
  [
    "let in once",
    withWrong(1, { said: reached(), again: refused }),
    ["unknown: an empty password: let in once, and then not again"],
  ],
  [
    "let in, and then nothing",
    withWrong(1, { said: reached(), again: null }),
    ["unknown: an empty password: let in once, and then not again"],
  ],
  [
    "closed twice",
    withWrong(0, { said: closed, again: closed }),
    ['noError: a wrong password: {"login":"a wrong password"}'],
  ],
  ...(
    [
      ["closed, then refused", closed, refused],
      ["closed, then in time no more", closed, timedOut],
      ["closed, then no answer", closed, unreached],
      ["closed, then never again", closed, null],
      ["closed, then let in", closed, reached()],
    ] as const
  ).map(([name, said, again]): [string, Seen, readonly string[]] => [
    name,
    withWrong(0, { said, again }),
    ["unknown: a wrong password: the server closed the connection without an error"],
  ]),
  [
    "late, then closed",
    withWrong(0, { said: timedOut, again: closed }),
    ["unknown: a wrong password: no answer within 10000 ms"],
  ],
  [
    "the right login refused",
    { ...sound, right: refused },
    ['rightLoginRefused: {"user":"kr_a1b2c_user_1","refusal":"28P01 password authentication failed"}'],
  ],
  [
    "the same words but for the name",
    {
      ...naming(0, "kr_a1b2c_user_1"),
      wrong: [naming(0, "kr_a1b2c_user_1").wrong[0], sound.wrong[1], naming(2, "kr_a1b2c_1_nobody").wrong[2]].flatMap(
        (one) => one ?? [],
      ),
    },
    ["pass: 1 right login let in; 3 of 3 wrong ones refused (28P01 no password for …); no session of them is listed"],
  ],
  [
    "other words for nobody",
    naming(2, "nobody"),
    ['tellsWhoExists: {"known":"28P01 password authentication failed","unknown":"28P01 no password for nobody"}'],
  ],
  [
    "one wrong login less",
    { ...sound, wrong: sound.wrong.slice(0, 2) },
    ["unknown: only 2 of 3 wrong logins were tried"],
  ],
  [
    "not known to be this server's",
    { ...sound, right: refused, counted: false },
    [
      "unknown: 127.0.0.1:5432 is not known to be this server's; name the PostgreSQL port with --postgres; the login of an account was not accepted there",
    ],
  ],
])("%s", ([, seen, expected]) => {
  expect(judged(postgresLoginsGuarded, seen)).toEqual(expected);
});

test("who is refused is the account itself, which the first wrong login names", () => {
  const seen = { ...withWrong(0, { user: "the first" }), named: true, right: refused };
  expect(judged(postgresLoginsGuarded, seen)[0]).toContain('rightLoginRefused: {"user":"the first"');
});
