/** `kalam-ready plan`: what `check` would do with the same flags. Sends nothing. */
import { loadCategories } from "../../checks/index.ts";
import { needDescriptions } from "../check.ts";
import type { ExitName } from "../exit.ts";
import { effectiveProfile } from "../profile/effective.ts";
import { readProfile } from "../profile/read.ts";
import { planned, profileName, type CheckFlags } from "./check.ts";
import { columns } from "../formats/columns.ts";
import { mustBeRunnable } from "./files.ts";
import { Output } from "./output.ts";

export async function plan(flags: CheckFlags, environment: NodeJS.ProcessEnv): Promise<ExitName> {
  const output = new Output(flags, environment);
  const categories = await loadCategories();
  const source = readProfile(profileName(flags, environment), {
    categories,
    environment,
    onSecret: (value) => output.redactor.add(value),
  });
  const { profile } = effectiveProfile(source, flags, environment, categories);
  mustBeRunnable(profile);
  const made = planned(profile, categories, {
    ownServer: profile.serverBin !== undefined,
    kalam: profile.kalamBin !== undefined,
  });
  const rows = made.steps.map(({ check, disposition, required }) => ({
    id: check.id,
    does: disposition.kind,
    reason: disposition.kind === "run" ? "" : disposition.reason,
    touches: check.observation.touches,
    needs: (check.observation.needs ?? []).map((need) => needDescriptions[need]),
    estimateMs: check.observation.estimateMs,
    estimateRequests: check.observation.estimateRequests,
    required,
  }));
  const running = rows.filter((row) => row.does === "run").length;
  const server = profile.serverBin ?? profile.url ?? null;
  const summary = {
    server,
    running,
    of: rows.length,
    leftOut: made.leftOut,
    estimateMs: made.estimateMs,
    estimateRequests: made.estimateRequests,
  };
  if (flags.json === true) {
    output.out(`${JSON.stringify({ ...summary, checks: rows }, undefined, 2)}\n`);
    return "ready";
  }
  output.out(
    columns(
      rows.map((row) => [
        row.does,
        row.id,
        row.touches,
        row.does === "run" ? `${(row.estimateMs / 1000).toFixed(1)} s` : "",
        row.does === "run" ? `${row.estimateRequests} requests` : "",
        [row.reason, row.required ? "required" : ""].filter((word) => word !== "").join(", "),
      ]),
    ),
  );
  const left = summary.leftOut > 0 ? `, ${summary.leftOut} left out by --only` : "";
  output.out(
    `\n${running} of ${rows.length} checks would run${left}: about ${Math.ceil(summary.estimateMs / 1000)} s and ${summary.estimateRequests} requests` +
      `${server === null ? "; no server named yet" : ` to ${server}`}. Nothing was sent.\n`,
  );
  return "ready";
}
