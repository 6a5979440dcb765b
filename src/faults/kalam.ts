/** Faults in how the `kalam` command line behaves. */
import type { KalamOutcome, KalamRun } from "../wire/kalam.ts";
import type { Fault } from "../proof.ts";

/** Intercepts runs of kalam. Anything but undefined from `meddle` replaces the outcome and counts as fired. */
export function kalamFault(
  name: string,
  meddle: (
    run: KalamRun,
    kalam: (instead?: KalamRun) => Promise<KalamOutcome>,
  ) => Promise<KalamOutcome | undefined> | undefined,
): Fault {
  return {
    name,
    wrap(wire, fired) {
      const { kalam } = wire;
      if (kalam === undefined) return wire;
      return {
        ...wire,
        async kalam(run) {
          let last: KalamOutcome | undefined;
          const meddled = await meddle(run, async (instead) => (last = await kalam(instead ?? run)));
          if (meddled === undefined) return last ?? (await kalam(run));
          fired();
          return meddled;
        },
      };
    },
  };
}

/** Changes the outcome of runs whose arguments match; `change` returns undefined to leave it unchanged. */
export function changeOutcome(
  name: string,
  pattern: RegExp,
  change: (outcome: KalamOutcome, run: KalamRun) => Partial<KalamOutcome> | undefined,
): Fault {
  return kalamFault(name, async (run, kalam) => {
    if (!pattern.test(run.args.join(" "))) return undefined;
    const outcome = await kalam();
    const changed = change(outcome, run);
    return changed === undefined ? undefined : { ...outcome, ...changed };
  });
}
