import { shareByRequestId } from "../../../src/faults/batches.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { foreignTransactionClosed } from "./index.ts";

const probes = ["alone", "read", "rollback", "commit", "write"] as const;
type Probe = (typeof probes)[number];

const ended = no("SQL_EXECUTION_ERROR", "Statement 43 failed: COMMIT requires an active transaction", "batchPart");
const noTransaction = { said: no("SQL_EXECUTION_ERROR", "Statement 1 failed: Invalid operation", "rule"), rows: [] };
const reading = { said: yes(), rows: ["1", "2"] as string[] | null };

/** Each round inserts the keys 1000·n and 1000·n + 1, the other account 1000·n + 10. */
const round = (probe: Probe, n: number) => {
  const keys = [String(1_000 * n), String(1_000 * n + 1)] as const;
  const own = String(1_000 * n + 10);
  const isKept = probe === "alone" || probe === "rollback";
  const tried = { alone: [], read: [reading, reading], rollback: [noTransaction, noTransaction] };
  return {
    probe,
    batch: yes(),
    keys,
    tries: probe === "commit" ? tried.rollback : probe === "write" ? [reading, reading] : tried[probe],
    controls: probe === "read" ? [reading] : [],
    acknowledged: probe === "write" ? [own] : [],
    after: ["1", ...(isKept ? keys : []), ...(probe === "write" ? [own] : [])] as string[] | null,
  };
};
const rounds = probes.map((probe, n) => round(probe, n + 1));
const seenOf = (probe?: Probe, change: object = {}) => ({
  rounds: rounds.map((one) => (one.probe === probe ? { ...one, ...change } : one)),
});

export default proveCheck(foreignTransactionClosed, {
  holds: [seenOf()],
  cannotTell: [
    { rounds: [] },
    seenOf("alone", { batch: ended }),
    seenOf("alone", { after: ["1"] }),
    seenOf("read", { tries: [] }),
    seenOf("commit", { tries: [noTransaction] }),
    seenOf("rollback", { batch: nothing(), after: ["1"] }),
    seenOf("rollback", { batch: no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429), after: null }),
    seenOf("write", { after: null }),
    // Everybody sees it.
    seenOf("read", { tries: [{ said: yes(), rows: ["2000"] }], controls: [{ said: yes(), rows: ["2000"] }] }),
    // ROLLBACK does nothing.
    { rounds: rounds.map((one) => (one.probe === "alone" ? one : { ...one, after: ["1", ...one.keys] })) },
  ],
  breaks: {
    sawForeign: {
      seen: seenOf("read", { tries: [reading, { said: yes(), rows: ["1", "2000"] }] }),
      fault: shareByRequestId("readInTheTransactionOfARequestId", "rows", 60),
    },
    changedForeign: {
      seen: seenOf("rollback", { batch: ended, tries: [{ said: yes(), rows: [] }], after: ["1", "3001"] }),
      fault: shareByRequestId("endTheTransactionOfARequestId", "ends", 60),
    },
  },
  mayBeLost: [
    {
      what: /^(SELECT id, v|INSERT|COMMIT|ROLLBACK)/,
      because: "one of several tries of each kind, whose number is told",
    },
  ],
});
