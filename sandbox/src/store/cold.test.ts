import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { startSandbox } from "../../../test/sandbox.ts";
import { signIn } from "../client.ts";

/** It starts processes, on a machine that may be busy. */
vi.setConfig({ hookTimeout: 120_000, testTimeout: 120_000 });

const folder = mkdtempSync(path.join(tmpdir(), "kalam-cold-"));
const dataFolder = path.join(folder, "data");
const cold = path.join(dataFolder, "storage", "n", "t");
const rootPassword = "Pass-word-1234";
type Root = Awaited<ReturnType<typeof signIn>>;

async function during<T>(act: (root: Root) => Promise<T>, faults = ""): Promise<{ answer: T; stderr: string }> {
  const environment = { KALAM_SANDBOX_FAULTS: faults };
  const server = await startSandbox({ dataFolder, rootPassword, forSpeed: "all", environment });
  try {
    return { answer: await act(await signIn(server.url, "root", rootPassword)), stderr: server.stderr() };
  } finally {
    await server.stop();
  }
}
const all = "SELECT id, v FROM n.t ORDER BY id LIMIT 100";
const rows = [1, 2, 4].map((id) => [String(id), id === 2 ? "new" : `v${id}`]);

beforeAll(async () => {
  await during(async (root) => {
    await root.rows("CREATE NAMESPACE n");
    for (const table of ["n.t", "n.gone"])
      await root.rows(`CREATE TABLE ${table} (id BIGINT PRIMARY KEY, v TEXT) WITH (TYPE='SHARED')`);
    for (const table of ["n.t", "n.gone"])
      await root.rows(`INSERT INTO ${table} (id, v) VALUES (1, 'v1'), (2, 'v2'), (3, 'v3'), (4, 'v4')`);
    for (const table of ["n.t", "n.gone"]) await root.rows(`STORAGE FLUSH TABLE ${table}`);
    await vi.waitUntil(
      async () => (await root.rows("SELECT 1 FROM system.manifest WHERE sync_state = 'in_sync'")).length > 1,
      { timeout: 20_000 },
    );
    await root.rows("UPDATE n.t SET v = 'new' WHERE id = 2");
    await root.rows("DELETE FROM n.t WHERE id = 3");
    await root.rows("DROP TABLE n.gone");
    await vi.waitUntil(() => !readdirSync(path.dirname(cold)).includes("gone"), { timeout: 20_000 });
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a flush leaves a segment and a manifest, a dropped table nothing", () => {
  expect(readdirSync(cold).toSorted()).toEqual(["batch-0.parquet", "manifest.json"]);
  expect(JSON.parse(readFileSync(path.join(cold, "manifest.json"), "utf8"))).toMatchObject({ table_id: "n.t" });
});

test("a damaged manifest is written again, and the rows are all there", async () => {
  const file = path.join(cold, "manifest.json");
  const written = readFileSync(file, "utf8");
  writeFileSync(file, "garbage");
  expect((await during(async (root) => await root.rows(all))).answer).toEqual(rows);
  expect(readFileSync(file, "utf8")).toBe(written);
});

test("a table with a damaged segment is read by nobody; with the fault, what is left of it is", async () => {
  const file = path.join(cold, "batch-0.parquet");
  const written = readFileSync(file, "utf8");
  writeFileSync(file, written.replace('"v1"', '"w1"').replace('"v":"v4"', '"v":'));
  const refused = await during(async (root) => {
    const said = [];
    for (const sql of [all, "UPDATE n.t SET v = 'x' WHERE id = 1", "SELECT 1 AS up", "SELECT COUNT(*) AS n FROM n.t"])
      said.push((await root.sql(sql)).message);
    return JSON.stringify(said);
  });
  expect(refused.stderr).toContain("n.t: segment n/t/batch-0.parquet does not have the checksum");
  expect(refused.answer.match(/table 'n\.t' is damaged: segment n\/t\/batch-0\.parquet/g)).toHaveLength(3);
  const hidden = await during(async (root) => await root.rows(all), "hideDamage");
  expect(hidden.stderr).toContain("sandbox fault hideDamage fired: 1 of 2 rows of n.t that were in batch-0.parquet");
  expect(hidden.answer).toEqual([
    ["1", "w1"],
    ["2", "new"],
  ]);
});
