/** What a command that uses a profile begins with: output, checks, and the profile that takes effect. */
import { loadCategories } from "../../checks/index.ts";
import type { Category } from "../check.ts";
import { makePlan, type Plan } from "../plan.ts";
import { effectiveProfile, type Effective, type Profile } from "../profile/effective.ts";
import { readProfile, type ProfileSource } from "../profile/read.ts";
import { flagName, settings, type Flags } from "../profile/settings.ts";
import { readValue } from "../profile/usage.ts";
import { mustKnowVariables } from "../profile/variables.ts";
import type { Account } from "../server/sender.ts";
import type { Credentials } from "../session/entering.ts";
import { findCredentials } from "./credentials.ts";
import { Output } from "./output.ts";
import { mustBeTrusted, warnOfPlainHttp } from "./trust.ts";

export interface Preparation extends Effective {
  readonly output: Output;
  readonly categories: readonly Category[];
  readonly source: ProfileSource;
  /** Throws UsageError, and ProfileError where the profile may not choose who gets them. */
  credentials(): Promise<Credentials>;
}

/** `file` takes the place of --profile. Throws UsageError and ProfileError. */
export async function prepare(flags: Flags, environment: NodeJS.ProcessEnv, file?: string): Promise<Preparation> {
  const output = new Output(flags, environment);
  mustKnowVariables(environment);
  const categories = await loadCategories();
  const source = readProfile(file ?? profileName(flags, environment), {
    categories,
    environment,
    onSecret: (value) => output.redactor.add(value),
  });
  const effective = effectiveProfile(source, flags, environment, categories);
  const credentials = async (): Promise<Credentials> => {
    const { user, url } = effective.profile;
    mustBeTrusted(source, effective);
    warnOfPlainHttp(url, output);
    return await findCredentials({ user, url }, flags, source.document, environment, output);
  };
  return { output, categories, source, ...effective, credentials };
}

function profileName({ profile }: Flags, environment: NodeJS.ProcessEnv): string | undefined {
  if (profile !== undefined) return readValue(flagName("profile"), profile, settings.profile.kind);
  const variable = environment[settings.profile.variable];
  return variable === "" ? undefined : variable;
}

/** The plan for a server that the profile names or starts, or for one that runs already and is ours. Throws UsageError. */
export function planFor(
  profile: Profile,
  categories: readonly Category[],
  server: { readonly own?: boolean; readonly login?: Account } = {},
): Plan {
  const { login } = server;
  return makePlan(profile, categories, {
    ownServer: server.own ?? profile.serverBin !== undefined,
    kalam: profile.kalamBin !== undefined,
    ...(login === undefined ? {} : { login }),
  });
}
