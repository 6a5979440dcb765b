import { breakServer, changeColumn, claimSuccess, sendInstead, sqlFault } from "../../../src/faults/sql.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { longTextExact } from "./index.ts";
import type { Oversized, Trip } from "./storing.ts";

const exact = { bytes: 100_000, sha256: "a1", isPrefix: false, wanted: "", got: "" };
const trip = (change: Partial<Trip> = {}): Trip => ({
  way: "literal",
  bytes: 100_000,
  sha256: "a1",
  said: yes(),
  before: exact,
  after: exact,
  exchange: 3,
  ...change,
});
const refusal = no("INVALID_SQL", "SQL query too long", "limit");
const oversized = (change: Partial<Oversized> = {}): Oversized => ({
  way: "literal",
  bytes: 1_500_000,
  sha256: "b2",
  said: refusal,
  before: "gone",
  next: yes(),
  ...change,
});
const sound = {
  trips: [trip(), trip({ bytes: 10_000 }), trip({ way: "parameter" }), trip({ way: "parameter", bytes: 10_000 })],
  oversized: [oversized(), oversized({ way: "parameter" })],
  unflushed: null as string | null,
  direct: true,
};
const first = (change: Partial<Trip>) => ({ ...sound, trips: [trip(change), ...sound.trips.slice(1)] });
const over = (change: Partial<Oversized>, direct = true) => ({ ...sound, oversized: [oversized(change)], direct });
const changed = { ...exact, sha256: "c3", wanted: '"cafe\u0301"', got: '"caf\u00e9"' };
const reset = { ...nothing("reset"), message: "socket hang up" };

const unit = (name: string, change: (text: string) => string): Fault =>
  changeColumn(name, /^SELECT v FROM \S+\.texts WHERE/, "v", (cell) =>
    typeof cell === "string" ? change(cell) : cell,
  );

export default proveCheck(longTextExact, {
  holds: [sound, over({ said: yes(), before: { ...exact, sha256: "b2" } })],
  cannotTell: [
    { ...sound, trips: [] },
    { ...sound, trips: sound.trips.map((one) => ({ ...one, bytes: 10_000 })) },
    { ...sound, oversized: [] },
    { ...sound, unflushed: "STORAGE FLUSH TABLE: not allowed" },
    first({ said: nothing(), before: changed }),
    first({ said: refusal, before: "gone" }),
    first({ after: null }),
    // Something in between may have ended it.
    over({ said: reset }, false),
    over({ said: { ...nothing("malformed"), message: "413 Request Entity Too Large" } }),
  ],
  breaks: {
    changed: {
      seen: first({ after: changed }),
      fault: unit("composeTheLetters", (text) => text.normalize("NFC")),
    },
    cutShort: {
      seen: first({ before: { ...changed, isPrefix: true, bytes: 65_536 } }),
      fault: unit("cutAt64KiB", (text) =>
        Buffer.from(text)
          .subarray(0, 65_536)
          .toString()
          .replace(/\uFFFD$/, ""),
      ),
    },
    lost: {
      seen: first({ before: "gone" }),
      fault: claimSuccess("acknowledgeBeforeTheWrite", /^INSERT INTO \S+\.texts \(id, v\) VALUES \(3, \$1\)/, 1),
    },
    overAccepted: {
      seen: over({ said: yes(), before: { ...exact, bytes: 524_288, sha256: "d4" } }),
      // Like a server that keeps what fits.
      fault: sqlFault("keepWhatFits", async (sql, _, exchange) =>
        sql.length > 1_100_000
          ? await exchange(
              `${sql
                .slice(0, 400_000)
                .replace(/[\uD800-\uDBFF]$/, "")
                .replace(/'+$/, "")}')`,
            )
          : undefined,
      ),
    },
    connectionLost: {
      seen: over({ said: reset }),
      fault: sqlFault("cutAtOneMegabyte", (sql) => (sql.length > 1_000_000 ? Promise.resolve("lost") : undefined)),
    },
  },
  mayBeLost: [
    { what: /^SELECT v FROM \S+ WHERE id = [12]\d\d /, because: "a text that was refused need not be looked for" },
  ],
});

/** Further faults, by the finding that they must cause (faults.test.ts). */
export const alsoFound: Readonly<Record<string, readonly Fault[]>> = {
  changed: [
    unit("replaceWhatTakesFourBytes", (text) => text.replace(/[\u{10000}-\u{10FFFF}]/gu, "\uFFFD")),
    unit("unifyTheLineEnds", (text) => text.replaceAll("\r\n", "\n")),
    sendInstead("doubleTheBackslashes", /^INSERT INTO \S+\.texts/, (sql) => sql.replaceAll("\\", "\\\\")),
  ],
  connectionLost: [breakServer("failTheNextQuery", /^SELECT 1 AS one$/)],
};
