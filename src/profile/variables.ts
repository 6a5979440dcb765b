/** The environment variables that kalam-ready knows. A misspelled one would be ignored, and its setting with it. */
import { didYouMean } from "../nearest.ts";
import { settings, type Setting } from "./settings.ts";
import { UsageError } from "./usage.ts";

const prefix = "KALAM_READY_";
const all: readonly Setting[] = Object.values(settings);
const known = all.flatMap(({ variable = "" }) => (variable.startsWith(prefix) ? [variable] : []));
const secrets: ReadonlySet<string> = new Set([settings.password.variable, settings.token.variable]);

/** Kubernetes sets these in every pod, where a service has the name kalam-ready. */
const ofKubernetes = /^KALAM_READY_(SERVICE_(HOST|PORT(_.*)?)|PORT(_\d+_(TCP|UDP|SCTP)(_.*)?)?)$/;

/** Throws UsageError. */
export function mustKnowVariables(environment: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(environment)) {
    if (!name.startsWith(prefix) || known.includes(name) || ofKubernetes.test(name)) continue;
    const hint = didYouMean(name, known);
    throw new UsageError("unknownVariable", `unknown environment variable ${name}${hint}`, { setting: name });
  }
}

/** Settings of ours that are shown anyway, unlike the value of any other variable that a profile refers to. */
export function isPublic(variable: string): boolean {
  return known.includes(variable) && !secrets.has(variable);
}
