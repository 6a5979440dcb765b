/** Ways in which the sandbox can be told to be wrong as a process, so that a check can be seen to notice. */
export const knownFaults = {
  startAnyway: "starts with bad settings, using whatever lets it listen",
  refuseSilently: "refuses bad settings without a word about them",
  hangOnBadSettings: "says what is wrong with bad settings, and then neither starts nor ends",
} as const;

type FaultName = keyof typeof knownFaults;

export interface Faults {
  /** Whether the fault is switched on, and so happens here: it says so. */
  fires(name: FaultName): boolean;
}

/** Reads `KALAM_SANDBOX_FAULTS`: names with commas between. Nothing, if one of them is no fault. */
export function readFaults(list: string, say: (line: string) => void): Faults | undefined {
  const names = list.split(",").filter((name) => name !== "");
  const unknown = names.find((name) => !(name in knownFaults));
  if (unknown !== undefined) {
    say(`unknown sandbox fault ${unknown}; there are ${Object.keys(knownFaults).join(", ")}`);
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
