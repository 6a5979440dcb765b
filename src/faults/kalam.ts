/** Faults in how the `kalam` command line behaves. */
import type { KalamOutcome, KalamRun } from "../wire/kalam.ts";
import type { Fault } from "../proof.ts";

/** Meddles with runs of kalam; what `meddle` returns instead of undefined takes the place of the run and counts as fired. */
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

/** Changes what comes back from the runs whose arguments match; `change` may return undefined to leave it as it is. */
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
