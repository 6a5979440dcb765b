import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { follow } from "../../vocabulary/following.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { secondsText, wordsForCuts } from "./ages.ts";
import { growOld, kinds, lookAt, type Old } from "./growing.ts";

/** How old the connections get where nothing else runs as long. */
const leastMs = { light: 5_000, standard: 20_000, deep: 75_000 };

type Seen = {
  readonly old: readonly Old[];
  /** Whether a connection that was opened at the end delivered what was written then. */
  readonly control: boolean;
};

export const oldConnectionsDeliver = defineCheck({
  id: "subscriptions/old-connections-deliver",
  title: "A connection as old as the run still delivers changes",
  failureTitle: "Old connections stop delivering or are cut",
  description: `Opens ${kinds.length} connections at the beginning of the run, two that are idle except for pings and one that gets a change every few seconds. When the other checks are done, and not before the connections are ${leastMs.standard / 1000} s old (${leastMs.light / 1000} s with --effort light, ${leastMs.deep / 1000} s with --effort deep), a row is written for each: it must arrive, as it does on a connection that has just been opened. A connection that was cut is resumed, and must then have delivered every change.`,
  blindTo: `Connections older than the run: time-outs of minutes or hours. At light effort they may be only ${leastMs.light / 1000} s old, so a feed that falls silent after ten seconds goes unnoticed.`,
  risk: "Clients show old data and do not know it.",
  remedy: "Let clients reconnect and resume now and then, and when nothing has arrived for some time.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  lasting: true,
  level: "block",
  estimateMs: 13_000,
  estimateRequests: 30,
  // After the other checks, or where there are none: the least age at deep, and what happens then.
  timeoutMs: 150_000,
  findings: {
    wentSilent: {
      say: (d: { kind: string; ageS: number; lastS: number | null }) =>
        `${d.kind} connection of ${d.ageS} s was open and delivered nothing more; ${d.lastS === null ? "no change had arrived on it" : `its last change arrived when it was ${d.lastS} s old`}, and a new connection got the row at once`,
    },
    lost: {
      say: (d: { kind: string; changes: number; of: number; how: string }) =>
        `${d.changes} of ${d.of} changes were not delivered on ${d.kind} connection ${d.how}`,
      remedy: "Let clients read the rows again after a reconnect.",
    },
    cutAtAge: {
      say: (d: { cut: number; of: number; ages: string; how: string }) =>
        `${d.cut} of ${d.of} connections were cut ${d.ages}: ${d.how}`,
      level: "warn",
      risk: "Clients that do not reconnect and resume get nothing more.",
      remedy:
        "Look for an idle or age limit of that length in proxies and load balancers in front; raise it, and let clients reconnect and resume.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const user = await target.account("user");
    const columns = "id BIGINT PRIMARY KEY, mark TEXT";
    const tables = {
      idle: await makeTable(target, context, op, `${context.scratch}.idle`, { columns }),
      busy: await makeTable(target, context, op, `${context.scratch}.busy`, { columns }),
    };
    const aging = await growOld(target, context, user, tables, leastMs);
    const control = context.need(
      await follow(target, user, `SELECT * FROM ${tables.idle}`),
      "a new connection could not subscribe at the end",
    );
    return await lookAt(target, user, tables, aging, control);
  },
  judge(seen, { found }) {
    const { old, control } = seen;
    for (const one of old) {
      const { kind, cutAtMs, last, missing, written } = one;
      if (last && missing.length > 0) {
        const how = cutAtMs === null ? "that was open all the time" : "that was cut and then resumed";
        found.lost({ kind, changes: missing.length, of: written, how }, { sent: one });
      }
      if (!last && one.wrote && cutAtMs === null && control)
        found.wentSilent(
          { kind, ageS: secondsText(one.ageMs), lastS: one.lastMs === null ? null : secondsText(one.lastMs) },
          { sent: one },
        );
    }
    const cut = old.flatMap((one) => (one.cutAtMs === null ? [] : [{ ...one, cutAtMs: one.cutAtMs }]));
    const [first, ...others] = cut;
    const undetermined = whyUnknown(seen);
    if (undetermined !== undefined)
      return unknown(
        `${undetermined}${cut.length === 0 ? "" : `; ${cut.length} connections were cut ${wordsForCuts(cut)}`}`,
      );
    // A single one may have broken by chance.
    if (first !== undefined && others.length === 0)
      return unknown(`one of ${old.length} connections was cut ${wordsForCuts(cut)}: ${first.how}`);
    if (first !== undefined)
      found.cutAtAge(
        { cut: cut.length, of: old.length, ages: wordsForCuts(cut), how: first.how },
        { sent: cut.map(({ exchange }) => exchange) },
      );
    const oldest = secondsText(Math.max(...old.map(({ ageMs }) => ageMs)));
    const changes = old.reduce((sum, { written }) => sum + written, 0);
    return pass(
      `${old.length} connections of up to ${oldest} s still delivered; ${changes} of ${changes} changes arrived`,
    );
  },
});

/** A warning about cuts must not stand where it was not seen whether they lost anything. */
function whyUnknown({ old, control }: Seen): string | undefined {
  const ours = old.find(({ how }) => /expired/i.test(how));
  if (ours !== undefined) return `the token of the run expired: ${ours.how}`;
  if (!control) return "the row written at the end did not arrive on a new connection either";
  if (old.length < kinds.length) return `only ${old.length} of ${kinds.length} connections were observed`;
  // A server may cut who is silent.
  const unheard = Math.max(...old.map(({ unheardMs }) => unheardMs));
  if (unheard > 0) return `this machine was too busy to send pings for ${secondsText(unheard)} s`;
  const unwritten = old.find(({ wrote, last }) => !wrote && !last);
  if (unwritten !== undefined) return `the last row for ${unwritten.kind} connection was not acknowledged`;
  const unread = old.find(({ last }) => !last);
  return unread === undefined ? undefined : `what came after a cut could not be read: ${unread.why}`;
}
