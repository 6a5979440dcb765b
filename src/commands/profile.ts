/** `kalam-ready profile init · lint · show · schema`. */
import { existsSync } from "node:fs";
import { loadCategories } from "../../checks/index.ts";
import type { ExitName } from "../exit.ts";
import { effectiveProfile, type Flags } from "../profile/effective.ts";
import { UsageError } from "../profile/usage.ts";
import { profileSchema } from "../profile/keys.ts";
import { ownProfile, ProfileError, readProfile } from "../profile/read.ts";
import { profileTemplate } from "../profile/template.ts";
import { planned, profileName } from "./check.ts";
import { columns } from "../formats/columns.ts";
import { mustBeWritable, writeWhole } from "./files.ts";
import { Output, type OutputFlags } from "./output.ts";

/** Writes a commented profile; never over one that is there. */
export async function profileInit(
  file: string | undefined,
  flags: OutputFlags,
  environment: NodeJS.ProcessEnv,
): Promise<ExitName> {
  const output = new Output(flags, environment);
  if (file === "-") {
    output.out(profileTemplate());
    return "ready";
  }
  const path = file ?? ownProfile;
  if (existsSync(path)) throw new UsageError(`${path} is there already; give another name, or - to print one`);
  mustBeWritable(path);
  writeWhole(path, profileTemplate());
  output.tell(`wrote ${path}; check it with kalam-ready profile lint ${path}`);
  return "ready";
}

export async function profileLint(
  file: string | undefined,
  flags: OutputFlags & Flags,
  environment: NodeJS.ProcessEnv,
): Promise<ExitName> {
  const output = new Output(flags, environment);
  const { source, profile, categories } = await effective(file, flags, environment, output);
  try {
    planned(profile, categories, {
      ownServer: profile.serverBin !== undefined,
      kalam: profile.kalamBin !== undefined,
    });
  } catch (error) {
    if (error instanceof UsageError) throw new ProfileError(`${source.from}: ${error.message}`);
    throw error;
  }
  output.out(`${source.from}: no problem found\n`);
  return "ready";
}

/** The profile that takes effect, and where each value came from. */
export async function profileShow(
  file: string | undefined,
  flags: OutputFlags & Flags,
  environment: NodeJS.ProcessEnv,
): Promise<ExitName> {
  const output = new Output(flags, environment);
  const { profile, origins, source } = await effective(file, flags, environment, output);
  const { login } = source.document;
  const secrets = { password: login?.password, token: login?.token };
  const shown: Record<string, unknown> = {
    name: profile.name,
    server: profile.serverBin ?? profile.url,
    kalam: profile.kalamBin,
    production: profile.production,
    login: {
      user: profile.user,
      ...Object.fromEntries(
        Object.entries(secrets).flatMap(([key, value]) => (value === undefined ? [] : [[key, "•••"]])),
      ),
    },
    allow: profile.allow,
    effort: profile.effort,
    budget: `${profile.budgetMs / 1000}s`,
    timeout: `${profile.timeoutMs / 1000}s`,
    "max-rps": profile.maxPerSecond,
    parallel: profile.parallel,
    "fail-on": profile.failOn,
    only: profile.only === undefined ? undefined : [...profile.only],
    skip: Object.fromEntries(profile.skip),
    require: [...profile.require],
    checks: profile.checks,
    accept: profile.accept,
    reports: profile.reports,
  };
  if (flags.json === true) {
    const rows = Object.entries(shown).map(([key, value]) => [
      key,
      { value: value ?? null, origin: origins[key] ?? "default" },
    ]);
    output.out(`${JSON.stringify(Object.fromEntries(rows), undefined, 2)}\n`);
  } else {
    output.out(
      columns(
        Object.entries(shown).map(([key, value]) => [
          key,
          value === undefined ? "-" : JSON.stringify(value),
          origins[key] ?? "default",
        ]),
      ),
    );
  }
  return "ready";
}

export async function profileSchemaCommand(flags: OutputFlags, environment: NodeJS.ProcessEnv): Promise<ExitName> {
  new Output(flags, environment).out(`${JSON.stringify(profileSchema(await loadCategories()), undefined, 2)}\n`);
  return "ready";
}

async function effective(file: string | undefined, flags: Flags, environment: NodeJS.ProcessEnv, output: Output) {
  const categories = await loadCategories();
  const source = readProfile(file ?? profileName(flags, environment), {
    categories,
    environment,
    onSecret: (value) => output.redactor.add(value),
  });
  return { ...effectiveProfile(source, flags, environment, categories), source, categories };
}
