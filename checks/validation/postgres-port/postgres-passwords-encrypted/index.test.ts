import { expect, test } from "vitest";
import { judged } from "../../../vocabulary/evidence.ts";
import { closed, nobodyIsKnown, reached, refused, remote, sound, unreached, withheld } from "../evidence.ts";
import type { Seen } from "../looking.ts";
import { postgresPasswordsEncrypted } from "./index.ts";

const at = (...said: readonly Seen["elsewhere"][number]["said"][]): Pick<Seen, "elsewhere"> => ({
  elsewhere: said.map((one, n) => ({ address: `192.0.2.${n + 2}`, said: one })),
});
const found = (place: string, where = place): string => `clearTextPassword: ${where}: {"place":"${place}"}`;
const here = "another address of this machine";
const unlike = (change: object): typeof refused => reached({ login: { ...nobodyIsKnown, ...change } });
const overTls: Seen = {
  ...sound,
  wrong: sound.wrong.map((one) => ({ ...one, said: { ...refused, tls: "verified" } })),
};

test.for<[string, Seen, readonly string[]]>([
  [
    "on loopback",
    { ...sound, ...at(unreached) },
    ["pass: 127.0.0.1:5432 is on loopback; not reachable at 1 other address of this machine"],
  ],
  [
    "with no other address",
    { ...sound, ...at() },
    ["pass: 127.0.0.1:5432 is on loopback; not reachable at 0 other addresses of this machine"],
  ],
  ["remote, with TLS", remote, ["pass: db.example.com:5432 offers TLS"]],
  [
    "remote, with a certificate of its own",
    { ...remote, right: reached({ tls: "unverified", login: { kind: "withheld" } }) },
    ["pass: db.example.com:5432 offers TLS, with a certificate that is not trusted here"],
  ],
  [
    "remote, asked in another way",
    { ...remote, right: reached({ asks: "sasl" }) },
    ["pass: db.example.com:5432 asks for no password in clear text"],
  ],
  ["remote, in clear text", { ...remote, right: withheld }, [found("db.example.com:5432")]],
  [
    "remote, in clear text, of somebody",
    { ...remote, right: withheld, counted: false },
    [
      "unknown: db.example.com:5432 is not known to be this server's; name the PostgreSQL port with --postgres; it offers no TLS and asks for passwords in clear text",
    ],
  ],
  [
    "remote, in clear text, named",
    { ...remote, right: withheld, counted: false, named: true },
    [found("db.example.com:5432")],
  ],
  [
    "at two of three addresses",
    { ...sound, ...at(refused, unreached, refused) },
    [found("192.0.2.2", here), found("192.0.2.4", here)],
  ],
  [
    "another code there",
    { ...sound, ...at(unlike({ code: "28000" })) },
    ["pass: 127.0.0.1:5432 is on loopback; not reachable at 1 other address of this machine"],
  ],
  [
    "other words there",
    { ...sound, ...at(unlike({ message: "no such role" })) },
    ["pass: 127.0.0.1:5432 is on loopback; not reachable at 1 other address of this machine"],
  ],
  [
    "let in there and here",
    { ...sound, wrong: sound.wrong.map((one) => ({ ...one, said: reached() })), ...at(reached()) },
    [found("192.0.2.2", here)],
  ],
  [
    "let in there alone",
    { ...sound, ...at(reached()) },
    ["pass: 127.0.0.1:5432 is on loopback; not reachable at 1 other address of this machine"],
  ],
  [
    "asked there in another way",
    { ...sound, ...at({ ...refused, asks: "md5" }) },
    ["pass: 127.0.0.1:5432 is on loopback; not reachable at 1 other address of this machine"],
  ],
  [
    "nobody was tried here",
    { ...sound, wrong: [], ...at(refused) },
    ["pass: 127.0.0.1:5432 is on loopback; not reachable at 1 other address of this machine"],
  ],
  [
    "with TLS there",
    { ...overTls, ...at({ ...refused, tls: "verified" }) },
    ["pass: 127.0.0.1:5432 is on loopback; with TLS at 1 other address of this machine"],
  ],
  [
    "a broken connection there",
    { ...sound, ...at(closed) },
    ["unknown: 192.0.2.2: the server closed the connection without an error"],
  ],
  [
    "not asked for a password",
    { ...sound, right: reached({ asks: null }) },
    ["unknown: 127.0.0.1:5432 did not ask for a password"],
  ],
  [
    "something else",
    { ...sound, right: { kind: "foreign", detail: "it speaks another protocol", exchange: 7 } },
    ["unknown: 127.0.0.1:5432: it speaks another protocol"],
  ],
  ["nothing", { ...sound, right: unreached }, ["unknown: nothing listens on 127.0.0.1:5432"]],
])("%s", ([, seen, expected]) => {
  expect(judged(postgresPasswordsEncrypted, seen)).toEqual(expected);
});

test("a server that offers TLS needs no password, and may ask in any way", () => {
  const verdict = (change: Partial<Seen>) => judged(postgresPasswordsEncrypted, { ...sound, ...at(), ...change });
  const onLoopback = ["pass: 127.0.0.1:5432 is on loopback; not reachable at 0 other addresses of this machine"];
  expect(verdict({ right: reached({ tls: "verified", asks: null }) })).toEqual(onLoopback);
  expect(verdict({ right: reached({ tls: "verified", asks: "sasl" }) })).toEqual(onLoopback);
  expect(verdict({ right: reached({ asks: null }) })).toEqual(["unknown: 127.0.0.1:5432 did not ask for a password"]);
});

test("another server is told by what it says to the last wrong login, which nobody knows", () => {
  const other = unlike({ message: "no such role" });
  const saying = (...said: (typeof refused)[]) =>
    judged(postgresPasswordsEncrypted, {
      ...sound,
      ...at(refused),
      wrong: sound.wrong.map((one, n) => ({ ...one, said: said[n] ?? refused })),
    });
  expect(saying(other, other, refused)).toEqual([found("192.0.2.2", here)]);
  expect(saying(refused, refused, other)[0]).toContain("pass");
});
