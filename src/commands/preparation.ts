/** What a command that uses a profile begins with: output, checks, and the profile that takes effect. */
import { loadCategories } from "../../checks/index.ts";
import type { Category } from "../check.ts";
import { durationAbout, durationText } from "../duration.ts";
import { makePlan, type Means, type Plan } from "../plan.ts";
import { whyNoTrace } from "../control/tracing.ts";
import { effectiveProfile, type Effective, type Profile } from "../profile/effective.ts";
import { readProfile, type ProfileSource } from "../profile/read.ts";
import { flagName, settings, type Flags } from "../profile/settings.ts";
import { readValue } from "../profile/usage.ts";
import { mustKnowVariables } from "../profile/variables.ts";
import type { Dialect } from "../server/dialect.ts";
import type { FoundPostgres } from "../server/postgres.ts";
import type { Account } from "../server/sender.ts";
import type { Credentials } from "../session/entering.ts";
import { isLoopback } from "../session/session.ts";
import type { Way } from "../wire/way.ts";
import { findCredentials, isLoginGiven } from "./credentials.ts";
import { Output } from "./output.ts";
import { mustBeTrusted, warnOfPlainHttp } from "./trust.ts";
import { makeWay, warnOfInsecure } from "./way.ts";

export interface Preparation extends Effective {
  readonly output: Output;
  readonly categories: readonly Category[];
  readonly source: ProfileSource;
  /** Whether any part of a login was given. */
  readonly hasLogin: boolean;
  /** Throws UsageError, and ProfileError where the profile may not choose who gets them. */
  credentials(): Promise<Credentials>;
  /** As `credentials`, but `none` where no part of a login was given. */
  credentialsIfGiven(): Promise<Credentials>;
  /** To the server of the profile; undefined if there is none. Throws UsageError and ProfileError. */
  way(): Way | undefined;
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
  const { user, url } = effective.profile;
  let chosen: Way | undefined;
  const way = (): Way | undefined => {
    if (url === undefined || chosen !== undefined) return chosen;
    mustBeTrusted(source, effective);
    chosen = makeWay(url, effective.profile.way, environment, output);
    warnOfInsecure(chosen, url, output);
    return chosen;
  };
  const credentials = async (): Promise<Credentials> => {
    mustBeTrusted(source, effective);
    warnOfPlainHttp(url, output, way()?.proxy);
    return await findCredentials({ user, url }, flags, source.document, environment, output);
  };
  const hasLogin = isLoginGiven(user, flags, source.document, environment);
  const credentialsIfGiven = async (): Promise<Credentials> => {
    mustBeTrusted(source, effective);
    return hasLogin ? await credentials() : { kind: "none" };
  };
  return { output, categories, source, ...effective, hasLogin, credentials, credentialsIfGiven, way };
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
  server: {
    readonly own?: boolean;
    readonly login?: Account | null;
    readonly way?: Way | undefined;
    readonly dialect?: Dialect;
    readonly postgres?: FoundPostgres | undefined;
    /** Known after the login; before it, the URL tells. */
    readonly remote?: boolean;
  } = {},
): Plan {
  const { login, dialect, own = profile.serverBin !== undefined } = server;
  return makePlan(profile, categories, {
    ownServer: own,
    olderServer: own && profile.olderServerBin !== undefined,
    ...(own && profile.allow.includes("disk") ? traceMeans() : {}),
    control: own || profile.control !== undefined,
    remote: !own && (server.remote ?? (profile.url !== undefined && !isLoopback(profile.url))),
    kalam: profile.kalamBin !== undefined,
    ...(server.way === undefined ? {} : kalamMeans(server.way)),
    ...(login === undefined ? {} : { login }),
    ...(dialect === undefined ? {} : { dialect }),
    ...(server.postgres?.kind === "absent" ? { whyNoPostgres: server.postgres.why } : {}),
  });
}

/** To be called before the first check: what a budget leaves out is unknown, and that takes a whole run to see. */
export function warnOfBudget({ estimateMs }: Plan, { budgetMs }: Pick<Profile, "budgetMs">, output: Output): void {
  if (estimateMs <= budgetMs) return;
  output.tell(
    `warning: these checks take about ${durationAbout(estimateMs)}, and the budget is ${durationText(budgetMs)}: those that it does not reach are unknown; raise --budget or select fewer`,
  );
}

let tried: Pick<Means, "whyNoTrace"> | undefined;

/** Tried once, where a check may want it. */
function traceMeans(): Pick<Means, "whyNoTrace"> {
  if (tried !== undefined) return tried;
  const why = whyNoTrace();
  return (tried = why === undefined ? {} : { whyNoTrace: why });
}

/** `kalam` knows only a URL: what it cannot be told would make its checks fail, and not the server. */
function kalamMeans({ headers, context, insecure, proxy }: Way): Pick<Means, "whyNoKalam"> {
  const needs = [
    ...(Object.keys(headers).length === 0 ? [] : ["headers"]),
    ...(context === undefined ? [] : ["certificates"]),
    ...(insecure ? ["an unverified server"] : []),
    ...(proxy === undefined ? [] : ["a proxy"]),
  ];
  return needs.length === 0 ? {} : { whyNoKalam: `kalam cannot be told of ${needs.join(", ")}` };
}
