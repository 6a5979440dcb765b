/** `${env:NAME}`, `${env:NAME:-default}` and `${file:PATH}` in profiles. Nothing is executed, and nothing else is special. */
import { readFileSync } from "node:fs";
import path from "node:path";

const reference = /\$\{([^}]*)\}/g;

export interface ReferenceSources {
  readonly environment: NodeJS.ProcessEnv;
  /** Where relative paths begin: the folder of the profile. */
  readonly folder: string;
  /** Told of every value that came out of a file: it is taken for a secret. */
  readonly onSecret: (value: string) => void;
}

/** The text with its references replaced, and whether the whole of it came from one; or what is missing. */
export function expandReferences(
  text: string,
  sources: ReferenceSources,
): { value: string; referred: boolean } | { missing: string } {
  let missing: string | undefined;
  const value = text.replace(reference, (whole, inside: string) => {
    const found = look(inside, sources);
    if ("missing" in found) missing ??= found.missing;
    return "missing" in found ? whole : found.value;
  });
  if (missing !== undefined) return { missing };
  return { value, referred: /^\$\{[^}]*\}$/.test(text) };
}

function look(inside: string, sources: ReferenceSources): { value: string } | { missing: string } {
  const named = /^env:([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/.exec(inside);
  if (named !== null) {
    const [, name = "", fallback] = named;
    const value = sources.environment[name];
    // As in a shell, :- stands in for an empty value, too: an unset variable of a pipeline often arrives as "".
    if (value !== undefined && (value !== "" || fallback === undefined)) return { value };
    if (fallback !== undefined) return { value: fallback };
    return { missing: `the environment has no ${name} (write \${env:${name}:-default} to give one)` };
  }
  const file = /^file:(.+)$/.exec(inside)?.[1];
  if (file === undefined)
    return { missing: `\${${inside}} is no reference: \${env:NAME}, \${env:NAME:-default} or \${file:PATH}` };
  try {
    const value = readFileSync(path.resolve(sources.folder, file), "utf8").replace(/\r?\n$/, "");
    sources.onSecret(value);
    return { value };
  } catch (error) {
    return { missing: `${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}` };
  }
}
