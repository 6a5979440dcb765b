import { expect, test } from "vitest";
import type { Reply } from "../../../src/server/sender.ts";
import type { Target } from "../../../src/server/target.ts";
import { provoke } from "./provocations.ts";

const names = {
  ns: "kr_a1b2c_1",
  other: "kr_a1b2c_user_2",
  password: "Kr1-secret",
  key: "7123456789",
  planted: "kr_a1b2c_1_x",
};

/** What is found in an answer with this text to this statement. */
async function found(text: string, sql = "SELECT 1", headers: Record<string, string> = {}): Promise<string[]> {
  const target: Pick<Target, "request"> = {
    request: () =>
      Promise.resolve<Reply>({
        kind: "answered",
        status: 400,
        headers,
        body: new Uint8Array(),
        sentAt: 0,
        doneAt: 1,
        exchange: 1,
        text,
      }),
  };
  const account = { name: "kr_a1b2c_user_1", role: "user" } as const;
  const { leaks } = await provoke(target as Target, account, { name: "x", sql }, names, "canary-1");
  return leaks.map(({ what }) => what);
}

test.for([
  ["error at /var/lib/kalamdb/data/x.parquet", "a file path"],
  ["cannot open 'C:\\\\kalamdb\\\\data'", "a file path"],
  ["thread 'main' panicked at 'oh'", "a stack trace or a panic"],
  ["in backend/src/sql/executor.rs:1177", "a source location"],
  ["at 0x7f3a9c0012d0", "a memory address"],
  ["$2b$12$abcdefghijkl", "a password hash"],
  ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJyb290In0.sig", "a token"],
  ["root:x:0:0:root", "the content of a file"],
  ["value canary-1 does not fit", "another account's text"],
  ["key 7123456789 exists", "another account's key"],
  ["held by kr_a1b2c_user_2", "another account's name"],
  ["near 'Kr1-secret'", "a password"],
] as const)("%s reveals %s", async ([text, what]) => {
  expect(await found(text)).toEqual([what]);
});

test("a password is found even if the statement contains it; anything else the user wrote is not", async () => {
  expect(await found("near 'Kr1-secret'", "CREATE USER 'x' WITH PASSWORD '{password}'")).toEqual(["a password"]);
  expect(await found("cannot read /etc/passwd for kr_a1b2c_user_2", "SELECT '/etc/passwd', '{other}'")).toEqual([]);
});

test("headers are searched as well", async () => {
  expect(await found("", "SELECT 1", { "x-trace": "/home/kalam/server" })).toEqual(["a file path"]);
});

test.for([
  "No field named missing. Valid fields are kr_a1b2c_1.own.id, kr_a1b2c_1.own.v.",
  "Invalid JSON payload: Json deserialize error: key must be a string at line 1 column 2",
  "Primary key violation: value '1' already exists in column 'id'",
  "POST /v1/api/sql takes application/json",
])("%s reveals nothing", async (text) => {
  expect(await found(text)).toEqual([]);
});
