import { commitEach } from "../../../src/faults/batches.ts";
import type { Operation } from "../../../src/history/history.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, yes } from "../../vocabulary/evidence.ts";
import { sentBy } from "../evidence.ts";
import { snapshotHoldsInBatch } from "./index.ts";

const stateOf = (n: number): string => JSON.stringify([["1", String(n)]]);
const batch = (n: number, views: readonly string[] = Array.from({ length: 6 }, () => stateOf(n))) => ({
  said: yes(),
  invokedAt: 20 * n,
  returnedAt: 20 * n + 15,
  views,
});
const update = (n: number): Operation => ({
  ...sentBy(1, n, 20 * n + 5, 3),
  kind: "update",
  key: "1",
  values: { n: String(n) },
});
const operations = Array.from({ length: 6 }, (_, n) => update(n));
const batches = operations.map((_, n) => batch(n));
const refused = { ...batch(0, []), said: no("INVALID_SQL", "found: BEGIN", "parse") };

export default proveCheck(snapshotHoldsInBatch, {
  holds: [
    { batches, operations },
    { batches: [...batches, refused], operations },
  ],
  cannotTell: [
    { batches: [refused], operations },
    { batches: [batch(0, [stateOf(0)])], operations },
    { batches, operations: operations.slice(0, 2) },
    { batches: [], operations },
    { batches: batches.map((one) => ({ ...one, views: batches[0]?.views ?? [] })), operations },
  ],
  breaks: {
    sawCommit: {
      seen: {
        batches: [...batches, batch(7, [...Array.from({ length: 5 }, () => stateOf(7)), stateOf(8)])],
        operations,
      },
      fault: commitEach("takeASnapshotPerStatement", /^BEGIN; SELECT id, n FROM \S+\.seen /, 10),
    },
  },
  mayBeLost: [
    { what: /^(INSERT|UPDATE) /, because: "one of many writes, and those that were acknowledged are counted" },
    { what: /^BEGIN; SELECT /, because: "one of many transactions, and those that were answered are counted" },
  ],
});
