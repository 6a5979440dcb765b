/** Faults at the PostgreSQL port. */
import type { Fault } from "../proof.ts";
import type { PostgresCall, PostgresOutcome } from "../wire/postgres/postgres.ts";

/** Anything but undefined from `meddle` replaces the outcome and counts as fired. */
export function postgresFault(
  name: string,
  meddle: (
    call: PostgresCall,
    passOn: (instead?: PostgresCall) => Promise<PostgresOutcome>,
  ) => Promise<PostgresOutcome | undefined>,
  /** Addresses of this machine besides those that it has. */
  addresses: readonly string[] = [],
): Fault {
  return {
    name,
    wrap(wire, fired) {
      const { postgres } = wire;
      if (postgres === undefined) return wire;
      return {
        ...wire,
        postgres: {
          ownAddresses: [...postgres.ownAddresses, ...addresses],
          async call(asked) {
            const meddled = await meddle(asked, async (instead = asked) => await postgres.call(instead));
            if (meddled === undefined) return await postgres.call(asked);
            fired();
            return meddled;
          },
        },
      };
    },
  };
}
