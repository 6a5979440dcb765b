import { expect, test } from "vitest";
import type { Begun } from "../../../src/server/feed.ts";
import type { Target } from "../../../src/server/target.ts";
import { observed, scripted } from "../../../test/scripted.ts";
import { scriptedLive, type LiveScript, type ScriptedSubscription } from "../../../test/scripted-live.ts";
import { judged } from "../../vocabulary/evidence.ts";
import { subscriptionLimitHolds } from "./index.ts";

const refused = (code: string): Begun => ({ kind: "refused", code, message: "" });
const full = refused("SUBSCRIPTION_LIMIT_EXCEEDED");
type Begin = (one: ScriptedSubscription, isFull: boolean) => Begun | "open" | undefined;

interface Server extends Omit<LiveScript, "begin"> {
  readonly limit?: string;
  /** Undefined: refused where the user has as many as the limit. */
  readonly begin?: Begin;
  /** Connections that the server closes when the user has reached the limit. */
  readonly closes?: Readonly<Record<number, number>>;
}

/** Connection 0 is another user's; 1 and 2 are those of the user, then come those after a close and a cut. */
async function verdictOn({ limit = "6", begin = () => undefined, closes = {}, ...script }: Server): Promise<string[]> {
  const lives = scriptedLive({
    ...script,
    begin: (one, open) => {
      const isFull = open.filter(({ as }) => as === one.as).length >= Number(limit);
      const said = begin(one, isFull);
      if (one.id === "extra")
        for (const [connection, code] of Object.entries(closes)) lives.close(Number(connection), code, "");
      return said === "open" ? undefined : (said ?? (isFull ? full : undefined));
    },
  });
  const server = scripted(
    (sql) => {
      const [, id = "", mark = ""] = /VALUES \((\d+), '(.*)'\)$/.exec(sql) ?? [];
      if (id !== "") lives.publish({ id, mark });
      return undefined;
    },
    {
      live: lives.live,
      capabilities: { settings: { "rate_limit.max_subscriptions_per_user": limit } },
    } as unknown as Partial<Target>,
  );
  return judged(subscriptionLimitHolds, await observed(subscriptionLimitHolds, server));
}

test("a limit that holds, and is freed by each way to end", async () => {
  expect(await verdictOn({})).toEqual([
    "pass: 6 subscriptions opened, one more refused (SUBSCRIPTION_LIMIT_EXCEEDED); as many again: 1 after an unsubscribe, 3 after a close, 3 after a TCP reset",
  ]);
  expect(await verdictOn({ limit: "41" })).toEqual(["unknown: a limit of 41 subscriptions is too high to try"]);
  expect(await verdictOn({ limit: "40" })).toEqual([expect.stringMatching(/^pass: 40 subscriptions/)]);
  for (const limit of ["0", "many"])
    expect(await verdictOn({ limit })).toEqual(["unknown: the limit is not in the settings"]);
});

test("one more or less than the limit", async () => {
  const only = (id: string, said: Begun | "open") => ({
    begin: (one: ScriptedSubscription) => (one.id === id ? said : undefined),
  });
  expect(await verdictOn(only("s6", "open"))).toEqual(['noLimit: {"opened":7,"limit":6}']);
  expect(await verdictOn(only("s5", full))).toEqual([
    'belowLimit: {"opened":5,"limit":6,"code":"SUBSCRIPTION_LIMIT_EXCEEDED"}',
  ]);
  expect(await verdictOn(only("s5", { kind: "unsure", why: "no answer" }))).toEqual([
    "unknown: 5 of 6 subscriptions could be opened: no answer",
  ]);
  expect(await verdictOn(only("s6", refused("RATE_LIMIT_EXCEEDED")))).toEqual([
    "unknown: 6 of 6 subscriptions could be opened: RATE_LIMIT_EXCEEDED",
  ]);
  expect(await verdictOn(only("extra", "open"))).toEqual([
    expect.stringMatching(/^quotaForged: .*ids that do not exist/),
  ]);
  expect(await verdictOn(only("end", "open"))).toEqual([
    expect.stringMatching(/^quotaForged: .*ended by an unsubscribe, /),
  ]);
});

test.each([
  ["unsubscribe", 1],
  ["close", 3],
  ["cut", 3],
])("after a %s the last of %i stays lost", async (way, freed) => {
  let back = 0;
  const never: Begin = ({ id }, isFull) => {
    if (!id.startsWith(way) || isFull) return undefined;
    back += 1;
    return back < freed ? "open" : full;
  };
  const [first] = await verdictOn({ begin: never });
  expect(first).toMatch(new RegExp(`^quotaLost: ${way}: .*"freed":${freed},"back":${freed - 1},`));
  // It is noticed late, but in time.
  let tries = 0;
  const late: Begin = ({ id }) => {
    if (!id.startsWith(way)) return undefined;
    tries += 1;
    return tries < 20 ? full : undefined;
  };
  expect(await verdictOn({ begin: late })).toEqual([expect.stringMatching(/^pass/)]);
});

test("the others go on", async () => {
  const first =
    (connection: number, from = 0) =>
    (one: ScriptedSubscription, { id }: { readonly id?: unknown }): boolean =>
      one.connection !== connection || (one.id !== "s0" && one.as === "user") || Number(id) <= from;
  const hurt = (who: string, what: string): unknown[] => [`hurtOthers: ${JSON.stringify({ who, what })}`];
  const [other, own] = ["another user", "the same user's other subscription"];
  expect(await verdictOn({ delivers: first(0) })).toEqual(hurt(other, "received no more changes"));
  expect(await verdictOn({ delivers: first(1) })).toEqual(hurt(own, "received no more changes"));
  // One change may be lost, and then another must come.
  for (const at of [0, 1])
    expect(await verdictOn({ delivers: first(at, 99) })).toEqual([expect.stringMatching(/^pass/)]);
  expect(await verdictOn({ delivers: ({ connection }, { id }) => connection !== 0 || id !== "1" })).toEqual([
    expect.stringMatching(/^pass/),
  ]);
  expect(await verdictOn({ delivers: () => false })).toEqual(["unknown: another user received no change"]);
  expect(await verdictOn({ closes: { 0: 1011 } })).toEqual(hurt(other, "lost the connection: 1011"));
  expect(await verdictOn({ closes: { 0: 1006 } })).toEqual([
    "unknown: another user lost the connection (1006), maybe by something in between",
  ]);
});

test("without another user or two connections there is nothing to tell", async () => {
  await expect(verdictOn({ refuses: (connection) => connection === 0 })).rejects.toThrow("another user could not");
  for (const at of [1, 2, 3])
    await expect(verdictOn({ refuses: (connection) => connection === at })).rejects.toThrow("a connection could not");
});
