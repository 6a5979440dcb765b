import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { isCleanRefusal, truncated } from "../../../src/server/target.ts";
import type { Got } from "./texts.ts";
import { observeTexts, type Oversized, type Trip } from "./storing.ts";

const tripsMin = 4;
/** Below it, no limit on the length of a text would be met. */
const bytesMin = 100_000;

type Wrong = { readonly bytes: number; readonly way: string; readonly when: string };

export const longTextExact = defineCheck({
  id: "backpressure/long-text-exact",
  title: "Long texts are stored exactly, or refused",
  failureTitle: "Long texts are changed, cut short or break the connection",
  description:
    "Stores texts of 10 KB and 100 KB (from standard effort on 500 KB, at deep 900 KB), as literals and as parameters: characters of four bytes, quotes, both kinds of line end, backslashes, composed and decomposed letters. Reads each back immediately and after a flush and compares byte by byte. Texts of 1 and 1.5 MB, and except at light effort 6 MB, must be refused, or stored exactly, and the connection must answer the next query.",
  blindTo:
    "The exact limits and limits of several long values together. On a server that something may stand in front of, a connection that is cut in the middle of an oversized request is not blamed on the server.",
  risk: "Documents and messages come back damaged, and nothing reports it.",
  remedy:
    "Compare a hash of long texts after storing them, and split texts that are longer than what is stored exactly.",
  covers: ["BP-02"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_500,
  estimateRequests: 35,
  timeoutMs: 120_000,
  findings: {
    changed: {
      say: (d: Wrong & { wanted: string; got: string }) =>
        `a text of ${d.bytes} bytes, stored as a ${d.way}, was read back changed${d.when}: ${d.got} instead of ${d.wanted}`,
    },
    cutShort: {
      say: (d: Wrong & { got: number }) =>
        `a text of ${d.bytes} bytes, stored as a ${d.way}, was read back with only its first ${d.got} bytes${d.when}`,
    },
    lost: {
      say: (d: Wrong) => `a text of ${d.bytes} bytes was acknowledged as a ${d.way}, but its row is missing${d.when}`,
    },
    overAccepted: {
      say: (d: { bytes: number; way: string; stored: string }) =>
        `a text of ${d.bytes} bytes was accepted as a ${d.way}, but ${d.stored}`,
      risk: "A text that is too long is acknowledged and not kept.",
      remedy: "Refuse texts that are too long in the application, before the server accepts them.",
    },
    connectionLost: {
      say: (d: { bytes: number; way: string; why: string }) =>
        `after a text of ${d.bytes} bytes was sent as a ${d.way}, ${d.why}`,
      risk: "A client that sends too much sees a network error instead of a reason, and sends it again.",
      remedy: "Check the length of texts in the application before they are sent.",
    },
  },
  observe: observeTexts,
  judge({ trips, oversized, unflushed, direct }, { found }) {
    for (const one of trips) {
      const [flaw] = flawsOf(one);
      if (flaw === undefined) continue;
      const about = { case: caseOf(one), sent: [one.said.exchange, one.exchange] };
      const wrong = { bytes: one.bytes, way: one.way, when: flaw.when };
      if (flaw.got === "gone") found.lost(wrong, about);
      else if (flaw.got.isPrefix) found.cutShort({ ...wrong, got: flaw.got.bytes }, about);
      else found.changed({ ...wrong, wanted: flaw.got.wanted, got: flaw.got.got }, about);
    }
    for (const one of oversized) {
      const { bytes, way, said } = one;
      const about = { case: caseOf(one), sent: said };
      const stored = storedText(one);
      if (stored !== undefined) found.overAccepted({ bytes, way, stored }, about);
      const why = lossOf(one, direct);
      if (why !== undefined) found.connectionLost({ bytes, way, why }, about);
    }
    const unwritten = trips.find(({ said }) => said.kind !== "ok");
    if (unwritten !== undefined)
      return unknown(`${caseOf(unwritten)}: not stored: ${truncated(unwritten.said.message, 200)}`);
    const longest = Math.max(...trips.map(({ bytes }) => bytes));
    if (trips.length < tripsMin || longest < bytesMin) return unknown(`only ${trips.length} texts were stored`);
    const unread = trips.find(({ before, after }) => before === null || after === null);
    if (unread !== undefined) return unknown(`${caseOf(unread)}: it could not be read back`);
    if (unflushed !== null) return unknown(`not all texts are known to have been flushed: ${unflushed}`);
    if (oversized.length === 0) return unknown("no text was too long");
    // A plain user is not told the cause of every refusal.
    const unclear = oversized.find(({ said }) => said.kind !== "ok" && !isCleanRefusal(said));
    if (unclear !== undefined) return unknown(`${caseOf(unclear)}: ${truncated(unclear.said.message, 200)}`);
    const unseen = oversized.find(({ said, before }) => said.kind === "ok" && before === null);
    if (unseen !== undefined) return unknown(`${caseOf(unseen)}: it was accepted, and could not be read back`);
    const refused = oversized.filter(({ said }) => said.kind !== "ok").length;
    return pass(
      `${trips.length} texts of up to ${longest} bytes are identical immediately and after a flush; ${refused} of ${oversized.length} longer ones were refused, the others stored exactly`,
    );
  },
});

function flawsOf({ said, before, after, sha256 }: Trip): { got: Got | "gone"; when: string }[] {
  if (said.kind !== "ok") return [];
  return [
    { got: before, when: "" },
    { got: after, when: " after a flush" },
  ].flatMap(({ got, when }) => (got === null || (got !== "gone" && got.sha256 === sha256) ? [] : [{ got, when }]));
}

function storedText({ said, before, sha256 }: Oversized): string | undefined {
  if (said.kind !== "ok" || before === null) return undefined;
  if (before === "gone") return "its row is missing";
  return before.sha256 === sha256 ? undefined : `it was read back with ${before.bytes} bytes`;
}

/** How the connection was lost; undefined if it was not, or something in between may have ended it. */
function lossOf({ said, next }: Oversized, direct: boolean): string | undefined {
  if (direct && ["reset", "cut"].includes(said.why))
    return `the connection ended twice without an answer: ${said.message}`;
  const unanswered = next.kind === "unsure" && ["reset", "cut", "unavailable", "unreachable"].includes(next.why);
  return unanswered && said.status !== null ? `a simple query was not answered twice: ${next.message}` : undefined;
}

function caseOf({ bytes, way }: Pick<Trip, "bytes" | "way">): string {
  return `${bytes} bytes as a ${way}`;
}
