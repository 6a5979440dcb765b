import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { actAs } from "../../../src/faults/sql.ts";
import { run } from "../../../src/run.ts";
import { openTestSession, startSandbox } from "../../../test/sandbox.ts";
import { ownRowsOnly, plans } from "./index.ts";
import { readWays, writeWays } from "../row-access/ways.ts";

describe("on a server that confuses two users", () => {
  test("every read way and every write way notices it", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "kalam-ready-ways-"));
    const server = await startSandbox();
    const { session, wire } = await openTestSession(server, folder);
    try {
      const category = { id: "validation", promise: "", checks: [ownRowsOnly] };
      const step = { category, check: ownRowsOnly, disposition: { kind: "run" }, limits: {}, required: false } as const;
      const options = {
        effort: "standard",
        seed: 1,
        parallel: 1,
        timeoutMs: 60_000,
        budgetMs: 600_000,
        keep: false,
        signal: new AbortController().signal,
      } as const;
      const noticed = async (pattern: RegExp): Promise<string[]> => {
        const fault = actAs("mixUp", /^INSERT INTO \S+\.hot .*'victim-/, pattern);
        const [outcome] = await run([step], session, { ...options, wire: fault.wrap(wire, () => {}) });
        return outcome?.verdict.kind === "fail" ? outcome.verdict.found.map((one) => one.case ?? "") : [];
      };
      expect(plans[0]?.name).toBe("hot");
      const reads = await noticed(/^(?!INSERT|UPDATE|DELETE|EXECUTE).*(\.hot|FROM hot|"hot")(?!\w)/);
      const searching = readWays.filter(({ name, shows }) => shows !== null && name !== "EXECUTE AS oneself");
      expect(searching.map(({ name }) => name).filter((name) => !reads.includes(name))).toEqual([
        // It finds nothing, as it would among the victim's rows, so it proves nothing. The sandbox has no catalog names.
        "by value, as parameter",
        "catalog-qualified name",
      ]);
      const writes = new Set([
        ...(await noticed(
          /^(UPDATE \S+\.hot |BEGIN; UPDATE \S+\.hot |INSERT INTO \S+\.hot .* SELECT|DELETE FROM \S+\.hot WHERE id > )/,
        )),
        ...(await noticed(/^(INSERT INTO \S+\.hot .* VALUES \(2\d+, 'x'|DELETE FROM \S+\.hot WHERE (id|v) = )/)),
      ]);
      const changing = writeWays.filter(({ forbidden, optional }) => forbidden !== true && optional !== true);
      expect(changing.map(({ name }) => name).filter((name) => !writes.has(name))).toEqual([
        "UPDATE by value, as parameter",
      ]);
    } finally {
      await wire.close();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  }, 120_000);
});
