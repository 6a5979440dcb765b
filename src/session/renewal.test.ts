import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { LoginOutcome } from "./login.ts";
import { Redactor } from "./redaction.ts";
import { Renewal } from "./renewal.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] }));
afterEach(() => void vi.useRealTimers());

let made = 0;
function tokenFor(seconds: number, skewSeconds = 0): string {
  made += 1;
  const iat = Date.now() / 1000 + skewSeconds;
  const claims = { sub: "alice", iat, exp: iat + seconds, made };
  return `eyJ.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.s`;
}

function stage(outcome: () => LoginOutcome = () => loggedIn(tokenFor(3600))) {
  const tokens = new Map<string, string>();
  const redactor = new Redactor();
  const logins: string[] = [];
  const logIn = async (user: string, password: string): Promise<LoginOutcome> => {
    logins.push(`${user} ${password}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    return outcome();
  };
  return { renewal: new Renewal({ tokens, redactor, logIn }), tokens, redactor, logins };
}
const loggedIn = (token: string): LoginOutcome => ({ kind: "in", token, user: "alice", role: "user", field: "user" });
async function settled<T>(promise: Promise<T>): Promise<T> {
  await vi.runAllTimersAsync();
  return await promise;
}

describe("before its end", () => {
  test("a token is renewed, once for all requests that wait for it", async () => {
    const { renewal, tokens, redactor, logins } = stage();
    const first = tokenFor(600);
    renewal.keep("alice", first, "pw");
    await settled(renewal.prepare("alice"));
    expect([logins, tokens.get("alice")]).toEqual([[], first]);
    await vi.advanceTimersByTimeAsync(541_000);
    await settled(Promise.all(Array.from({ length: 20 }, async () => await renewal.prepare("alice"))));
    expect(logins).toEqual(["alice pw"]);
    expect(tokens.get("alice")).not.toBe(first);
    expect(redactor.redact(tokens.get("alice") ?? "")).toBe("•••");
  });

  test.for([-7200, 7200])("a server whose clock is %d s off makes no difference", async (skew) => {
    const { renewal, logins } = stage();
    renewal.keep("alice", tokenFor(600, skew), "pw");
    await settled(renewal.prepare("alice"));
    expect(logins).toEqual([]);
    await vi.advanceTimersByTimeAsync(599_000);
    await settled(renewal.prepare("alice"));
    expect(logins).toHaveLength(1);
  });

  test("a token that never ends, or that was never valid, is left alone", async () => {
    const { renewal, logins } = stage();
    for (const token of ["opaque", tokenFor(0), tokenFor(-5)]) {
      renewal.keep("alice", token, "pw");
      await settled(renewal.prepare("alice"));
      expect(renewal.isOver("alice")).toBe(false);
    }
    await settled(renewal.prepare("nobody"));
    expect(logins).toEqual([]);
  });
});

describe("after a 401", () => {
  test("to a token that the server calls expired, the next one is tried", async () => {
    const { renewal, tokens, logins } = stage();
    const first = tokenFor(600);
    renewal.keep("alice", first, "pw");
    const both = Promise.all([renewal.afterRefusal("alice", first, true), renewal.afterRefusal("alice", first, true)]);
    expect(await settled(both)).toEqual(["again", "again"]);
    expect(await settled(renewal.afterRefusal("alice", first, true))).toBe("again");
    expect(logins).toHaveLength(1);
    expect(tokens.get("alice")).not.toBe(first);
  });

  test("that says something else, it is the server's answer, unless the token has ended", async () => {
    const { renewal } = stage();
    const first = tokenFor(600);
    renewal.keep("alice", first, "pw");
    expect(await settled(renewal.afterRefusal("alice", first, false))).toBe("refused");
    expect(await settled(renewal.afterRefusal("bob", first, true))).toBe("refused");
    await vi.advanceTimersByTimeAsync(600_000);
    expect(await settled(renewal.afterRefusal("alice", first, false))).toBe("again");
  });

  test("a server that calls every token expired has refused it, and is not asked for one each time", async () => {
    const { renewal, tokens, logins } = stage();
    renewal.keep("alice", tokenFor(600), "pw");
    const now = (): string => tokens.get("alice") ?? "";
    expect(await settled(renewal.afterRefusal("alice", now(), true))).toBe("again");
    for (let n = 0; n < 5; n += 1) expect(await settled(renewal.afterRefusal("alice", now(), true))).toBe("refused");
    expect(logins).toHaveLength(1);
    renewal.accepted("alice", now());
    expect(await settled(renewal.afterRefusal("alice", now(), true))).toBe("again");
  });

  test("to a token without a password, nothing is shown", async () => {
    const { renewal, logins } = stage();
    const token = tokenFor(10);
    renewal.keep("alice", token);
    expect(await settled(renewal.afterRefusal("alice", token, true))).toBe("expired");
    expect(renewal.isOver("alice")).toBe(false);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(renewal.isOver("alice")).toBe(true);
    expect(await settled(renewal.afterRefusal("alice", token, false))).toBe("expired");
    expect(logins).toEqual([]);
  });
});

describe("a login that fails", () => {
  test("is not repeated with a password that was refused", async () => {
    const { renewal, logins } = stage(() => ({ kind: "denied", sentence: "401" }));
    const token = tokenFor(10);
    renewal.keep("alice", token, "pw");
    for (let n = 0; n < 4; n += 1) expect(await settled(renewal.afterRefusal("alice", token, true))).toBe("expired");
    expect(logins).toHaveLength(1);
  });

  test("is repeated at most three times without an answer: five wrong passwords lock the account", async () => {
    const { renewal, logins } = stage(() => ({ kind: "unclear", sentence: "timeout" }));
    const token = tokenFor(10);
    renewal.keep("alice", token, "pw");
    for (let n = 0; n < 6; n += 1) expect(await settled(renewal.afterRefusal("alice", token, true))).toBe("expired");
    expect(logins).toHaveLength(3);
  });
});
