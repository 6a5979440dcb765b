/** `kalam-ready plan`: what `check` would do with the same flags. Sends nothing. */
import { needDescriptions } from "../needs.ts";
import type { ExitName } from "../exit.ts";
import { columns } from "../formats/columns.ts";
import type { Flags } from "../profile/settings.ts";
import { mustBeRunnable } from "./files.ts";
import { planFor, prepare, warnOfBudget } from "./preparation.ts";

export async function plan(flags: Flags, environment: NodeJS.ProcessEnv): Promise<ExitName> {
  const { output, categories, profile, hasLogin, ...prepared } = await prepare(flags, environment);
  mustBeRunnable(profile);
  const way = profile.serverBin === undefined ? prepared.way() : undefined;
  // Without a server, the plan is for any login.
  const made = planFor(profile, categories, profile.url === undefined || hasLogin ? { way } : { way, login: null });
  warnOfBudget(made, profile, output);
  const rows = made.steps.map(({ check, disposition, required }) => ({
    id: check.id,
    does: disposition.kind,
    reason: disposition.kind === "run" ? "" : output.redactor.redact(disposition.reason),
    touches: check.observation.touches,
    needs: (check.observation.needs ?? []).map((need) => needDescriptions[need]),
    estimateMs: check.observation.estimateMs,
    estimateRequests: check.observation.estimateRequests,
    required,
  }));
  const running = rows.filter((row) => row.does === "run").length;
  const named = profile.serverBin ?? profile.url;
  const server = named === undefined ? null : output.redactor.redact(named);
  const summary = {
    server,
    running,
    of: rows.length,
    leftOut: made.leftOut,
    estimateMs: made.estimateMs,
    estimateRequests: made.estimateRequests,
  };
  if (flags.json === true) {
    output.document(`${JSON.stringify({ ...summary, checks: rows }, undefined, 2)}\n`);
    return "ready";
  }
  output.document(
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
  const left = summary.leftOut > 0 ? `, ${summary.leftOut} not selected by --only` : "";
  output.document(
    `\n${running} of ${rows.length} checks would run${left}: about ${Math.ceil(summary.estimateMs / 1000)} s and ${summary.estimateRequests} requests` +
      `${server === null ? "; no server given yet" : ` to ${server}`}. Nothing was sent.\n` +
      (made.limitedBy === undefined ? "" : `${made.limitedBy}\n`),
  );
  return "ready";
}
