/** Faults in how a server's process behaves. */
import type { TrialOutcome, TrialSettings } from "../wire/control.ts";
import type { Fault } from "../proof.ts";

/** Intercepts servers started on trial. Anything but undefined from `meddle` replaces the outcome and counts as fired. */
export function trialFault(
  name: string,
  meddle: (
    settings: TrialSettings,
    trial: (settings: TrialSettings) => Promise<TrialOutcome>,
  ) => Promise<TrialOutcome> | undefined,
): Fault {
  return {
    name,
    wrap(wire, fired) {
      const { control } = wire;
      if (control === undefined) return wire;
      return {
        ...wire,
        control: {
          ...control,
          async trial(settings, withinMs) {
            const meddled = meddle(settings, async (instead) => await control.trial(instead, withinMs));
            if (meddled === undefined) return await control.trial(settings, withinMs);
            fired();
            return await meddled;
          },
        },
      };
    },
  };
}
