import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Accounts, SetupError, type OwnRole } from "./accounts.ts";
import type { Answer } from "../server/answer.ts";
import { Ledger } from "./ledger.ts";
import { Redactor } from "./redaction.ts";
import { runOf } from "./scratch.ts";
import { Renewal } from "./renewal.ts";
import type { Account, Reply, Sender } from "../server/sender.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "accounts-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const times = { exchange: 1, sentAt: 0, doneAt: 1 };
const done: Answer = { kind: "ok", status: 200, results: [], tookMs: 1, ...times };
const root: Account = { name: "root", role: "system" };

interface Set {
  readonly accounts: Accounts;
  readonly ledger: Ledger;
  readonly redactor: Redactor;
  readonly tokens: Map<string, string>;
  readonly statements: string[];
  readonly logins: string[];
}

/** Accounts over a server that lets everybody in, unless told otherwise. */
function set(
  server: { create?: (sql: string) => Promise<Answer>; status?: number; passwordLogin?: boolean } = {},
): Set {
  const { passwordLogin = true } = server;
  const ledger = new Ledger(mkdtempSync(path.join(folder, "state-")), { run: "k7f3a", url: "http://x" });
  const redactor = new Redactor();
  const tokens = new Map<string, string>();
  const statements: string[] = [];
  const logins: string[] = [];
  const sender: Sender = {
    async sql(as, sql) {
      expect(as).toBe(root);
      statements.push(sql);
      return await (server.create?.(sql) ?? Promise.resolve(done));
    },
    request(as, { body }) {
      expect(as).toBeNull();
      logins.push(String(body));
      const { user } = JSON.parse(String(body)) as { user: string };
      const json = { access_token: `token-of-${user}`, user: { role: user.split("_")[2] ?? "" } };
      const text = JSON.stringify(json);
      const { status = 200 } = server;
      const reply: Reply = { kind: "answered", status, headers: {}, body: new Uint8Array(), ...times, text, json };
      return Promise.resolve(reply);
    },
  };
  const renewal = new Renewal({ tokens, redactor, logIn: () => Promise.reject(new Error("nothing has ended")) });
  const parts = {
    sender,
    login: root,
    loginField: "user",
    passwordLogin,
    renewal,
    redactor,
    ledger,
    prefix: "kr_k7f3a",
  } as const;
  return { accounts: new Accounts(parts), ledger, redactor, tokens, statements, logins };
}

describe("a fresh account", () => {
  test("is not created where nobody may log in with a password", async () => {
    const { accounts, statements } = set({ passwordLogin: false });
    await expect(accounts.fresh("user")).rejects.toThrow("password login switched off");
    expect(statements).toEqual([]);
  });

  test("is created with its role, logged in, and its token kept", async () => {
    const { accounts, statements, logins, tokens } = set();
    const account = await accounts.fresh("service");
    const password = accounts.password(account) ?? "";
    expect(account).toEqual({ name: "kr_k7f3a_service_1", role: "service" });
    expect(statements).toEqual([`CREATE USER '${account.name}' WITH PASSWORD '${password}' ROLE service`]);
    expect(logins).toEqual([JSON.stringify({ user: account.name, password })]);
    expect(tokens.get(account.name)).toBe(`token-of-${account.name}`);
    expect(runOf(account.name)).toBe("k7f3a");
  });

  test("stands in the ledger before the server hears of it, and its password is a secret by then", async () => {
    let seen = { left: 0, text: "" };
    const { accounts, ledger, redactor } = set({
      create(sql) {
        seen = { left: ledger.left().length, text: redactor.redact(sql) };
        return Promise.resolve(done);
      },
    });
    await accounts.fresh("dba");
    expect(seen).toEqual({ left: 1, text: "CREATE USER 'kr_k7f3a_dba_1' WITH PASSWORD '•••' ROLE dba" });
    expect(redactor.redact("token-of-kr_k7f3a_dba_1")).toBe("•••");
  });

  test("is another one each time, with a password of its own that any policy lets pass", async () => {
    const { accounts } = set();
    const made = await Promise.all(Array.from({ length: 20 }, async () => await accounts.fresh("user")));
    const passwords = made.map((account) => accounts.password(account) ?? "");
    expect(new Set(made.map(({ name }) => name)).size).toBe(20);
    expect(new Set(passwords).size).toBe(20);
    for (const password of passwords) expect(password).toMatch(/^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)(?=.*-)[\w-]{20,}$/);
  });

  test("can have a name that begins with the whole name of another one, and stays unlike any other", async () => {
    const { accounts, ledger } = set();
    const first = await accounts.fresh("user");
    const { name } = await accounts.fresh("user", first);
    expect(name).toBe(`${first.name}_2`);
    expect(runOf(name)).toBe("k7f3a");
    expect(ledger.left()).toContainEqual({ kind: "account", name });
  });

  test("is never lent to anybody else, not even after everything was handed back", async () => {
    const { accounts } = set();
    const holder = {};
    const { name } = await accounts.fresh("user");
    const lent = await accounts.lend(holder, "user", "");
    await accounts.release(holder);
    expect(lent.name).not.toBe(name);
    expect((await accounts.lend({}, "user", "")).name).toBe(lent.name);
    expect((await accounts.fresh("user")).name).not.toBe(lent.name);
  });

  test("that the server will not make is a failed set-up, and stays in the ledger", async () => {
    const code = { status: 403, code: "PERMISSION_DENIED", message: "no right" };
    const refused: Answer = { kind: "refused", cause: "permission", ...code, ...times };
    const { accounts, ledger } = set({ create: () => Promise.resolve(refused) });
    const made = accounts.fresh("dba");
    await expect(made).rejects.toThrow(SetupError);
    await expect(made).rejects.toThrow("could not be created: 403 PERMISSION_DENIED: no right");
    // Refused or not is what the server says; what is listed decides at the end of the run.
    expect(ledger.left()).toEqual([{ kind: "account", name: "kr_k7f3a_dba_1" }]);
  });

  test("that cannot log in is a failed set-up, too", async () => {
    const made = set({ status: 401 }).accounts.fresh("dba");
    await expect(made).rejects.toThrow(SetupError);
    await expect(made).rejects.toThrow("could not log in");
  });
});

describe("lending", () => {
  test("the same label gives the same account, another label or role another one", async () => {
    const { accounts, statements } = set();
    const holder = {};
    const [one, same, other, dba] = await Promise.all([
      accounts.lend(holder, "user", "a"),
      accounts.lend(holder, "user", "a"),
      accounts.lend(holder, "user", "b"),
      accounts.lend(holder, "dba", "a"),
    ]);
    expect(same).toBe(one);
    expect(new Set([one?.name, other?.name, dba?.name]).size).toBe(3);
    expect(dba?.role).toBe("dba");
    expect(statements).toHaveLength(3);
  });

  test("what was handed back is lent again, to who wants that role", async () => {
    const { accounts, statements } = set();
    const first = {};
    const user = await accounts.lend(first, "user", "");
    await accounts.release(first);
    expect((await accounts.lend({}, "dba", "")).name).not.toBe(user.name);
    expect(await accounts.lend({}, "user", "")).toEqual(user);
    expect(statements).toHaveLength(2);
  });

  test("an account that is still being made when it is handed back is not lost", async () => {
    let made: (answer: Answer) => void = () => undefined;
    const { accounts } = set({ create: async () => await new Promise((resolve) => (made = resolve)) });
    const holder = {};
    const lent = accounts.lend(holder, "user", "");
    const released = accounts.release(holder);
    made(done);
    await released;
    expect(await accounts.lend({}, "user", "")).toBe(await lent);
  });

  test("one that could not be made is not lent to the next holder", async () => {
    const unsure: Answer = { kind: "unsure", because: "timeout", message: "no answer", ...times };
    const answers: Answer[] = [unsure, done];
    const { accounts } = set({ create: () => Promise.resolve(answers.shift() ?? done) });
    const holder = {};
    await expect(accounts.lend(holder, "user", "")).rejects.toThrow(SetupError);
    await accounts.release(holder);
    expect((await accounts.lend({}, "user", "")).name).toBe("kr_k7f3a_user_2");
  });

  test("handing back what was never lent does nothing", async () => {
    const { accounts } = set();
    await accounts.release({});
    expect((await accounts.lend({}, "user", "")).name).toBe("kr_k7f3a_user_1");
  });

  test("whoever borrows and hands back in whatever order, no two share an account at a time", async () => {
    const holders = [{}, {}, {}];
    const step = fc.record({
      holder: fc.nat(2),
      role: fc.constantFrom<OwnRole>("user", "dba"),
      label: fc.constantFrom("", "a"),
      release: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const { accounts } = set();
        const held = holders.map(() => new Map<string, Account>());
        for (const { holder, role, label, release } of steps) {
          if (release) {
            await accounts.release(holders[holder] ?? {});
            held[holder]?.clear();
            continue;
          }
          const account = await accounts.lend(holders[holder] ?? {}, role, label);
          const known = held[holder]?.get(`${role} ${label}`) ?? account;
          held[holder]?.set(`${role} ${label}`, account);
          expect(account).toBe(known);
          expect(account.role).toBe(role);
          const names = held.flatMap((one) => [...one.values()].map(({ name }) => name));
          expect(new Set(names).size).toBe(names.length);
        }
      }),
      { numRuns: 30 },
    );
  });
});

test("only of the run's own accounts the password is known", async () => {
  const { accounts } = set();
  expect(accounts.password(await accounts.fresh("user"))).toMatch(/^Kr1-/);
  expect(accounts.password(root)).toBeUndefined();
});
