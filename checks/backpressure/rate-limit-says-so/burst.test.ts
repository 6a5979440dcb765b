import { expect, test } from "vitest";
import type { PlainRequest } from "../../../src/server/sender.ts";
import type { Reply, Target } from "../../../src/server/target.ts";
import type { Json } from "../../../src/wire/json.ts";
import { scripted } from "../../../test/scripted.ts";
import { judged } from "../../vocabulary/evidence.ts";
import { observeBurst, type Burst } from "./burst.ts";
import { rateLimitSaysSo } from "./index.ts";

type Said = "served" | "broken" | readonly [status: number, json: Json];
const tooFast: Said = [429, { error: { code: "RATE_LIMIT_EXCEEDED" } }];

interface Server {
  readonly limit?: string;
  readonly url?: string;
  readonly health?: number;
  readonly token?: Json;
  /** The answer to the nth of the requests at once. */
  readonly rushed?: (n: number) => Said;
  /** The answers afterwards, in this order. */
  readonly again?: readonly Said[];
  /** Keys of refused INSERTs that are done all the same. */
  readonly done?: readonly number[];
  readonly bystander?: (n: number) => "lost" | "refused" | "served";
  readonly unread?: boolean;
}

/** A server that serves as many as the limit, and refuses the others, unless told otherwise. */
async function burstOn({ url = "http://127.0.0.1:1", health = 200, ...server }: Server): Promise<Burst> {
  const { limit = "10", again = [], done = [], token = "t" } = server;
  const stored = new Set(done);
  let [rushed, asked, others] = [-1, -1, -1];
  const reply = (said: Said, sent: Partial<Reply> = {}): Reply => {
    const [status, json] =
      said === "served" ? [200, { status: "success", results: [] }] : said === "broken" ? [0, null] : said;
    return (
      said === "broken" ? { kind: "broken", exchange: 9 } : { kind: "answered", status, json, exchange: 9, ...sent }
    ) as Reply;
  };
  const request = async (_: unknown, { path, body = "" }: PlainRequest): Promise<Reply> => {
    await Promise.resolve();
    if (path === "/health") return reply([health, {}]);
    if (path.endsWith("login")) return reply([200, { access_token: token }]);
    const { sql } = JSON.parse(String(body)) as { sql: string };
    if (sql === "SELECT 1 AS again") return reply(again[(asked += 1)] ?? "served");
    rushed += 1;
    const said = (server.rushed ?? ((n: number) => (n < Number(limit) ? "served" : tooFast)))(rushed);
    const [, key] = /^INSERT .* VALUES \((\d+)\)$/.exec(sql) ?? [];
    if (key !== undefined && said === "served") stored.add(Number(key));
    return reply(said);
  };
  const made = scripted(
    (sql) => {
      if (sql === "SELECT 1 AS one") {
        const said = server.bystander?.((others += 1)) ?? "served";
        return said === "served" ? { columns: ["one"], rows: [[1]] } : said;
      }
      if (!sql.startsWith("SELECT id FROM")) return undefined;
      return server.unread === true ? "lost" : { columns: ["id"], rows: [...stored].map((id) => [String(id)]) };
    },
    {
      request,
      url,
      capabilities: { settings: { "rate_limit.max_queries_per_sec": limit }, loginField: "user" },
    } as unknown as Partial<Target>,
  );
  return await observeBurst(made.target, made.context);
}
const verdictOn = async (server: Server): Promise<string[]> => judged(rateLimitSaysSo, await burstOn(server));

test("three times the limit is sent, every fifth an INSERT", async () => {
  expect(await verdictOn({})).toEqual([
    expect.stringMatching(
      /^pass: of 30 queries at once 20 were refused with 429 and a code, 4 INSERTs of them not done/,
    ),
  ]);
  expect((await burstOn({ limit: "300" })).tally).toMatchObject({ served: 300, refused: 600 });
  for (const limit of ["0", "no"])
    expect(await burstOn({ limit, rushed: (n) => (n < 100 ? "served" : tooFast) })).toMatchObject({
      limit: 100,
      tally: { served: 100, refused: 200 },
    });
});

test.each<[string, Said, Partial<Burst["tally"]>]>([
  ["429 with a code", tooFast, { refused: 1 }],
  ["429 without a code", [429, {}], { refused: 1, odd: ["429"] }],
  [
    "the code with another status",
    [400, { error: { code: "RATE_LIMIT_EXCEEDED" } }],
    { refused: 1, odd: ["400 RATE_LIMIT_EXCEEDED"] },
  ],
  ["the code as text", [429, { error: "RATE_LIMIT_EXCEEDED" }], { refused: 1 }],
  ["503 with a code", [503, { error: { code: "BUSY" } }], { refused: 1, odd: ["503 BUSY"] }],
  ["a proxy's 503", [503, null], { unclear: 1 }],
  ["an error of another kind", [500, { error: { code: "X" } }], { unclear: 1 }],
  ["200 that is no success", [200, { status: "error" }], { unclear: 1 }],
  ["201", [201, { status: "success" }], { unclear: 1 }],
  ["no answer", "broken", { unclear: 1 }],
])("%s", async (_, said, tally) => {
  const seen = await burstOn({ rushed: (n) => (n === 13 ? said : "served") });
  expect(seen.tally).toEqual({ served: 29, refused: 0, odd: [], unclear: 0, ...tally });
});

test("who was refused asks until it is served; others meanwhile", async () => {
  expect((await burstOn({ again: Array.from({ length: 40 }, () => tooFast) })).shutMs).toBe(null);
  expect((await burstOn({ again: Array.from({ length: 39 }, () => tooFast) })).shutMs).toEqual(expect.any(Number));
  expect((await burstOn({ again: ["broken", [500, {}]] })).shutMs).toEqual(expect.any(Number));
  const three = await burstOn({ bystander: (n) => (n < 2 ? "lost" : "served") });
  expect(three.bystander).toEqual({ asked: 5, served: 3, refused: 0 });
  expect(await verdictOn({ bystander: () => "lost" })).toEqual([
    "unknown: none of 5 queries of another account was served meanwhile",
  ]);
});

test("only a refused INSERT that is in the table was done all the same", async () => {
  expect((await burstOn({ done: [15, 16, 99] })).done).toEqual([15]);
  expect(
    (await burstOn({ rushed: (n) => (n === 15 ? "broken" : n < 10 ? "served" : tooFast), done: [15, 20] })).done,
  ).toEqual([20]);
  expect(await burstOn({ unread: true })).toMatchObject({ done: null, refusedWrites: 4 });
});

test("elsewhere an address could be banned, so nothing is sent", async () => {
  const unsafe = async (server: Server): Promise<string | null> => (await burstOn(server)).unsafe;
  for (const url of ["http://localhost:1", "http://[::1]:1", "http://127.1.2.3:1"])
    expect(await unsafe({ url })).toBe(null);
  for (const url of ["http://10.0.0.1:1", "http://127.0.0.1.example.com:1", "https://kalam.example.com"])
    expect(await unsafe({ url })).toContain("not on this machine");
  expect(await unsafe({ health: 403 })).toContain("takes us for a remote client");
  expect(await unsafe({ limit: "301" })).toBe("a limit of 301 per second is too high to try");
  expect(await unsafe({ token: null })).toBe("no login is possible without pacing");
  expect((await burstOn({ url: "http://10.0.0.1:1" })).tally).toEqual({ served: 0, refused: 0, odd: [], unclear: 0 });
});
