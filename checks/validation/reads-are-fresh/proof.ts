import { changeColumn, sqlFault, type Said } from "../../../src/faults/sql.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { readsAreFresh, type Read } from "./index.ts";

const one = (n: number, change: Partial<Read> = {}): Read => ({
  way: "the writer, by key",
  sql: "SELECT n FROM t WHERE id = 1",
  lateMs: 0,
  expected: String(n),
  previous: String(n - 1),
  open: false,
  got: String(n),
  again: null,
  exchange: 2 * n + 1,
  write: 2 * n,
  ...change,
});
const reads = Array.from({ length: 40 }, (_, at) => one(at + 1));
const sound = { reads, unacknowledged: 0 };
const first = (change: Partial<Read>) => ({ ...sound, reads: [one(1, change), ...reads.slice(1)] });

/** The aggregate of a server whose cache notices a write one answer too late. */
function answerFromCache(pattern: RegExp): Fault {
  const cache = new Map<string, Said>();
  return sqlFault("answerFromCache", async (sql, _, exchange) => {
    if (!pattern.test(sql)) return undefined;
    const kept = cache.get(sql);
    cache.delete(sql);
    if (kept !== undefined) return kept;
    const said = await exchange();
    if (said !== undefined) cache.set(sql, said);
    return undefined;
  });
}

export default proveCheck(readsAreFresh, {
  holds: [sound, { ...sound, reads: [...reads, one(40, { lateMs: 6_000 })] }],
  cannotTell: [
    { ...sound, reads: reads.slice(20) },
    { ...sound, unacknowledged: 1 },
    // A row whose INSERT got no answer is not there.
    { ...first({ open: true, got: "0", again: "0" }), unacknowledged: 1 },
    first({ got: null }),
    first({ got: "0", again: null }),
  ],
  breaks: {
    stale: {
      seen: first({ got: "0", again: "1" }),
      fault: answerFromCache(/^SELECT MAX\(n\) AS n FROM \S+\.fresh$/),
    },
    lostWrite: {
      seen: { ...sound, reads: [...reads, one(40, { lateMs: 6_000, got: "0", again: "0" })] },
      fault: changeColumn("hideTheLastWrite", /^SELECT n FROM \S+\.fresh/, "n", (cell) => String(Number(cell) - 1)),
    },
  },
});
