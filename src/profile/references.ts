/** `${env:NAME}`, `${env:NAME:-default}` and `${file:PATH}` in profiles. Nothing is executed, and nothing else is special. */
import path from "node:path";
import { readText, whyUnreadable } from "./bounded.ts";
import type { Expanded } from "./shape.ts";
import { isPublic } from "./variables.ts";

const reference = /\$\{([^}]*)\}/g;

export interface ReferenceSources {
  readonly environment: NodeJS.ProcessEnv;
  /** Where relative paths begin: the folder of the profile. */
  readonly folder: string;
  /** Called with every value read from a file: it is treated as a secret. */
  readonly onSecret: (value: string) => void;
  /** Called with the name of every environment variable whose value is used. */
  readonly onVariable?: (name: string) => void;
}

/**
 * The text with its references replaced, whether all of it came from one, and the values of variables in it, which may be
 * secret; or the first thing that is wrong.
 */
export function expandReferences(text: string, sources: ReferenceSources): Expanded {
  let wrong: Wrong | undefined;
  const fromVariables: string[] = [];
  const value = text.replace(reference, (whole, inside: string) => {
    const found = look(inside, sources);
    if ("code" in found) wrong ??= found;
    else if (found.variable !== undefined && !isPublic(found.variable)) fromVariables.push(found.value);
    return "code" in found ? whole : found.value;
  });
  return wrong ?? { value, referred: /^\$\{[^}]*\}$/.test(text), fromVariables };
}

type Wrong = Extract<Expanded, { code: unknown }>;

function look(inside: string, sources: ReferenceSources): { value: string; variable?: string } | Wrong {
  const named = /^env:([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/.exec(inside);
  if (named !== null) {
    const [, name = "", fallback] = named;
    const value = sources.environment[name];
    // As in a shell, :- also replaces an empty value: an unset variable of a pipeline often arrives as "".
    if (value !== undefined && (value !== "" || fallback === undefined)) {
      sources.onVariable?.(name);
      return { value, variable: name };
    }
    if (fallback !== undefined) return { value: fallback };
    return {
      code: "missingVariable",
      message: `the environment variable ${name} is not set; \${env:${name}:-default} gives a default`,
    };
  }
  const file = /^file:(.+)$/.exec(inside)?.[1];
  if (file === undefined) {
    return {
      code: "invalidReference",
      message: `\${${inside}} is not a reference; expected \${env:NAME}, \${env:NAME:-default} or \${file:PATH}`,
    };
  }
  try {
    const value = readText(path.resolve(sources.folder, file), { regular: true }).replace(/\r?\n$/, "");
    sources.onSecret(value);
    return { value };
  } catch (error) {
    return { code: "unreadableFile", message: `cannot read ${file}: ${whyUnreadable(error)}` };
  }
}
