import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { whyNotFlushed } from "../../vocabulary/jobs.ts";
import { edgeTypes } from "./edge-values.ts";
import { observeTypes, type Got, type Trip } from "./trips.ts";

/** A version may lack a type, but not many. */
const typesMin = 10;
const valuesMin = 60;

export const typesRoundTrip = defineCheck({
  id: "validation/types-round-trip",
  title: "Every value comes back as it was stored",
  failureTitle: "A value comes back changed, or not at all",
  description: `Stores values at the edges of ${edgeTypes.length} column types, as literals and as parameters: the largest and smallest, 2^53 + 1, microseconds, dates before 1970, composed and decomposed letters, NULL beside the empty text, JSON, bytes. Reads each back at once and after a flush, and compares them digit for digit. What a server takes it must be able to show; what it does not take it may refuse only where the type cannot hold it.`,
  blindTo:
    "It looks at values in columns, not at what expressions make of them, and at one server: a client library may still round what it was sent.",
  risk: "Amounts, keys and times are other ones than were stored, and nobody is told.",
  remedy: "Store what comes back changed as TEXT, or write it in the way that is exact, until this passes.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_800,
  estimateRequests: 8 * edgeTypes.length,
  timeoutMs: 120_000,
  findings: {
    changed: {
      say: (d: { type: string; value: string; way: string; wrote: string; got: string; when: string }) =>
        `${d.type}, ${d.value}: ${d.wrote} as a ${d.way} comes back as ${d.got}${d.when}`,
    },
    lostDigits: {
      say: (d: { type: string; value: string; way: string; wrote: string; got: string; when: string }) =>
        `${d.type}, ${d.value}: ${d.wrote} as a ${d.way} comes back as ${d.got}${d.when}`,
    },
    unreadable: {
      say: (d: { type: string; value: string; way: string; wrote: string; got: string; when: string }) =>
        `${d.type}, ${d.value}: ${d.wrote} as a ${d.way} was stored and cannot be read${d.when}: ${d.got}`,
    },
    refused: {
      say: (d: { type: string; value: string; way: string; wrote: string; message: string }) =>
        `${d.type}, ${d.value}: ${d.wrote} as a ${d.way} fits and is refused: ${d.message}`,
      level: "warn",
    },
  },
  async observe(target, context) {
    return await observeTypes(target, context);
  },
  judge({ types, flushed }) {
    const all = types.flatMap(({ type, hasDigits, trips }) => trips.map((trip) => ({ type, hasDigits, trip })));
    const about = (one: Tripped) => ({
      case: `${one.type}, ${one.trip.value}, ${one.trip.way}`,
      sent: [one.trip.exchange],
    });
    const data = ({ type, trip: { value, way, wrote } }: Tripped) => ({ type, value, way, wrote });
    const refused = all.filter(({ trip }) => trip.taken === "refused" && !trip.mayRefuse);
    const wrong = all.filter(({ trip }) => trip.taken === "ok" && definite.has(flawIn(trip)?.is ?? ""));
    const shown = (one: Tripped) => {
      const got = flawIn(one.trip);
      const when = got === one.trip.after ? " after a flush" : "";
      return {
        ...data(one),
        when,
        got: got === undefined || got.is === "gone" ? "no row at all" : got.is === "null" ? "NULL" : got.text,
      };
    };
    const isUnreadable = ({ trip }: Tripped): boolean => flawIn(trip)?.is === "unreadable";
    const isNear = ({ hasDigits, trip }: Tripped): boolean =>
      hasDigits && (trip.want ?? []).some((want) => differsInDigits(want, flawIn(trip)));
    const readable = wrong.filter((one) => !isUnreadable(one));
    const found = [
      ...readable
        .filter((one) => !isNear(one))
        .map((one) => ({ name: "changed" as const, data: shown(one), ...about(one) })),
      ...readable.filter(isNear).map((one) => ({ name: "lostDigits" as const, data: shown(one), ...about(one) })),
      ...wrong.filter(isUnreadable).map((one) => ({ name: "unreadable" as const, data: shown(one), ...about(one) })),
      ...refused.map((one) => ({
        name: "refused" as const,
        data: { ...data(one), message: one.trip.message },
        ...about(one),
      })),
    ];
    if (found.length > 0) return fail(...found);
    const offered = types.filter(({ isOffered }) => isOffered);
    if (offered.length < typesMin || all.length < valuesMin)
      return unknown(`only ${offered.length} types with ${all.length} values could be tried`);
    const vague = all.find(({ trip }) => trip.taken === "unsure");
    if (vague !== undefined)
      return unknown(`${vague.type}, ${vague.trip.value}: neither stored nor refused, but ${vague.trip.message}`);
    const unshown = all.find(({ trip }) => trip.taken === "ok" && flawIn(trip) !== undefined);
    if (unshown !== undefined)
      return unknown(
        `${unshown.type}, ${unshown.trip.value}: it came back in a form that is not known, or not at all: ${flawIn(unshown.trip)?.text ?? ""}`,
      );
    const why = flushed.map(whyNotFlushed).find((sentence) => sentence !== undefined);
    if (why !== undefined || flushed.length < offered.length) return unknown(why ?? "not every table was flushed");
    const missing = types.filter(({ isOffered }) => !isOffered).map(({ type }) => type);
    const left = all.filter(({ trip }) => trip.taken === "refused").length;
    return pass(
      `${all.length - left} values of ${offered.length} types are the same at once and after a flush, ${left} that need not be taken were refused${missing.length === 0 ? "" : `; this server has no ${missing.join(", ")}`}`,
    );
  },
});

/** What shows that the value is not the one that was stored; any other answer shows nothing. */
const definite: ReadonlySet<string> = new Set<Got["is"]>(["value", "null", "gone", "unreadable"]);

interface Tripped {
  readonly type: string;
  readonly hasDigits: boolean;
  readonly trip: Trip;
}

/** What came back and is not what was stored: at once, or else after the flush; undefined where both are right. */
function flawIn({ want, before, after }: Trip): Got | undefined {
  const isRight = ({ is, text }: Got): boolean =>
    want === null ? is === "null" : is === "value" && want.includes(text);
  const wrong = [before, after].filter((got) => !isRight(got));
  return wrong.find(({ is }) => definite.has(is)) ?? wrong[0];
}

/** The same but for its last digits: a number near to it, or the same second. */
function differsInDigits(want: string, got: Got | undefined): boolean {
  if (got?.is !== "value") return false;
  const [a, b] = [Number(want), Number(got.text)];
  if (!Number.isNaN(a) && !Number.isNaN(b)) return Math.abs(a - b) <= 1e-6 * Math.max(Math.abs(a), Math.abs(b));
  const second = /^(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d/;
  return second.test(want) && second.exec(want)?.[0] === second.exec(got.text)?.[0];
}
