import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { known } from "../../../src/server/target.ts";
import { attempt, controlRefusal, sortAttempts, tableCase, whyInconclusive } from "../../vocabulary/attempts.ts";

const columns = "id BIGINT, v TEXT";
const without = [tableCase("USER without", { columns }), tableCase("SHARED without", { type: "SHARED", columns })];
const composite = tableCase("composite key instead of", { columns: "a BIGINT, b BIGINT, v TEXT, PRIMARY KEY (a, b)" });
const two = tableCase("two keys instead of", { columns: "a BIGINT PRIMARY KEY, b BIGINT PRIMARY KEY" });
const stream = tableCase("STREAM without", { type: "STREAM", columns, options: { TTL_SECONDS: 10 } });

/** Whether a composite key is valid where keys are optional is documented nowhere. */
const badFor = (keyOptional: boolean) => (keyOptional ? [two] : [...without, composite, two]);

export const primaryKeyRequired = defineCheck({
  id: "configuration/primary-key-required",
  title: "Tables have the primary key that they need, and only one",
  failureTitle: "A table without a valid key is created, or a valid one is not",
  description:
    "Tries to create a USER and a SHARED table without a primary key, one with a composite key and one with two primary keys. Each must be rejected with a message that mentions the primary key, and leave no table. A STREAM table without a key must be accepted. Where keys are optional, USER and SHARED tables without one must be accepted, too, and only two primary keys must be rejected.",
  blindTo: "It does not test whether the key is then kept unique; the concurrency category does.",
  risk: "Rows that cannot be told apart cannot be updated or deleted.",
  remedy: "Declare exactly one column of each USER and SHARED table as PRIMARY KEY.",
  covers: ["CFG-08"],
  expects: ["keyOptional"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 200,
  estimateRequests: badFor(false).length + 2,
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
    keylessRefused: {
      say: (d: { case: string; outcome: string }) =>
        `a valid table does not work: ${d.case} a primary key: ${d.outcome}`,
      risk: "Scripts written for this version fail on tables that it should accept.",
      remedy: "Declare a primary key until it works, and look in the server's log for the failed CREATE TABLE.",
    },
  },
  async observe(target, { scratch }) {
    const keyOptional = known(target.dialect.keyOptional);
    const bad = badFor(keyOptional);
    const good = [...(keyOptional ? without : []), stream];
    const { attempts, unread } = await attempt(target, await target.account("dba"), scratch, [...bad, ...good]);
    return { keyOptional, bad: attempts.slice(0, bad.length), good: attempts.slice(bad.length), unread };
  },
  judge({ keyOptional, bad, good, unread }, { found }) {
    const { accepted, halfDone, refused } = sortAttempts(bad);
    for (const one of accepted) found.accepted({ case: one.case }, { case: one.case, sent: one.said });
    for (const { case: name, said } of halfDone)
      found.halfAccepted({ case: name, message: said.message }, { case: name, sent: said });
    const controlled = good.map((control) => ({ bad, control, unread }));
    for (const one of controlled) {
      const [outcome, { case: name, said }] = [controlRefusal(one), one.control];
      if (outcome === undefined) continue;
      if (name === stream.name) found.streamRefused({ outcome }, { sent: said });
      else found.keylessRefused({ case: name, outcome }, { case: name, sent: said });
    }
    const wanted = badFor(keyOptional).length;
    if (good.length < (keyOptional ? without.length + 1 : 1)) return unknown("no valid table was tried");
    for (const one of controlled) {
      const why = whyInconclusive(one, wanted);
      if (why !== undefined) return unknown(why);
    }
    // A rejection for another reason shows nothing about keys.
    const other = refused.find(({ said }) => !/primary\s+key/i.test(said.message));
    if (other !== undefined)
      return unknown(`${other.case} a primary key: rejected for another reason: ${other.said.message}`);
    const types = keyOptional ? "USER, SHARED and STREAM tables need none" : "a STREAM table needs none";
    return pass(`${refused.length} of ${bad.length} rejected because of the key, none left a table; ${types}`);
  },
});
