import { describe, expect, test } from "vitest";
import type { PostgresCall, PostgresOutcome } from "../wire/postgres/postgres.ts";
import { Pacer } from "../session/pacing.ts";
import { Recording } from "../session/recording.ts";
import type { Session } from "../session/session.ts";
import { learn } from "./dialect.ts";
import { findPostgres, makePostgres, postgresText } from "./postgres.ts";

const asksInClear: PostgresOutcome = {
  kind: "reached",
  tls: "none",
  asks: "clearText",
  login: { kind: "withheld" },
  results: [],
};
const signal = new AbortController().signal;

/** What was found, and what was asked for that. */
async function find(
  outcome: PostgresOutcome,
  looking: Partial<Parameters<typeof findPostgres>[1]> = {},
  {
    version = "0.8.0",
    settings = {},
    url = "http://127.0.0.1:2900",
  }: {
    version?: string;
    settings?: Readonly<Record<string, string>>;
    url?: string;
  } = {},
): Promise<{ found: Session["postgres"]; asked: readonly PostgresCall[] }> {
  const asked: PostgresCall[] = [];
  const postgres = {
    ownAddresses: [],
    call: async (call: PostgresCall) => {
      asked.push(call);
      return await Promise.resolve(outcome);
    },
  };
  const session = {
    url,
    run: "a1b2c",
    learned: learn(version, {}),
    capabilities: { settings },
    parts: { wire: { postgres } },
  } as unknown as Session;
  await findPostgres(session, { signal, ...looking });
  return { found: session.postgres, asked };
}

const place = { host: "10.0.0.5", port: 6432 };

describe("the PostgreSQL port is looked for", () => {
  test("at its usual port of the server's host, without a password", async () => {
    const { found, asked } = await find(asksInClear);
    expect(found).toEqual({ kind: "there", place: { host: "127.0.0.1", port: 5432 }, named: false });
    expect(asked.map(({ login, queries }) => [login.password, login.isSecret, queries])).toEqual([["", true, []]]);
  });

  test("where the settings say that it is", async () => {
    const settings = { "postgres_wire.enabled": "true", "postgres_wire.port": "6432" };
    const url = "https://[fd00::5]:443/kalam";
    const { found } = await find(asksInClear, {}, { settings, url });
    expect(found).toEqual({ kind: "there", place: { host: "fd00::5", port: 6432 }, named: true });
  });

  test("where the user says that it is, whatever answers there", async () => {
    const { found, asked } = await find({ kind: "unreached", detail: "nothing listens" }, { given: place });
    expect([found, asked]).toEqual([{ kind: "there", place, named: true }, []]);
  });

  test.for<[string, RegExp, Parameters<typeof find>]>([
    ["the user says none", /--postgres none/, [asksInClear, { given: "none" }]],
    ["the version has none", /this version has none/, [asksInClear, {}, { version: "0.4.3-rc.4" }]],
    [
      "it is switched off",
      /postgres_wire\.enabled is false/,
      [asksInClear, {}, { settings: { "postgres_wire.enabled": "false" } }],
    ],
    ["a proxy is in between", /through a proxy; name the PostgreSQL port/, [asksInClear, { proxied: true }]],
    [
      "nothing listens",
      /^nothing listens; if it is elsewhere, name it with --postgres$/,
      [{ kind: "unreached", detail: "nothing listens" }],
    ],
    [
      "something else listens",
      /not speak the PostgreSQL protocol/,
      [{ kind: "foreign", detail: "it does not speak the PostgreSQL protocol" }],
    ],
    ["a PostgreSQL server asks in its way", /another way than KalamDB/, [{ ...asksInClear, asks: "sasl" }]],
    [
      "a PostgreSQL server knows no such role",
      /refuses us there before it asks/,
      [{ ...asksInClear, asks: "nothing", login: { kind: "refused", code: "28000", message: "no role" } }],
    ],
  ])("and is absent where %s", async ([, why, args]) => {
    const { found } = await find(...args);
    expect(found).toEqual({ kind: "absent", why: expect.stringMatching(why) as string });
  });

  test("and lets anybody in: that is for the checks to say", async () => {
    expect((await find({ ...asksInClear, asks: "nothing", login: { kind: "in" } })).found?.kind).toBe("there");
  });
});

test("a call is recorded without the password, and only accounts of the run have one", async () => {
  const recording = new Recording();
  const sent: PostgresCall[] = [];
  const port = makePostgres(
    { kind: "there", place, named: true },
    {
      ownAddresses: ["192.0.2.2"],
      call: async (call) => {
        sent.push(call);
        return await Promise.resolve({ ...asksInClear, login: { kind: "in" } });
      },
    },
    { pacer: new Pacer(), recording, signal },
    ({ name }) => {
      if (name !== "ann") throw new Error(`${name} is not one of the run's own accounts`);
      return "pass-word";
    },
  );
  const { exchange } = await port.call({ account: { name: "ann", role: "user" } }, { queries: ["SELECT 1"] });
  await port.call({ user: "ann", wrongPassword: "wrong" }, { at: "192.0.2.2" });
  await expect(port.call({ account: { name: "root", role: "system" } })).rejects.toThrow("root is not one of");
  expect(sent.map(({ at, login }) => [at.host, login.password, login.isSecret])).toEqual([
    ["10.0.0.5", "pass-word", true],
    ["192.0.2.2", "wrong", false],
  ]);
  expect(recording.get(exchange)).toMatchObject({
    method: "postgres",
    path: "10.0.0.5:6432",
    as: "ann",
    text: "SELECT 1",
    outcome: "no TLS; logged in",
  });
  expect(JSON.stringify([...recording.all])).not.toContain("pass-word");
});

test("an outcome in one line", () => {
  const refusal = { kind: "refused", code: "28P01", message: "wrong" } as const;
  expect(postgresText({ kind: "unreached", detail: "nothing listens" })).toBe("nothing listens");
  expect(postgresText({ ...asksInClear, tls: "unverified", login: refusal })).toBe(
    "TLS, not verified; login refused: 28P01 wrong",
  );
  const broken = { kind: "broken", because: "reset", detail: "it was reset" } as const;
  const results = [{ kind: "rows", columns: ["v"], rows: [["1"]] }, refusal, broken] as const;
  expect(postgresText({ ...asksInClear, tls: "verified", login: { kind: "in" }, results })).toBe(
    "TLS; logged in; 1 rows; 28P01 wrong; it was reset",
  );
  expect(postgresText({ ...asksInClear, login: broken })).toBe("no TLS; login: it was reset");
});
