import { expect, test } from "vitest";
import type { Target } from "../../../src/server/target.ts";
import { observed, scripted, type Reply } from "../../../test/scripted.ts";
import { scriptedLive, type LiveScript, type ScriptedSubscription } from "../../../test/scripted-live.ts";
import { judged } from "../../vocabulary/evidence.ts";
import { connectionsFreed } from "./index.ts";

interface Server extends LiveScript {
  readonly limit?: string;
  /** What the live view lists besides, by the number of the look. */
  readonly more?: (look: number, opened: readonly ScriptedSubscription[]) => readonly string[];
  readonly view?: (look: number) => Reply;
  readonly ended?: (codes: readonly (number | undefined)[]) => void;
}

async function verdictOn({
  limit = "10",
  more = () => [],
  view = () => undefined,
  ...script
}: Server): Promise<string[]> {
  const opened: ScriptedSubscription[] = [];
  const lives = scriptedLive({
    ...script,
    begin: (one, open) => {
      opened.push(one);
      return script.begin?.(one, open);
    },
  });
  let look = 0;
  const capabilities = {
    settings: {
      "rate_limit.max_subscriptions_per_user": limit,
      "rate_limit.max_auth_requests_per_ip_per_sec": "1000000",
    },
  };
  const server = scripted(
    (sql) => {
      if (!/ FROM system\.live /.test(sql)) return /FROM system\.live_queries /.test(sql) ? "refused" : undefined;
      look += 1;
      const ids = [...lives.open().map(({ id }) => id), ...more(look, opened)];
      return view(look) ?? { columns: ["live_id", "subscription_id"], rows: ids.map((id) => [`x-${id}`, id]) };
    },
    { live: lives.live, capabilities } as unknown as Partial<Target>,
  );
  const said = judged(connectionsFreed, await observed(connectionsFreed, server));
  script.ended?.(lives.ends());
  return said;
}

test("ten connections end, half of them by a reset", async () => {
  expect(await verdictOn({})).toEqual([
    expect.stringMatching(/^pass: 10 connections opened and ended, half by a reset/),
  ]);
  const codes: (number | undefined)[] = [];
  await verdictOn({ ended: (all) => codes.push(...all) });
  expect(codes).toEqual(Array.from({ length: 10 }, (_, at) => (at % 2 === 0 ? 1000 : 1006)));
  expect(await verdictOn({ limit: "4" })).toEqual([expect.stringMatching(/^pass: 4 connections/)]);
  for (const limit of ["0", "40"])
    expect(await verdictOn({ limit })).toEqual([expect.stringMatching(/^pass: 10 conn/)]);
});

test("what is still listed is told, with the way it ended", async () => {
  const left =
    (pattern: RegExp, until = 99) =>
    async (): Promise<string[]> =>
      await verdictOn({
        more: (look, opened) =>
          look > 1 && look <= until ? opened.map(({ id }) => id).filter((id) => pattern.test(id)) : [],
      });
  expect(await left(/^closed 4$/)()).toEqual([
    expect.stringMatching(/^leaked: \{"listed":1,"of":10,"ways":\["closed"\],"waitedMs":\d+\}/),
  ]);
  expect(await left(/^reset/)()).toEqual([expect.stringMatching(/^leaked: \{"listed":5,"of":10,"ways":\["reset"\]/)]);
  expect(await left(/./)()).toEqual([expect.stringMatching(/^leaked: \{"listed":10,.*"ways":\["closed","reset"\]/)]);
  // In time.
  expect(await left(/./, 40)()).toEqual([expect.stringMatching(/^pass/)]);
});

test("all must have been listed while they were open", async () => {
  expect(await verdictOn({ view: (look) => (look === 1 ? { columns: ["live_id"], rows: [] } : undefined) })).toEqual([
    "unknown: only 0 of 10 subscriptions were listed while they were open",
  ]);
  for (const at of [1, 2])
    expect(await verdictOn({ view: (look) => (look === at ? "lost" : undefined) })).toEqual([
      "unknown: the live view could not be read",
    ]);
});

test("without all connections and subscriptions there is nothing to tell", async () => {
  await expect(verdictOn({ refuses: (connection) => connection === 6 })).rejects.toThrow(
    "only 6 connections could be opened",
  );
  const begin = ({ connection }: ScriptedSubscription) =>
    connection === 6 ? ({ kind: "refused", code: "X", message: "" } as const) : undefined;
  await expect(verdictOn({ begin })).rejects.toThrow("only 6 connections could subscribe");
});
