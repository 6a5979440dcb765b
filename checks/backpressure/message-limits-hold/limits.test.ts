import { expect, test } from "vitest";
import type { Target } from "../../../src/server/target.ts";
import type { Json } from "../../../src/wire/json.ts";
import { observed, scripted } from "../../../test/scripted.ts";
import { scriptedLive, type LiveScript } from "../../../test/scripted-live.ts";
import { judged } from "../../vocabulary/evidence.ts";
import { messageLimitsHold } from "./index.ts";

type Answer = Readonly<Record<string, Json>> | number | undefined;

interface Server extends LiveScript {
  /** The answer to a message of so many bytes; undefined: as a healthy server. */
  readonly long?: (bytes: number) => Answer | "silence";
  /** The answer to the nth message of a flood; `pass`: none, or to the last one that its subscription does not exist. */
  readonly flood?: (n: number) => Answer | "pass";
  readonly settings?: Readonly<Record<string, string>>;
  readonly direct?: boolean;
  /** Connections that are closed by the first row that is written. */
  readonly closes?: Readonly<Record<number, number>>;
}

const error = (code: string, id: string): Answer => ({ type: "error", code, subscription_id: id });
const tooMany = error("RATE_LIMIT_EXCEEDED", "none");

/** Connections 0, 1 and 2 are those that listen; 2 sends the flood. 3 and 4 send long messages, 5 is for comparison. */
async function verdictOn({ long, flood, settings, direct = true, closes = {}, ...script }: Server): Promise<string[]> {
  let sent = 0;
  const lives = scriptedLive({
    ...script,
    answers: (message) => {
      if (typeof message === "string") {
        const said = long?.(message.length);
        return said === "silence" ? undefined : (said ?? error("MESSAGE_TOO_LARGE", "long"));
      }
      const { type } = message as { type: string };
      sent += 1;
      const said = flood === undefined ? (sent > 8 ? tooMany : "pass") : flood(sent);
      if (said !== "pass") return said;
      return type === "next_batch" ? error("BATCH_FETCH_FAILED", "no such") : undefined;
    },
  });
  const server = scripted(
    (sql) => {
      const [, id = "", mark = ""] = /VALUES \((\d+), '(.*)'\)$/.exec(sql) ?? [];
      if (id === "") return undefined;
      for (const [connection, code] of Object.entries(closes)) lives.close(Number(connection), code, "");
      lives.publish({ id, mark });
      return undefined;
    },
    {
      live: lives.live,
      capabilities: {
        settings: { "security.max_ws_message_size": "4000", "rate_limit.max_messages_per_sec": "4", ...settings },
      },
      ...(direct ? { control: {} } : {}),
    } as unknown as Partial<Target>,
  );
  return judged(messageLimitsHold, await observed(messageLimitsHold, server));
}

test("two messages that are too long, and four times as many as allowed", async () => {
  expect(await verdictOn({})).toEqual([
    "pass: a message of 4001 bytes: MESSAGE_TOO_LARGE; a message of 8000 bytes: MESSAGE_TOO_LARGE; 9 of 16 messages at once refused; the other connections still deliver",
  ]);
  expect(await verdictOn({ settings: { "security.max_ws_message_size": "0" } })).toEqual([
    expect.stringMatching(/^pass: a message of 1048577 bytes/),
  ]);
  expect(await verdictOn({ settings: { "security.max_ws_message_size": "8388609" } })).toEqual([
    "unknown: the limit of a message's length is too high to try",
  ]);
  expect(await verdictOn({ settings: { "rate_limit.max_messages_per_sec": "250" } })).toEqual([
    expect.stringContaining(" of 1000 messages at once refused"),
  ]);
  expect(await verdictOn({ settings: { "rate_limit.max_messages_per_sec": "251" } })).toEqual([
    "unknown: the limit of the message rate is too high to try",
  ]);
});

test.each([4_001, 8_000])("what becomes of a message of %i bytes", async (bytes) => {
  const on = async (said: Answer | "silence", direct = true): Promise<string[]> =>
    await verdictOn({ long: (length) => (length === bytes ? said : undefined), direct });
  const what = `a message of ${bytes} bytes`;
  expect(await on({ type: "subscription_ack" })).toEqual([
    `accepted: length: ${JSON.stringify({ what, limit: "4000 bytes" })}`,
  ]);
  expect(await on(1006)).toEqual([`unexplained: length: ${JSON.stringify({ what, closed: "1006" })}`]);
  expect(await on(1006, false)).toEqual([
    expect.stringMatching(/^unknown: a message .* maybe by something in between/),
  ]);
  expect(await on(1009)).toEqual([expect.stringContaining(`${what}: 1009`)]);
  expect(await on("silence")).toEqual([`unknown: ${what} were not answered in time`]);
});

test("what becomes of a flood", async () => {
  expect(await verdictOn({ flood: () => "pass" })).toEqual([
    expect.stringMatching(/^accepted: rate: \{"what":"16 messages within \d+ ms","limit":"4 per second"\}/),
  ]);
  expect(await verdictOn({ flood: (n) => (n === 5 ? tooMany : "pass") })).toEqual([
    expect.stringContaining("; 1 of 16 messages at once refused"),
  ]);
  const closed =
    (code: number, direct = true) =>
    async (): Promise<string[]> =>
      await verdictOn({ flood: (n) => (n === 9 ? code : n > 9 ? undefined : "pass"), direct });
  expect(await closed(1008)()).toEqual([expect.stringMatching(/^pass: .*; 0 of 16 messages/)]);
  expect(await closed(1006)()).toEqual([expect.stringMatching(/^unexplained: rate: .*"closed":"1006"/)]);
  expect(await closed(1006, false)()).toEqual([expect.stringMatching(/^unknown: many messages ended the connection/)]);
  // Neither refused nor answered.
  expect(await verdictOn({ flood: () => undefined })).toEqual([expect.stringMatching(/^unknown: .* took too many ms/)]);
});

test.each([
  [0, "another connection of the same user"],
  [1, "another user's connection"],
  [2, "the connection itself"],
])("connection %i, %s, goes on", async (at, who) => {
  const killed = (what: string): string[] => [`killedSiblings: ${JSON.stringify({ who, what })}`];
  expect(await verdictOn({ delivers: ({ connection }) => connection !== at })).toEqual(
    killed("received no more changes"),
  );
  // One change may be lost.
  expect(await verdictOn({ delivers: ({ connection }, { id }) => connection !== at || id !== "1" })).toEqual([
    expect.stringMatching(/^pass/),
  ]);
  expect(await verdictOn({ closes: { [at]: 1011 } })).toEqual(
    at === 2 ? [expect.stringMatching(/^pass/)] : killed("lost its connection: 1011"),
  );
});

test("without changes for anybody, or connections, there is nothing to tell", async () => {
  expect(await verdictOn({ delivers: () => false })).toEqual([
    "unknown: no change was delivered afterwards, to nobody",
  ]);
  expect(await verdictOn({ delivers: ({ connection }) => connection !== 5 })).toEqual([
    "unknown: no change was delivered afterwards, to nobody",
  ]);
  for (const [at, why] of [
    [0, "a subscription could not be opened"],
    [4, "a connection could not be opened"],
    [5, "a subscription could not be opened"],
  ] as const)
    await expect(verdictOn({ refuses: (connection) => connection === at })).rejects.toThrow(why);
});
