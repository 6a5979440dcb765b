/** Scripts that create and drop something, and are run again: what is sent, and what must hold. */
import type { Collector, Context } from "../../src/check.ts";
import { isCleanRefusal, saidOf, type Account, type Said, type Target } from "../../src/server/target.ts";
import { tryAll, type Trial, type Tried } from "../vocabulary/trials.ts";

/** How often each script is run again. */
export const repeats = 2;
/** The text of the rows that a repeat must not remove. */
export const keptText = "kept by repeats";
const nothingListed = "[[]]";

/** Parts of the server's state by name, each as text; null where it could not be read. */
type State = { readonly [what: string]: string | null };

export type Repeats = {
  readonly before: State;
  readonly again: readonly Said[];
  /** IF NOT EXISTS with a different definition; null where there is none to try. */
  readonly otherShape: Said | null;
  /** CREATE without IF NOT EXISTS. */
  readonly plain: readonly Tried[];
  readonly after: State;
  readonly dropped: Said;
  readonly droppedAgain: readonly Said[];
  /** What the catalogue still lists in the end; null where it could not be read. */
  readonly left: string | null;
};

export interface Scripts {
  readonly make: string;
  /** Run once everything exists, so that there is something to lose. */
  readonly fill: () => Promise<void>;
  readonly otherShape?: string;
  readonly plain: readonly Trial[];
  /** What must go before the drop script can work. */
  readonly clear?: string;
  readonly drop: string;
  readonly state: () => Promise<State>;
  readonly list: () => Promise<string | null>;
}

export async function repeatScripts(
  target: Target,
  context: Pick<Context, "need">,
  as: Account,
  scripts: Scripts,
): Promise<Repeats> {
  const { make, fill, otherShape, plain, clear, drop, state, list } = scripts;
  const send = async (sql: string): Promise<Said> => saidOf(await target.sql(as, sql));
  const sendAgain = async (sql: string): Promise<Said[]> => {
    const said: Said[] = [];
    for (let n = 0; n < repeats; n += 1) said.push(await send(sql));
    return said;
  };
  context.need(await target.sql(as, make), "the first run of the script failed");
  await fill();
  const before = await state();
  const again = await sendAgain(make);
  const other = otherShape === undefined ? null : await send(otherShape);
  const plainly = await tryAll(target, plain);
  const after = await state();
  if (clear !== undefined) context.need(await target.sql(as, clear), "what holds the drop back could not be removed");
  const dropped = await send(drop);
  const droppedAgain = await sendAgain(drop);
  return { before, again, otherShape: other, plain: plainly, after, dropped, droppedAgain, left: await list() };
}

export const repeatFindings = {
  refused: { say: (d: { script: string; outcome: string }) => `${d.script}: a repeat was rejected: ${d.outcome}` },
  changed: {
    say: (d: { what: string; before: string; after: string }) => `${d.what} changed from ${d.before} to ${d.after}`,
  },
  repeatAccepted: { say: (d: { sql: string }) => `${d.sql} succeeded although the object already existed` },
};

/** Reports what the repeats did wrong; returns why it cannot be judged, undefined if it can. */
export function judgeRepeats(
  seen: Repeats,
  found: Collector<typeof repeatFindings>,
  { object, count }: { readonly object: "NAMESPACE" | "TABLE"; readonly count: { rows: number; plain: number } },
): string | undefined {
  const { before, again, otherShape, plain, after, dropped, droppedAgain, left } = seen;
  for (const [script, said] of [
    [`CREATE ${object} IF NOT EXISTS`, again],
    [`DROP ${object} IF EXISTS`, droppedAgain],
  ] as const) {
    const refused = said.find((one) => one.kind === "refused" && one.why !== "rate");
    if (refused !== undefined)
      found.refused({ script, outcome: `${refused.status} ${refused.message}` }, { case: script, sent: refused });
  }
  for (const [what, was] of Object.entries(before)) {
    const is = after[what] ?? null;
    if (was !== null && is !== null && was !== is)
      found.changed(
        { what, before: was, after: is },
        { case: what, sent: otherShape === null ? again : [...again, otherShape] },
      );
  }
  if (dropped.kind === "ok" && left !== null && left !== nothingListed) {
    const data = { what: "the catalogue after the drop", before: nothingListed, after: left };
    found.changed(data, { case: "after the drop", sent: dropped });
  }
  for (const { case: name, sql, said } of plain)
    if (said.kind === "ok") found.repeatAccepted({ sql }, { case: name, sent: said });
  return whyUnknown(seen, count);
}

function whyUnknown(seen: Repeats, count: { readonly rows: number; readonly plain: number }): string | undefined {
  const { before, again, otherShape, plain, after, dropped, droppedAgain, left } = seen;
  const failed = [dropped, ...again, ...droppedAgain].find((said) => said.kind !== "ok");
  if (failed !== undefined) return `a statement did not succeed: ${failed.status ?? "no answer"} ${failed.message}`;
  const unread = [...Object.entries(before), ...Object.entries(after), ["the catalogue", left] as const].find(
    ([, text]) => text === null,
  );
  if (unread !== undefined) return `${unread[0]} could not be read`;
  const kept = Object.values(before).filter((text) => text?.includes(keptText) === true).length;
  if (again.length < repeats || droppedAgain.length < repeats || kept < count.rows)
    return "the scripts were not repeated, or there were no rows to lose";
  const unclear = plain.find(({ said }) => !isCleanRefusal(said));
  if (unclear !== undefined || plain.length < count.plain)
    return `CREATE without IF NOT EXISTS was not rejected for the name: ${unclear?.said.message ?? "it was not tried"}`;
  if (otherShape?.kind === "unsure" && otherShape.why !== "unrecognised")
    return `IF NOT EXISTS with other columns was not answered: ${otherShape.message}`;
  return undefined;
}
