/** `kalam-ready check`: runs the checks against a server; the exit is the verdict. */
import type { ExitName } from "../exit.ts";
import type { Profile } from "../profile/effective.ts";
import { flagName, settings, type Flags } from "../profile/settings.ts";
import { readValue, UsageError } from "../profile/usage.ts";
import { checkServer } from "./check-run.ts";
import { mustBeRunnable } from "./files.ts";
import type { PendingReports } from "./pending-reports.ts";
import { prepare } from "./preparation.ts";

/** Throws UsageError, ProfileError and CannotWriteError; not once a report is on stdout. */
export async function check(flags: Flags, environment: NodeJS.ProcessEnv, pending: PendingReports): Promise<ExitName> {
  const { output, categories, profile, ...prepared } = await prepare(flags, environment);
  pending.place(profile.reports);
  if (profile.url === undefined && profile.serverBin === undefined) {
    throw new UsageError(
      "noServer",
      "no server given: set --url, KALAM_READY_URL, or server: in the profile; --server-bin starts one",
    );
  }
  const credentials = profile.serverBin === undefined ? await prepared.credentials() : undefined;
  mustBeRunnable(profile);
  return await checkServer({
    profile,
    categories,
    credentials,
    environment,
    output,
    seed:
      flags.seed === undefined
        ? Math.floor(Math.random() * 1_000_000)
        : readValue(flagName("seed"), flags.seed, settings.seed.kind),
    keep: flags.keep ?? false,
    again: againWords(flags, profile),
  });
}

/** The arguments that lead to the same server with the same rights, without the selection of checks. */
function againWords(flags: Flags, profile: Profile): string[] {
  const words: string[] = [];
  if (flags.profile !== undefined) words.push("--profile", flags.profile);
  if (profile.serverBin !== undefined) words.push("--server-bin", profile.serverBin);
  else if (flags.url !== undefined && profile.url !== undefined) words.push("--url", profile.url);
  if (flags.serverConfig !== undefined) words.push("--server-config", flags.serverConfig);
  if (profile.kalamBin !== undefined) words.push("--kalam-bin", profile.kalamBin);
  if (flags.user !== undefined) words.push("--user", flags.user);
  for (const allowed of flags.allow ?? []) words.push("--allow", allowed);
  if (flags.readOnly === true) words.push("--read-only");
  if (flags.effort !== undefined) words.push("--effort", flags.effort);
  return words;
}
