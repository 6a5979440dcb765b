import { expect, test } from "vitest";
import type { Entry } from "../../../src/server/other-server.ts";
import type { OtherServer } from "../../../src/server/target.ts";
import { standIn } from "../stand-in.ts";
import { enterAll, notOpened, roles, versionOf } from "./opening.ts";

const account = (name: string, role = roles[name as keyof typeof roles]) =>
  ({ kind: "in", account: { name, role } }) as Entry;
const serverWhere = (entries: Readonly<Record<string, Entry>>): OtherServer => {
  const enter = async (name: string): Promise<Entry> => await Promise.resolve(entries[name] ?? account(name));
  return { enter } as Partial<OtherServer> as OtherServer;
};

test("each account is tried, and one that gets in with another role is not let in as before", async () => {
  const wellKnown = await enterAll(serverWhere({}));
  expect(wellKnown.logins).toEqual(Object.keys(roles).map((who) => ({ who, kind: "in", told: "" })));
  expect([...wellKnown.accounts]).toEqual(["alice", "bob"].map((name) => [name, { name, role: "user" }]));

  const { logins, accounts } = await enterAll(
    serverWhere({
      alice: { kind: "refused", why: "401" },
      carol: account("carol", "user"),
      dora: { kind: "unsure", why: "timeout" },
    }),
  );
  expect(logins).toEqual([
    { who: "alice", kind: "refused", told: "401" },
    { who: "bob", kind: "in", told: "" },
    { who: "carol", kind: "refused", told: "the role is user and was service" },
    { who: "dora", kind: "unsure", told: "timeout" },
  ]);
  expect([...accounts.keys()]).toEqual(["bob"]);
});

test("a server that tells no version has none", async () => {
  const told = async (...rows: readonly Record<string, string>[]) => {
    const { target } = standIn({ answer: () => rows });
    return await versionOf({ ...target, root: { name: "root", role: "dba" } } as unknown as OtherServer);
  };
  expect(await told({ metric_value: "0.4.2" })).toBe("0.4.2");
  expect(await told({ metric_value: "" })).toBeNull();
  expect(await told()).toBeNull();
});

test("only a server that says so has refused its root", () => {
  const other = { kind: "notReady", why: "it ended", ended: true, lastWords: "bye" } as const;
  const opened = { why: "it ended", ended: true, words: "bye" };
  expect(notOpened(other)).toEqual({ ...opened, rootRefused: false });
  expect(notOpened({ ...other, rootRefused: true })).toEqual({ ...opened, rootRefused: true });
});
