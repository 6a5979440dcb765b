import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { known } from "../../../src/server/target.ts";
import {
  attemptWithControl,
  controlFailure,
  sortAttempts,
  tableCase,
  whyInconclusive,
  type Case,
} from "../../vocabulary/attempts.ts";

const columns = "id BIGINT, v TEXT";
const missing = tableCase("none", { type: "STREAM", columns });
const invalid: readonly Case[] = ["-100", "0", "abc", "'abc'", "99999999999999999999"].map((ttl) => ({
  name: ttl,
  sql: (table: string) => `CREATE TABLE ${table} (${columns}) WITH (TYPE='STREAM', TTL_SECONDS=${ttl})`,
}));

function badFor(ttlOptional: boolean): readonly Case[] {
  return ttlOptional ? invalid : [...invalid, missing];
}

const valid = tableCase("10", { type: "STREAM", columns, options: { TTL_SECONDS: 10 } });

export const badTtlRefused = defineCheck({
  id: "configuration/bad-ttl-refused",
  title: "Invalid stream TTLs are rejected",
  failureTitle: "An invalid stream TTL is accepted, or a valid one is not",
  description:
    "Tries to create STREAM tables whose TTL_SECONDS is negative, zero, a word, too large or missing (where a TTL is required). Each must be rejected and leave no table. TTL_SECONDS=10 must be accepted and read back from the catalogue.",
  blindTo: "It does not wait for rows to expire; subscriptions/stream-tables-live does.",
  risk: "Events expire at once, or are kept forever and fill the disk.",
  remedy: "Give every STREAM table a TTL_SECONDS above zero, and verify it in system.tables.",
  covers: ["CFG-07"],
  expects: ["ttlOptional"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 200,
  estimateRequests: badFor(false).length + 2,
  findings: {
    accepted: { say: (d: { ttl: string }) => `a STREAM table with TTL_SECONDS ${d.ttl} was accepted` },
    zeroAccepted: {
      say: (d: { ttl: string }) => `a STREAM table with TTL_SECONDS=${d.ttl} was accepted`,
      level: "warn",
    },
    validRefused: {
      say: (d: { outcome: string }) => `a STREAM table with TTL_SECONDS=10 does not work: ${d.outcome}`,
      risk: "Stream tables cannot be created, or keep their events for another time than requested.",
      remedy: "Look in the server's log for the failed CREATE TABLE, and compare the options in system.tables.",
    },
  },
  async observe(target, { scratch }) {
    const ttlOptional = known(target.dialect.ttlOptional);
    const bad = badFor(ttlOptional);
    return { ttlOptional, ...(await attemptWithControl(target, await target.account("dba"), scratch, bad, valid)) };
  },
  judge(seen, { found }) {
    const { created, refused } = sortAttempts(seen.bad);
    for (const { case: ttl, said } of created) {
      if (ttl === "0") found.zeroAccepted({ ttl }, { sent: said });
      else found.accepted({ ttl }, { case: ttl, sent: said });
    }
    const outcome = controlFailure(seen, /\b10\b/);
    if (outcome !== undefined) found.validRefused({ outcome }, { sent: seen.control?.said });
    const why = whyInconclusive(seen, badFor(seen.ttlOptional).length);
    if (why !== undefined) return unknown(why);
    return pass(
      `${refused.length} of ${seen.bad.length} invalid TTLs rejected, none left a table; TTL_SECONDS=10 reads back`,
    );
  },
});
