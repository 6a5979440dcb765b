/** The plan for a server that was asked what it is. */
import type { Category } from "../check.ts";
import type { Plan } from "../plan.ts";
import type { Profile } from "../profile/effective.ts";
import { findPostgres } from "../server/postgres.ts";
import { askDialect } from "../server/probing.ts";
import { noPasswordLogin } from "../session/accounts.ts";
import type { Way } from "../wire/way.ts";
import type { Attached } from "./attach.ts";
import type { Output } from "./output.ts";
import { planFor } from "./preparation.ts";

interface Asking {
  readonly profile: Profile;
  readonly categories: readonly Category[];
  readonly own: boolean;
  readonly way?: Way | undefined;
  readonly output: Output;
  readonly signal: AbortSignal;
}

/**
 * Asks the server for its dialect where the plan creates anything, and plans with the answer. An interrupted run plans with
 * what is known of the version.
 */
export async function planAsking({ session, ownPostgres }: Attached, parts: Asking): Promise<Plan> {
  const { profile, categories, own, way, output, signal } = parts;
  const means = { own, way, login: session.login, remote: session.remote };
  const plan = planFor(profile, categories, means);
  const creates = plan.steps.some(
    ({ check, disposition }) => disposition.kind === "run" && check.observation.touches !== "nothing",
  );
  if (creates) {
    output.progress("asking the server for its dialect");
    await askDialect(session, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
  const isNeeded = plan.steps.some(
    ({ check, disposition }) => disposition.kind === "run" && check.observation.needs?.includes("postgres") === true,
  );
  if (isNeeded)
    await findPostgres(session, {
      given: ownPostgres ?? profile.postgres,
      proxied: way?.proxy !== undefined,
      signal,
    });
  if (!session.capabilities.passwordLogin) output.tell(noPasswordLogin);
  return planFor(profile, categories, { ...means, dialect: session.learned.dialect, postgres: session.postgres });
}
