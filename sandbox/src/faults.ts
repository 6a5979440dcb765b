/** A switch. `number` is the one it has where none is given, as in `loseOnKill=3`; without it, it takes none. */
interface Switch {
  readonly about: string;
  readonly number?: number;
}

/** Faults of the process that can be switched on, for the proofs of checks. */
const switches = {
  startAnyway: { about: "starts with bad settings, using whatever lets it listen" },
  refuseSilently: { about: "exits on bad settings without reporting them" },
  hangOnBadSettings: { about: "reports bad settings, then neither starts nor exits" },

  loseOnKill: { about: "after a kill, starts without the last n changes of rows", number: 1 },
  loseOnStop: { about: "after a clean stop, starts without the last n changes of rows", number: 1 },
  ackBeforeSync: { about: "acknowledges changes before they are on disk" },
  leaveSegmentsUnsynced: { about: "reports a flush completed whose segments are not on disk" },
  tearBatch: { about: "after a kill, starts with half of each of the last n batches", number: 1 },
  skipSegment: {
    about: "after a restart, starts without the rows of the last segment of each of the last n tables",
    number: 1,
  },
  doubleSegment: {
    about: "after a restart, starts with the rows of the last segment of each of the last n tables twice",
    number: 1,
  },
  resurrectDeleted: { about: "after a restart, starts with the last n deleted rows", number: 1 },
  showOlderValue: { about: "after a restart, starts with the earlier values of the last n updated rows", number: 1 },
  evaluateDefaultsAgain: { about: "after a restart, starts with new values where functions gave the default" },
  startWithoutTable: { about: "after a restart, starts without the n newest tables", number: 1 },
  loseAccount: { about: "after a restart, starts without the n newest accounts", number: 1 },
  losePassword: { about: "after a restart, starts without the passwords of the n newest accounts", number: 1 },
  forgetDefault: { about: "after a restart, starts without the defaults of columns" },
  forgetNotNull: { about: "after a restart, starts with nullable columns" },
  forgetOrder: { about: "after a restart, starts with the columns of tables in another order" },
  forgetToEnforce: { about: "after a restart, still describes columns as NOT NULL, and accepts NULL" },
  hideDamage: { about: "after a restart, reads what is left of damaged segments without an error" },
  ignoreChecksums: { about: "after a restart, reads damaged pages of the database as they are" },
  misreadDecimals: { about: "after a restart, reads decimals with one digit less behind the point" },
  rewindOffsets: { about: "after a restart, starts with the offsets of groups n lower", number: 2 },
  skipMessages: { about: "after a restart, starts with all messages of topics acknowledged" },
  refuseOldTokens: { about: "signs tokens with a new secret at each start" },

  stickJob: { about: "after a kill, shows the last flush or compaction running for good" },
  breakFlush: { about: "after a kill, fails every flush" },

  healthBeforeSql: { about: "reports itself healthy for n ms before it answers SQL", number: 1500 },
  emptyAtFirst: { about: "after a restart, answers queries without rows for n ms", number: 1000 },
  relapse: { about: "after a restart, refuses everything for n ms once it has answered some requests", number: 700 },
  slowerEachKill: { about: "starts n ms later after each kill", number: 300 },

  hangOnStop: { about: "does not end when asked to" },
  dirtyExit: { about: "ends with exit code 3 when asked to end" },
  letAnyoneIn: { about: "lets anyone in at the PostgreSQL port, whatever the password" },
  loseLastRowOnWire: { about: "leaves out the last row of several at the PostgreSQL port" },

  cutOnStop: { about: "cuts WebSocket connections when asked to end, without a close frame" },
} as const satisfies Readonly<Record<string, Switch>>;

export type FaultName = keyof typeof switches;
const knownFaults: Readonly<Record<FaultName, Switch>> = switches;

export interface Faults {
  /** The number of the fault; undefined if it is not switched on. Counts nothing. */
  numberOf(name: FaultName): number | undefined;
  /** Logs that the fault took effect, and on what. */
  fired(name: FaultName, what?: string): void;
  /** Whether the fault is switched on. Call it where the fault takes effect: it is logged as fired. */
  fires(name: FaultName): boolean;
}

export type SwitchedOn = Readonly<Partial<Record<FaultName, number>>>;

/**
 * Reads `KALAM_SANDBOX_FAULTS`, names separated by commas, some with a number: `tearBatch,loseOnKill=3`. Announces each;
 * undefined if one is unknown.
 */
export function readFaults(list: string, say: (line: string) => void): SwitchedOn | undefined {
  const on: Partial<Record<FaultName, number>> = {};
  for (const given of list.split(",").filter((one) => one !== "")) {
    const [, name = "", number] = /^(\w+)(?:=(\d{1,6}))?$/.exec(given) ?? [];
    const known = Object.hasOwn(knownFaults, name) ? knownFaults[name as FaultName] : undefined;
    if (known === undefined || (number !== undefined && known.number === undefined)) {
      say(`unknown sandbox fault ${given}; expected one of ${Object.entries(knownFaults).map(shown).join(", ")}`);
      return undefined;
    }
    on[name as FaultName] = Number(number ?? known.number ?? 1);
    say(`sandbox fault ${given} on`);
  }
  return on;
}

function shown([name, { number }]: readonly [string, Switch]): string {
  return number === undefined ? name : `${name}=${number}`;
}

export function faultsOf(on: SwitchedOn, say: (line: string) => void): Faults {
  const fired = (name: FaultName, what = ""): void => {
    say(`sandbox fault ${name} fired${what === "" ? "" : `: ${what}`}`);
  };
  return {
    numberOf: (name) => on[name],
    fired,
    fires(name) {
      if (on[name] === undefined) return false;
      fired(name);
      return true;
    },
  };
}
