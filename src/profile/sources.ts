/** Where the value of a setting comes from: flag over environment over profile over default. Each origin is noted. */
import type { ProfileDocument } from "./keys.ts";
import type { ProfileSource } from "./read.ts";
import { flagName, settings, type Flags, type Setting } from "./settings.ts";
import { readValue } from "./usage.ts";
import type { Kind } from "./values.ts";

/** Settings with one value, of one kind, that the first source decides. */
type SingleName = "user" | "budget" | "timeout" | "maxRps" | "effort" | "parallel" | "kalamBin" | "failOn";

type Picked<S> = S extends { readonly kind: Kind<infer T>; readonly fallback: infer D }
  ? T | Extract<D, T>
  : S extends { readonly kind: Kind<infer T> }
    ? T | undefined
    : never;

export class Sources {
  /** By key of the profile: `flag --allow`, `environment KALAM_READY_URL`, `gate.yaml:4`, `default`. */
  readonly origins: Record<string, string> = {};
  readonly flags: Flags;
  readonly document: ProfileDocument;
  readonly #source: ProfileSource;
  readonly #environment: NodeJS.ProcessEnv;

  constructor(source: ProfileSource, flags: Flags, environment: NodeJS.ProcessEnv) {
    this.#source = source;
    this.document = source.document;
    this.flags = flags;
    this.#environment = environment;
  }

  pick<Name extends SingleName>(name: Name): Picked<(typeof settings)[Name]> {
    const setting: Setting & { readonly kind: Kind<unknown> } = settings[name];
    const key = setting.key ?? flagName(name).slice(2);
    const [top = key] = key.split(".");
    const note = (origin: string, value: unknown) => this.note(top, origin, value) as Picked<(typeof settings)[Name]>;
    const flag = this.flags[name];
    if (flag !== undefined) return note(`flag ${flagName(name)}`, readValue(flagName(name), flag, setting.kind));
    const { variable = "" } = setting;
    const text = this.variable(variable);
    if (text !== undefined) return note(`environment ${variable}`, readValue(variable, text, setting.kind));
    const written = valueAt(this.document, key);
    return written === undefined ? note("default", setting.fallback) : note(this.line(top), written);
  }

  /** What only a profile can say. */
  written<Key extends keyof ProfileDocument, D>(key: Key, fallback: D): NonNullable<ProfileDocument[Key]> | D {
    const value = this.document[key];
    return value === undefined || value === null
      ? this.note(key, "default", fallback)
      : this.note(key, this.line(key), value);
  }

  /** Undefined if empty, too: an unset variable of a pipeline often arrives as "". */
  variable(name: string): string | undefined {
    const value = this.#environment[name];
    return value === "" ? undefined : value;
  }

  /** Where the profile sets a key: `gate.yaml:4`. */
  line(key: string): string {
    const line = this.#source.lines[key];
    return line === undefined ? this.#source.from : `${this.#source.from}:${line}`;
  }

  lineNumber(key: string): { readonly line?: number } {
    const line = this.#source.lines[key];
    return line === undefined ? {} : { line };
  }

  get from(): string {
    return this.#source.from;
  }

  note<T>(key: string, origin: string, value: T): T {
    this.origins[key] = origin;
    return value;
  }
}

function valueAt(document: ProfileDocument, key: string): unknown {
  let value: unknown = document;
  for (const part of key.split(".")) value = (value as Readonly<Record<string, unknown>> | undefined)?.[part];
  return value;
}
