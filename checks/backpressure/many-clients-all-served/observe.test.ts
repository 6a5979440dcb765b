import { expect, test } from "vitest";
import { observed, scripted, type Reply } from "../../../test/scripted.ts";
import { judged } from "../../vocabulary/evidence.ts";
import { manyClientsAllServed } from "./index.ts";

/** The check against a table; `change` may answer an INSERT in another way, by its key and the account, and store what it likes. */
async function seenOn(
  change: (key: number, as: string, stored: Map<number, string>) => Reply = () => undefined,
  read: (sql: string) => Reply = () => undefined,
) {
  const stored = new Map<number, string>();
  const server = scripted((sql, _, as) => {
    const [, key = "", v = ""] = /VALUES \((\d+), '(.*)'\)$/.exec(sql) ?? [];
    if (key !== "") {
      const said = change(Number(key), as, stored);
      if (said === undefined) stored.set(Number(key), v);
      return said;
    }
    const [, now = "", of = ""] = /SET v = '(.*)' WHERE id = (\d+)$/.exec(sql) ?? [];
    if (stored.has(Number(of))) stored.set(Number(of), now);
    if (!sql.startsWith("SELECT id, v")) return undefined;
    return read(sql) ?? { columns: ["id", "v"], rows: [...stored].map(([id, text]) => [String(id), text]) };
  });
  return { seen: await observed(manyClientsAllServed, server), sent: server.sent };
}
const verdictOn = async (...changes: Parameters<typeof seenOn>): Promise<string[]> =>
  judged(manyClientsAllServed, (await seenOn(...changes)).seen);

test("each of ten clients writes five rows, from five accounts, together", async () => {
  const accounts = new Set<string>();
  const said = await verdictOn((_, as) => {
    accounts.add(as);
    return undefined;
  });
  expect(said).toEqual([
    "pass: 50 writes of 10 clients acknowledged and stored, 10 in flight together, 0 tried again; 50 updates of them are there",
  ]);
  expect([...accounts]).toEqual([0, 1, 2, 3, 4].map((n) => `service writer ${n}`));
});

test("what is refused is tried again with another key, three times at most", async () => {
  const { seen, sent } = await seenOn((key) => (key === 4 || key === 11 ? "refused" : undefined));
  expect(judged(manyClientsAllServed, seen)).toEqual([expect.stringContaining(", 2 tried again;")]);
  const keys = sent.flatMap((sql) => /VALUES \((\d+),/.exec(sql)?.[1] ?? []);
  expect(new Set(keys).size).toBe(52);
  expect(await verdictOn((_, as) => (as === "service writer 2" ? "refused" : undefined))).toEqual([
    'neverServed: {"clients":2,"of":10,"tries":3,"said":"400 INVALID_SQL no"}',
  ]);
  expect(await verdictOn((_, as) => (as === "service writer 2" ? "lost" : undefined))).toEqual([
    "unknown: 10 of 50 writes got no answer: no answer no answer",
  ]);
});

test("the table is compared with what was told", async () => {
  const odd = (said: Reply, store: string | null) => async (): Promise<string[]> =>
    await verdictOn((key, _, stored) => {
      if (key !== 7) return undefined;
      if (store !== null) stored.set(key, store);
      return said;
    });
  expect(await odd("done", null)()).toEqual(['lostRows: {"rows":1,"of":50,"first":[7]}']);
  expect(await odd("done", "value of 8")()).toEqual(['lostRows: {"rows":1,"of":50,"first":[7]}']);
  expect(await odd("refused", "value of 7")()).toEqual([
    'refusedButDone: {"rows":1,"said":"400 INVALID_SQL no","first":[7]}',
  ]);
  expect(await odd("lost", "value of 7")()).toEqual([expect.stringMatching(/^pass/)]);
  expect(await verdictOn(undefined, () => "lost")).toEqual(["unknown: the table could not be read afterwards"]);
});
