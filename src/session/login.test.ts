import { describe, expect, test } from "vitest";
import type { Json } from "../wire/json.ts";
import { claimsOf, logIn, roleOf } from "./login.ts";
import type { PlainRequest, Reply, Sender } from "../server/sender.ts";

function answered(status: number, body: Json | string, headers: Readonly<Record<string, string>> = {}): Reply {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const json = typeof body === "string" ? {} : { json: body };
  const raw = {
    kind: "answered",
    status,
    headers,
    body: new TextEncoder().encode(text),
    sentAt: 0,
    doneAt: 1,
  } as const;
  return { ...raw, exchange: 1, text, ...json };
}

/** A sender that gives these replies one after the other, and keeps what was sent. */
function senderOf(...replies: readonly Reply[]): { sender: Sender; sent: PlainRequest[] } {
  const sent: PlainRequest[] = [];
  const sender: Sender = {
    request(as, request) {
      expect(as).toBeNull();
      const reply = replies[sent.length];
      sent.push(request);
      return reply === undefined ? Promise.reject(new Error("one request too many")) : Promise.resolve(reply);
    },
    sql: () => Promise.reject(new Error("a login is no SQL")),
  };
  return { sender, sent };
}

const tokenWith = (claims: Json): string =>
  `eyJhbGciOiJIUzI1NiJ9.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.sig`;
const welcome = (role: Json, claims: Json = {}): Reply =>
  answered(200, { access_token: tokenWith(claims), user: { id: "op", role } });
const bodies = (sent: readonly PlainRequest[]): unknown[] =>
  sent.map(({ body }) => JSON.parse(String(body)) as unknown);
const unknownUser =
  "Json deserialize error: unknown field `user`, expected `username` or `password` at line 1 column 7";

describe("a login that is let in", () => {
  test("has the token, the role and the field that was used", async () => {
    const { sender, sent } = senderOf(welcome("dba"));
    expect(await logIn(sender, "op", "pw")).toEqual({
      kind: "in",
      token: tokenWith({}),
      user: "op",
      role: "dba",
      field: "user",
    });
    expect(sent).toEqual([
      {
        method: "POST",
        path: "/v1/api/auth/login",
        headers: { "content-type": "application/json" },
        body: '{"user":"op","password":"pw"}',
      },
    ]);
  });

  test("has the role of the token where the answer does not tell", async () => {
    expect(await logIn(senderOf(welcome("emperor", { role: "service" })).sender, "op", "pw")).toMatchObject({
      role: "service",
    });
  });

  test("without any role is unclear, and so is one without a token", async () => {
    for (const reply of [
      welcome(null),
      answered(200, { user: { role: "dba" } }),
      answered(200, "<html>"),
      answered(200, ""),
    ]) {
      expect((await logIn(senderOf(reply).sender, "op", "pw")).kind).toBe("unclear");
    }
  });
});

describe("the field for the user", () => {
  test.for([unknownUser, "Json deserialize error: missing field `username` at line 1 column 30"])(
    "is `username` where a server says %s",
    async (text) => {
      const { sender, sent } = senderOf(answered(400, text), welcome("dba"));
      expect(await logIn(sender, "op", "pw")).toMatchObject({ kind: "in", field: "username" });
      expect(bodies(sent)).toEqual([{ user: "op", password: "pw" }, { username: "op", password: "pw" }]); // prettier-ignore
    },
  );

  test("is not tried a second time where it is known", async () => {
    for (const field of ["user", "username"] as const) {
      const { sender, sent } = senderOf(answered(400, unknownUser));
      expect(await logIn(sender, "op", "pw", field)).toMatchObject({ kind: "unclear" });
      expect(bodies(sent)).toEqual([{ [field]: "op", password: "pw" }]);
    }
  });

  test("a server that knows neither is unclear, after two requests and no more", async () => {
    const { sender, sent } = senderOf(answered(400, unknownUser), answered(400, "unknown field `username`"));
    expect(await logIn(sender, "op", "pw")).toMatchObject({ kind: "unclear" });
    expect(sent).toHaveLength(2);
  });
});

describe("a password is tried once, whatever comes back", () => {
  const broken: Reply = {
    kind: "broken",
    because: "timeout",
    detail: "no answer",
    sentAt: 0,
    doneAt: 1,
    exchange: 1,
    text: "",
  };
  test.for<[string, "denied" | "unclear", RegExp, Reply]>([
    [
      "wrong password",
      "denied",
      /401 unauthorized.*not be retried.*lock/,
      answered(401, { error: "unauthorized", message: "Invalid credentials" }),
    ],
    ["locked account", "denied", /locked.*wait/, answered(401, { error: "account_locked", message: "15 minute(s)" })],
    ["forbidden", "denied", /403/, answered(403, { error: "forbidden", message: "no" })],
    ["not set up", "denied", /set up.*KALAMDB_ROOT_PASSWORD/, answered(428, { error: "setup_required", message: "x" })],
    ["too many logins", "denied", /too many logins.*429/, { ...broken, because: "rate", detail: "429 slower" }],
    ["no word of KalamDB's", "unclear", /403 Forbidden; that is not an answer/, answered(403, "Forbidden")],
    ["an unknown field in words of a wrong password", "unclear", /401/, answered(401, "unknown field `user`")],
    ["a bad request of another kind", "unclear", /400 EOF/, answered(400, "EOF while parsing")],
    ["HTML", "unclear", /200 <html>/, answered(200, "<html>login</html>")],
    ["a redirect", "unclear", /302/, answered(302, "", { location: "/login" })],
    ["a server that breaks", "unclear", /500/, answered(500, "unknown field `user`")],
    ["no answer", "unclear", /no answer/, broken],
  ])("%s", async ([, kind, words, reply]) => {
    const { sender, sent } = senderOf(reply);
    const outcome = await logIn(sender, "op", "secret-pw");
    expect(outcome.kind).toBe(kind);
    expect(outcome).toMatchObject({ sentence: expect.stringMatching(words) as string });
    expect(JSON.stringify(outcome)).not.toContain("secret-pw");
    expect(sent).toHaveLength(1);
  });
});

/** Its claim nested 100,000 deep. */
const deep = `a.${Buffer.from(`{"sub":${"[".repeat(100_000)}${"]".repeat(100_000)}}`).toString("base64url")}.c`;

test.for(["half\ud800surrogate", "two\r\nlines", "x".repeat(1024 * 1024), ""])(
  "an answer whose token cannot be one is unclear",
  async (token) => {
    const { sender } = senderOf(answered(200, { access_token: token, user: { role: "dba" } }));
    expect(await logIn(sender, "op", "secret")).toEqual({
      kind: "unclear",
      sentence: "the login of op was answered with something that is not a token",
    });
  },
);

test("the claims of a token are read without being checked; of anything else there are none", () => {
  expect(claimsOf(tokenWith({ sub: "ä", role: "dba" }))).toEqual({ sub: "ä", role: "dba" });
  for (const none of ["", "a.b.c", "a", tokenWith(null), tokenWith([1]), tokenWith("x"), deep])
    expect(claimsOf(none)).toEqual({});
});

test("only the four roles are roles", () => {
  expect(["user", "service", "dba", "system"].map(roleOf)).toEqual(["user", "service", "dba", "system"]);
  for (const other of ["DBA", "", null, undefined, 1]) expect(roleOf(other)).toBeUndefined();
});
