import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { whyNotFlushed } from "../../vocabulary/jobs.ts";
import { edgeTypes } from "./edge-values.ts";
import { flawIn, kindOfFlaw } from "./flaws.ts";
import { observeTypes, type Trip } from "./trips.ts";

/** A version may lack a type, but not many. */
const typesMin = 10;
const valuesMin = 60;

interface Tripped {
  readonly type: string;
  readonly hasDigits: boolean;
  readonly trip: Trip;
}

interface Value {
  readonly type: string;
  readonly value: string;
  readonly way: string;
  readonly wrote: string;
}
type ReadBack = Value & { readonly got: string; readonly when: string };

export const typesRoundTrip = defineCheck({
  id: "validation/types-round-trip",
  title: "Every value is read back exactly as it was stored",
  failureTitle: "A stored value is read back changed, or not at all",
  description: `Stores edge values of ${edgeTypes.length} column types, as literals and as parameters: minimum and maximum, 2^53 + 1, microseconds, dates before 1970, composed and decomposed characters, NULL and the empty string, JSON, bytes. Reads each back immediately and after a flush (at light effort those of three types), and compares digit by digit. The server must return what it accepts, and may reject only what the type cannot hold.`,
  blindTo:
    "It tries values in columns, not the results of expressions, and talks to the server directly: a client library may still round values. At light effort it leaves SMALLINT and DATETIME out.",
  risk: "Amounts, keys and timestamps differ from what was stored, without any error.",
  remedy: "Store affected values as TEXT, or write them in the form that is exact, until this is fixed.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_800,
  estimateRequests: 8 * edgeTypes.length,
  timeoutMs: 120_000,
  findings: {
    changed: { say: sayChanged },
    lostDigits: { say: sayChanged },
    unreadable: {
      say: (d: ReadBack) => `${valueText(d)} was stored but cannot be read${d.when}: ${d.got}`,
      risk: "One such value makes every query that reads its row fail.",
      remedy: "Keep such values out of the column until this is fixed; to find one, read the rows one at a time.",
    },
    refused: {
      say: (d: Value & { message: string }) => `${valueText(d)} is valid but was rejected: ${d.message}`,
      level: "warn",
      risk: "Programs cannot store values that the column type promises to hold.",
    },
  },
  observe: observeTypes,
  judge({ types, flushed, toFlush }, { found }) {
    const all = types.flatMap(({ type, hasDigits, trips }) => trips.map((trip) => ({ type, hasDigits, trip })));
    for (const kind of ["changed", "lostDigits", "unreadable"] as const)
      for (const one of all)
        if (kindOfFlaw(one.hasDigits, one.trip) === kind) found[kind](readBackOf(one), aboutOf(one));
    const refused = all.filter(({ trip }) => trip.taken === "refused");
    for (const one of refused)
      if (!one.trip.mayRefuse) found.refused({ ...valueOf(one), message: one.trip.message }, aboutOf(one));
    const offered = types.filter(({ isOffered }) => isOffered);
    const unanswered = types.find((one) => one.unanswered !== null);
    if (unanswered !== undefined)
      return unknown(`whether ${unanswered.type} is offered was not answered: ${unanswered.unanswered}`);
    if (offered.length < typesMin || all.length < valuesMin)
      return unknown(`only ${offered.length} types with ${all.length} values could be tried`);
    const unsure = all.find(({ trip }) => trip.taken === "unsure");
    if (unsure !== undefined)
      return unknown(`${unsure.type}, ${unsure.trip.value}: neither stored nor rejected: ${unsure.trip.message}`);
    const unread = all.find(({ trip }) => trip.taken === "ok" && flawIn(trip) !== undefined);
    if (unread !== undefined)
      return unknown(
        `${unread.type}, ${unread.trip.value}: it was returned in an unknown format, or not at all: ${flawIn(unread.trip)?.text ?? ""}`,
      );
    const why = flushed.map(whyNotFlushed).find((sentence) => sentence !== undefined);
    if (why !== undefined || flushed.length < toFlush || toFlush === 0)
      return unknown(why ?? "not every table was flushed");
    const missing = types.filter(({ isOffered }) => !isOffered).map(({ type }) => type);
    return pass(
      `${all.length - refused.length} values of ${offered.length} types are identical immediately and after a flush${toFlush < offered.length ? ` (${toFlush} of the types)` : ""}, ${refused.length} optional ones were rejected${missing.length === 0 ? "" : `; this server does not offer ${missing.join(", ")}`}`,
    );
  },
});

function valueText({ type, value, wrote, way }: Value): string {
  return `${type}, ${value}: ${wrote} as a ${way}`;
}

function sayChanged(d: ReadBack): string {
  return `${valueText(d)} is read back as ${d.got}${d.when}`;
}

function aboutOf({ type, trip }: Tripped) {
  return { case: `${type}, ${trip.value}, ${trip.way}`, sent: [trip.exchange] };
}

function valueOf({ type, trip: { value, way, wrote } }: Tripped): Value {
  return { type, value, way, wrote };
}

function readBackOf(one: Tripped): ReadBack {
  const flaw = flawIn(one.trip);
  const got = flaw === undefined || flaw.is === "gone" ? "no row at all" : flaw.is === "null" ? "NULL" : flaw.text;
  return { ...valueOf(one), got, when: flaw === one.trip.after && flaw !== one.trip.before ? " after a flush" : "" };
}
