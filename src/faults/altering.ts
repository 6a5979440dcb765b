/** Faults while a table is altered: what a server does whose writers and schema changes do not know of each other. */
import type { Fault } from "../proof.ts";
import { sleep } from "../session/pacing.ts";
import { sqlFault, type Said } from "./sql.ts";

const metMin = 3;
const heldMsMax = 2_000;
const stepMs = 10;

/** Answers like this, without doing it, to what matches `write` while a statement that matches `change` lasts: until three have met it. */
export function answerWhileAltering(
  name: string,
  { change, write }: { readonly change: RegExp; readonly write: RegExp },
  said: Said,
): Fault {
  let [altering, met] = [0, 0];
  return sqlFault(name, async (sql, _, exchange) => {
    if (altering > 0 && write.test(sql)) {
      met += 1;
      return said;
    }
    if (!change.test(sql)) return undefined;
    altering += 1;
    for (let heldMs = 0; heldMs < heldMsMax && met < metMin; heldMs += stepMs) await sleep(stepMs);
    altering -= 1;
    return await exchange();
  });
}
