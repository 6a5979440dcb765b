/** Faults in other servers that a check starts beside the one under check. */
import type { Fault } from "../proof.ts";
import type { Another, AnotherStart, Others } from "../wire/control.ts";
import { controlFault, countingFired } from "./control.ts";

/** Which of them are wrong; `nth` counts them from 1. */
type Which = (wanted: AnotherStart, nth: number) => boolean;

/** All but those of the older release. */
export const newer: Which = ({ older }) => older !== true;
/** From the nth on. */
export const from =
  (first: number): Which =>
  (_, nth) =>
    nth >= first;

/** The one whose writes are recorded. */
export const traced: Which = ({ traceTo }) => traceTo !== undefined;

/** Changes how some of them start, or what they are. */
function othersFault(
  name: string,
  which: Which,
  change: (wanted: AnotherStart, start: Others["start"], fired: () => void, nth: number) => Promise<Another>,
): Fault {
  return controlFault(name, (control, fired) => {
    const { own } = control;
    if (own?.others === undefined) return control;
    const { others } = own;
    let nth = 0;
    const start: Others["start"] = async (wanted) => {
      nth += 1;
      if (!which(wanted, nth)) return await others.start(wanted);
      return await change(wanted, others.start, fired, nth);
    };
    return { ...control, own: { ...own, others: { ...others, start } } };
  });
}

/** They do not start, and these are their last words. */
export function neverStartOthers(name: string, which: Which, lastWords: string): Fault {
  return othersFault(name, which, async (_, __, fired) => {
    fired();
    return await Promise.resolve({ kind: "notReady", why: "it ended with exit code 1", ended: true, lastWords });
  });
}

/** They get that fault for their requests. */
export function inOthers(which: Which, fault: Fault): Fault {
  return othersFault(fault.name, which, async (wanted, start, fired) => behind(fault, await start(wanted), fired));
}

function behind(fault: Fault, other: Another, fired: () => void): Another {
  if (other.kind === "notReady") return other;
  return { ...other, exchange: fault.wrap({ exchange: other.exchange }, fired).exchange };
}

/**
 * Starts them with a switch of the sandbox on. Fires as often as the sandbox says that it did. Any other server gets the fault
 * `elsewhere` for its requests, and for those of the `later` ones alone where these are given: what the sandbox does not write
 * to its disk, another server does not show.
 */
export function damagedOthers(onSandbox: string, which: Which, elsewhere: Fault, later?: Which): Fault {
  let isSandbox = false;
  const either: Which = (wanted, nth) => which(wanted, nth) || later?.(wanted, nth) === true;
  return othersFault(onSandbox, either, async (wanted, start, fired, nth) => {
    if (!which(wanted, nth)) return isSandbox ? await start(wanted) : behind(elsewhere, await start(wanted), fired);
    const environment = { ...wanted.environment, KALAM_SANDBOX_FAULTS: onSandbox };
    const other = await start({ ...wanted, environment });
    if (other.kind === "notReady") {
      if (other.lastWords.includes("sandbox fault")) fired();
      return { ...other, lastWords: other.lastWords.replaceAll(/^sandbox fault .*\n?/gm, "") };
    }
    isSandbox = other.stderr().includes("kalam-sandbox is a sandbox");
    if (!isSandbox) return later === undefined ? behind(elsewhere, other, fired) : other;
    const note = countingFired(() => other.stderr(), fired);
    return {
      ...other,
      async exchange(request) {
        const answer = await other.exchange(request);
        note();
        return answer;
      },
    };
  });
}
