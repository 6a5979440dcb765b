import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { sortTried, whyUnclear } from "../../vocabulary/trials.ts";
import { badCount, goodCount, ways, writeAll, type Entry, type Way } from "./writes.ts";

/** An error with any of these words says what is wrong. */
const clear = /cast|coerc|convert|pars|invalid|type|range|too large|overflow|syntax|expected|uuid|json/i;

/** Over all ways; fewer show too little. */
const valuesMin = 40;

export const wrongTypesRefused = defineCheck({
  id: "validation/wrong-types-refused",
  title: "Values of the wrong type are rejected",
  failureTitle: "Values of the wrong type are accepted or converted",
  description: `Writes ${badCount} invalid values (text, out of range, dates that do not exist, broken UUIDs and JSON, 1.7 as an integer) into columns of ${goodCount} types (of four at light effort), as a literal, as a parameter and by UPDATE. Each must be rejected with a message that says why, and store nothing. A valid value must be accepted for each column in each of these ways.`,
  blindTo:
    "It tries one to four wrong values per type. Lossless conversions, such as true into an integer, are not judged.",
  risk: "Programs write wrong values without noticing, and other programs compute with the result.",
  remedy: "Validate values in your programs before sending them, and look for implausible values in existing rows.",
  covers: ["VAL-07"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 900,
  estimateRequests: ways.length * (badCount + goodCount + 3),
  findings: {
    coerced: {
      say: (d: { type: string; value: string; stored: string; sql: string }) =>
        `${d.sql}: ${d.value} was written to a ${d.type} column and stored as ${d.stored}`,
    },
    accepted: {
      say: (d: { type: string; value: string; sql: string; message: string }) =>
        `${d.sql}: ${JSON.stringify(d.value)} was accepted for ${d.type}: ${d.message}`,
    },
    unclear: {
      say: (d: { sql: string; message: string }) => `the error for ${d.sql} does not say what is wrong: ${d.message}`,
      risk: "A wrong value takes hours to find instead of seconds.",
      remedy: "Log the statements and their parameters in your programs.",
    },
    validRefused: {
      say: (d: { type: string; value: string; sql: string; message: string }) =>
        `${d.sql}: ${d.value} is a valid ${d.type} but was rejected: ${d.message}`,
      risk: "Programs cannot store values that the column type promises to hold.",
      remedy: "Store such values as TEXT, or write them in the way that is accepted, until this is fixed.",
    },
  },
  async observe(target, context) {
    const seen: readonly Way[] = await Promise.all(
      ways.map(async (way) => await writeAll(target, context, await target.account("dba", way), way)),
    );
    return { ways: seen };
  },
  judge(seen, { found }) {
    const bad = seen.ways.flatMap((way) => way.bad);
    const good = seen.ways.flatMap((way) => way.good);
    const { accepted, refused, unclear } = sortTried(bad);
    const stored = [...accepted, ...refused.filter((one) => one.stored !== null)];
    for (const one of stored.filter(isCoerced)) {
      const { type, value, sql } = one;
      found.coerced({ type, value, stored: one.stored ?? "", sql }, aboutOf(one));
    }
    for (const one of stored.filter((each) => !isCoerced(each))) found.accepted(dataOf(one), aboutOf(one));
    for (const one of refused)
      if (one.stored === null && !clear.test(one.said.message))
        found.unclear({ sql: one.sql, message: one.said.message }, aboutOf(one));
    for (const one of sortTried(good).refused) found.validRefused(dataOf(one), aboutOf(one));
    const unread = seen.ways.find(({ looked }) => !looked);
    if (unread !== undefined) return unknown(`${unread.way}: the rows could not be read afterwards`);
    const why = whyUnclear({ accepted, refused, unclear });
    if (why !== undefined) return unknown(why);
    const failed = good.find((one) => one.said.kind !== "ok" || one.stored === null);
    if (failed !== undefined)
      return unknown(
        `${failed.case}: the valid value was not stored either, so the rejections show nothing: ${failed.said.message}`,
      );
    const wanted = Math.max(valuesMin, ...seen.ways.map((way) => ways.length * way.wanted));
    if (seen.ways.length < ways.length || bad.length + good.length < wanted)
      return unknown(`only ${bad.length + good.length} of ${wanted} values were tried`);
    return pass(
      `${refused.length} of ${bad.length} wrong values rejected with a clear message, none stored; ${good.length} of ${good.length} valid values stored`,
    );
  },
});

function isCoerced({ stored, value }: Entry): boolean {
  return stored !== null && stored !== value;
}

function dataOf({ type, value, sql, said }: Entry) {
  return { type, value, sql, message: said.message };
}

function aboutOf({ case: name, said }: Entry) {
  return { case: name, sent: said };
}
