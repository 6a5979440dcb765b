/** `kalam-ready check`: runs the checks against a server; the exit is the verdict. */
import { setFlagsFromString } from "node:v8";
import type { ExitName } from "../exit.ts";
import { flagName, settings, type Flags } from "../profile/settings.ts";
import { readValue, UsageError } from "../profile/usage.ts";
import { againCommand, isOpenToCurl, secretPlace, startedAs } from "./again.ts";
import { checkServer } from "./check-run.ts";
import { mustBeRunnable } from "./files.ts";
import type { PendingReports } from "./pending-reports.ts";
import { prepare } from "./preparation.ts";

/** A run shares its machine with others, perhaps with the server: without this, Node keeps 30 MB of garbage while memory is free. */
const sparingMemory = "--optimize-for-size";

/** Throws UsageError, ProfileError and CannotWriteError; not once a report is on stdout. */
export async function check(flags: Flags, environment: NodeJS.ProcessEnv, pending: PendingReports): Promise<ExitName> {
  setFlagsFromString(sparingMemory);
  const { output, categories, profile, ...prepared } = await prepare(flags, environment);
  pending.place(profile.reports);
  if (profile.url === undefined && profile.serverBin === undefined) {
    throw new UsageError(
      "noServer",
      "no server given: set --url, KALAM_READY_URL, or server: in the profile; --server-bin starts one",
    );
  }
  const way = profile.serverBin === undefined ? prepared.way() : undefined;
  const credentials = profile.serverBin === undefined ? await prepared.credentialsIfGiven() : undefined;
  mustBeRunnable(profile);
  const seed =
    flags.seed === undefined
      ? Math.floor(Math.random() * 1_000_000)
      : readValue(flagName("seed"), flags.seed, settings.seed.kind);
  const program = startedAs(process.argv[1] ?? "", environment);
  const { redactor } = output;
  const parts = { flags, environment, profile, source: prepared.source, credentials, seed, program, redactor };
  return await checkServer({
    profile,
    categories,
    credentials,
    way,
    environment,
    output,
    seed,
    keep: flags.keep ?? false,
    again: (one) => againCommand(parts, one),
    secret: isOpenToCurl(parts) ? secretPlace(parts) : undefined,
  });
}
