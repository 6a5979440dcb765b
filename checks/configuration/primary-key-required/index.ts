import { defineCheck, pass, unknown } from "../../../src/check.ts";
import {
  attemptWithControl,
  controlRefusal,
  sortAttempts,
  tableCase,
  whyInconclusive,
} from "../../vocabulary/attempts.ts";

const columns = "id BIGINT, v TEXT";
const bad = [
  tableCase("USER without", { columns }),
  tableCase("SHARED without", { type: "SHARED", columns }),
  tableCase("composite key instead of", { columns: "a BIGINT, b BIGINT, v TEXT, PRIMARY KEY (a, b)" }),
  tableCase("two keys instead of", { columns: "a BIGINT PRIMARY KEY, b BIGINT PRIMARY KEY" }),
];
const stream = tableCase("STREAM without", { type: "STREAM", columns, options: { TTL_SECONDS: 10 } });

export const primaryKeyRequired = defineCheck({
  id: "configuration/primary-key-required",
  title: "USER and SHARED tables must have one primary key",
  failureTitle: "A table without a valid key is created, or a stream is not",
  description:
    "Tries to create a USER and a SHARED table without a primary key, one with a composite key and one with two primary keys. Each must be rejected with a message that mentions the primary key, and leave no table. A STREAM table without a key must be accepted.",
  blindTo: "It does not test whether the key is then kept unique; the concurrency category does.",
  risk: "Rows that cannot be told apart cannot be updated or deleted.",
  remedy: "Declare exactly one column of each USER and SHARED table as PRIMARY KEY.",
  covers: ["CFG-08"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 200,
  estimateRequests: bad.length + 2,
  findings: {
    accepted: { say: (d: { case: string }) => `a table was accepted that should be rejected: ${d.case} a primary key` },
    halfAccepted: {
      say: (d: { case: string; message: string }) =>
        `${d.case} a primary key: rejected (${d.message}), but the table exists`,
      risk: "A table that was reported as rejected exists, and running the script again fails on it.",
      remedy: "After a failed CREATE TABLE, look in system.tables and drop the table if it is listed.",
    },
    streamRefused: {
      say: (d: { outcome: string }) => `a STREAM table without a primary key does not work: ${d.outcome}`,
      risk: "Stream tables cannot be created without a key that their events do not have.",
      remedy: "Look in the server's log for the failed CREATE TABLE; until it works, give streams a key column.",
    },
  },
  async observe(target, { scratch }) {
    return await attemptWithControl(target, await target.account("dba"), scratch, bad, stream);
  },
  judge(seen, { found }) {
    const { accepted, halfDone, refused } = sortAttempts(seen.bad);
    for (const one of accepted) found.accepted({ case: one.case }, { case: one.case, sent: one.said });
    for (const { case: name, said } of halfDone)
      found.halfAccepted({ case: name, message: said.message }, { case: name, sent: said });
    const outcome = controlRefusal(seen);
    if (outcome !== undefined) found.streamRefused({ outcome }, { sent: seen.control?.said });
    const why = whyInconclusive(seen, bad.length);
    if (why !== undefined) return unknown(why);
    // A rejection for another reason shows nothing about keys.
    const other = refused.find(({ said }) => !/primary\s+key/i.test(said.message));
    if (other !== undefined)
      return unknown(`${other.case} a primary key: rejected for another reason: ${other.said.message}`);
    return pass(
      `${refused.length} of ${seen.bad.length} rejected because of the key, none left a table; a STREAM table needs none`,
    );
  },
});
