/** Faults of the process that can be switched on, for the proofs of checks. */
export const knownFaults = {
  startAnyway: "starts with bad settings, using whatever lets it listen",
  refuseSilently: "exits on bad settings without reporting them",
  hangOnBadSettings: "reports bad settings, then neither starts nor exits",
} as const;

type FaultName = keyof typeof knownFaults;

export interface Faults {
  /** Whether the fault is switched on. Call it where the fault takes effect: it is logged as fired. */
  fires(name: FaultName): boolean;
}

/** Reads `KALAM_SANDBOX_FAULTS`, names separated by commas; undefined if one is unknown. */
export function readFaults(list: string, say: (line: string) => void): Faults | undefined {
  const names = list.split(",").filter((name) => name !== "");
  const unknown = names.find((name) => !(name in knownFaults));
  if (unknown !== undefined) {
    say(`unknown sandbox fault ${unknown}; expected one of ${Object.keys(knownFaults).join(", ")}`);
    return undefined;
  }
  for (const name of names) say(`sandbox fault ${name} on`);
  return {
    fires: (name) => {
      if (!names.includes(name)) return false;
      say(`sandbox fault ${name} fired`);
      return true;
    },
  };
}
