import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { openingText } from "../../vocabulary/opening.ts";
import { differencesOf, leaveAndResume, whyUnknown, type Resumed } from "../../vocabulary/resuming/index.ts";
import { makeShared, resumeOld, tryWrongDomains, wrongDomains } from "./attempts.ts";

const returnsMin = 2;
/** What an answer must say, so that a client knows to start over. */
const saysExpired = /expired|too old|no longer|retention|replay/i;

type Rounds = { readonly rounds: number; readonly of: number; readonly keys: string };

export const sharedResumeComplete = defineCheck({
  id: "subscriptions/shared-resume-complete",
  title: "A SHARED table is resumed completely, or not at all",
  failureTitle: "A resumed SHARED table lacks rows, or takes a foreign cursor",
  description:
    "A user leaves a live query on a SHARED table, rows are inserted, updated and deleted meanwhile, and the user resumes with the cursor and the version domain of the acknowledgement: what it knew and what it receives must equal the table. The same cursor must be rejected without its domain, with another table's domain, and after the table was dropped and created again. A cursor behind more than 1,024 changes must bring all of them or be rejected as expired. Promises: resume with `from` and `version_domain` brings what was missed; a SHARED cursor without its domain, of another table or of an older history is rejected; a cursor that is too old gives CURSOR_EXPIRED, never silence.",
  blindTo:
    "Another server of a cluster, cursors from before a restart, and rows delivered a second time, which is allowed.",
  risk: "After a network interruption a client shows old rows, or takes the rows of one table for those of another.",
  remedy: "Start over instead of resuming: subscribe without `from` and replace what was known with the snapshot.",
  covers: [],
  appliesWhere: { domain: "inBatchControl" },
  expects: ["sharedAccess"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  uses: { user: 1 },
  estimateMs: 3_000,
  estimateRequests: 60,
  findings: {
    lostOnResume: {
      say: (d: Rounds) => `${d.rounds} of ${d.of} resumed subscriptions had missing or stale rows, such as ${d.keys}`,
    },
    ghostRows: {
      say: (d: Rounds) =>
        `${d.rounds} of ${d.of} resumed subscriptions kept rows that had been deleted meanwhile, such as ${d.keys}`,
      risk: "Rows that were deleted during an interruption stay on clients' screens.",
    },
    silentAfterResume: {
      say: (d: { rounds: number; of: number }) =>
        `${d.rounds} of ${d.of} resumed subscriptions delivered nothing that was written later; a new subscription delivered it`,
    },
    wrongCursorAccepted: {
      say: (d: { case: string }) => `a cursor was accepted ${d.case}, expected an error`,
      risk: "A client resumes at a place that means nothing in this table, and lacks rows without being told.",
    },
    lostBehindOldCursor: {
      say: (d: { delivered: number; written: number }) =>
        `an old cursor was accepted, and ${d.written - d.delivered} of ${d.written} rows written since were not delivered`,
    },
    expiryUnsaid: {
      say: (d: { outcome: string }) => `an old cursor was rejected without saying that it has expired: ${d.outcome}`,
      level: "warn",
      risk: "A client cannot tell that it must start over, and tries the same cursor again.",
    },
  },
  async observe(target, context) {
    const resumed: Resumed[] = [];
    const made = await makeShared(target, context, "resume");
    let why: string | null = null;
    for (let n = 0; n < context.size({ light: 2, standard: 3, deep: 8 }) && why === null; n += 1) {
      const one = await leaveAndResume(made, n, async ({ live }) => {
        live.close();
        await live.untilClosed(2_000);
      });
      if ("why" in one) why = one.why;
      else resumed.push(one);
    }
    const attempts = await tryWrongDomains(await makeShared(target, context, "wrong"), context);
    return { resumed, why, attempts, old: await resumeOld(await makeShared(target, context, "old")) };
  },
  judge({ resumed, why, attempts, old }, { found }) {
    const { lost, ghosts } = differencesOf(resumed);
    if (lost !== undefined) found.lostOnResume(lost, { sent: resumed });
    if (ghosts !== undefined) found.ghostRows(ghosts, { sent: resumed });
    const silent = resumed.filter((one) => one.silent);
    if (silent.length > 0) found.silentAfterResume({ rounds: silent.length, of: resumed.length }, { sent: silent });
    for (const { case: name, opening } of attempts)
      if (opening?.kind === "ready") found.wrongCursorAccepted({ case: name }, { case: name, sent: opening });
    const { opening, written, delivered } = old;
    const shown = { case: "an old cursor", sent: opening ?? [] };
    if (opening?.kind === "ready" && old.why === "" && delivered < written)
      found.lostBehindOldCursor({ delivered, written }, shown);
    if (opening !== null && isRejected(opening) && !saysExpired.test(openingText(opening)))
      found.expiryUnsaid({ outcome: openingText(opening) }, shown);

    const tooLittle = why ?? whyUnknown(resumed);
    if (tooLittle !== undefined) return unknown(tooLittle);
    if (resumed.length < returnsMin)
      return unknown(`only ${resumed.length} of at least ${returnsMin} subscriptions were resumed`);
    for (const name of wrongDomains) {
      const one = attempts.find((each) => each.case === name);
      if (one?.opening === undefined || one.opening === null || !isRejected(one.opening))
        return unknown(`resuming ${name}: ${one?.opening ? openingText(one.opening) : (one?.why ?? "not tried")}`);
    }
    if (opening === null || old.why !== "") return unknown(`an old cursor: ${old.why}`);
    if (opening.kind !== "ready" && !isRejected(opening))
      return unknown(`an old cursor is inconclusive: ${openingText(opening)}`);
    const end = opening.kind === "ready" ? `brought all ${written} rows` : `was rejected (${opening.code})`;
    return pass(
      `${resumed.length} resumed subscriptions received all ${resumed[0]?.missed ?? 0} missed changes; ` +
        `${wrongDomains.length} cursors of other histories were rejected; one behind ${written} changes ${end}`,
    );
  },
});

/** A limit that was exceeded says nothing about a cursor. */
function isRejected({ kind, reason }: { readonly kind: string; readonly reason: string }): boolean {
  return kind === "refused" && reason !== "limit" && reason !== "right";
}
