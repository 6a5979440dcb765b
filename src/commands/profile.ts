/** `kalam-ready profile init · lint · show · schema`. */
import { existsSync } from "node:fs";
import { loadCategories } from "../../checks/index.ts";
import type { ExitName } from "../exit.ts";
import { columns } from "../formats/columns.ts";
import { profileSchemaText } from "../profile/keys.ts";
import { lint, nextEnd } from "../profile/lint.ts";
import { ownProfile, ProfileError } from "../profile/read.ts";
import type { Flags } from "../profile/settings.ts";
import { profileTemplate } from "../profile/template.ts";
import { UsageError } from "../profile/usage.ts";
import { mustBeWritable, writeWhole } from "./files.ts";
import { nameOf } from "../wire/postgres/postgres.ts";
import { Output, type OutputFlags } from "./output.ts";
import { planFor, prepare } from "./preparation.ts";

/** Writes a commented profile; never over an existing file. */
export async function profileInit(
  file: string | undefined,
  flags: OutputFlags,
  environment: NodeJS.ProcessEnv,
): Promise<ExitName> {
  const output = new Output(flags, environment);
  if (file === "-") {
    output.document(profileTemplate());
    return "ready";
  }
  const path = file ?? ownProfile;
  if (existsSync(path)) {
    const message = `${path} already exists; give another name, or - to print the profile`;
    throw new UsageError("fileExists", message, { file: path });
  }
  mustBeWritable(path);
  writeWhole(path, profileTemplate());
  output.tell(`wrote ${path}; check it with kalam-ready profile lint ${path}`);
  return "ready";
}

export async function profileLint(
  file: string | undefined,
  flags: Flags,
  environment: NodeJS.ProcessEnv,
): Promise<ExitName> {
  const { output, source, profile, categories } = await prepare(flags, environment, file);
  try {
    planFor(profile, categories);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new ProfileError(source.from, [{ code: "requiredNotAllowed", message: error.message }]);
  }
  const today = new Date().toISOString().slice(0, 10);
  for (const { key, message } of lint(profile, today))
    output.tellLine(`${[source.from, source.lines[key]].join(":")}: warning: ${key}: ${message}`);
  output.line(`${source.from}: valid${nextEnd(profile, today)}`);
  return "ready";
}

/** The profile that takes effect, and where each value came from. */
export async function profileShow(
  file: string | undefined,
  flags: Flags,
  environment: NodeJS.ProcessEnv,
): Promise<ExitName> {
  const { output, profile, origins, source } = await prepare(flags, environment, file);
  const { login } = source.document;
  const { way } = profile;
  const secrets = { password: login?.password, token: login?.token };
  const shown: Record<string, unknown> = {
    name: profile.name,
    server: profile.serverBin ?? profile.url,
    "older-server-bin": profile.olderServerBin,
    "kalam-bin": profile.kalamBin,
    postgres: typeof profile.postgres === "object" ? nameOf(profile.postgres) : profile.postgres,
    production: profile.production,
    login: {
      user: profile.user,
      ...Object.fromEntries(
        Object.entries(secrets).flatMap(([key, value]) => (value === undefined ? [] : [[key, "•••"]])),
      ),
    },
    tls: {
      "ca-file": way.caFile?.file,
      "client-cert": way.clientCert?.file,
      "client-key": way.clientKey?.file,
      insecure: way.insecure,
    },
    control:
      profile.control?.kind === "docker"
        ? { docker: { container: profile.control.container } }
        : profile.control && { command: profile.control.commands },
    headers: Object.fromEntries([...way.headers, ...way.headersGiven].map(({ name }) => [name, "•••"])),
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
  const values = Object.entries(shown).map(
    ([key, value]) => [key, value === undefined ? undefined : output.redactor.redactAll(value)] as const,
  );
  if (flags.json === true) {
    const rows = values.map(([key, value]) => [key, { value: value ?? null, origin: origins[key] ?? "default" }]);
    output.document(`${JSON.stringify(Object.fromEntries(rows), undefined, 2)}\n`);
  } else {
    output.document(
      columns(
        values.map(([key, value]) => [
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
  new Output(flags, environment).document(profileSchemaText(await loadCategories()));
  return "ready";
}
