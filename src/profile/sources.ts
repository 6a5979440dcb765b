/** Where the value of a setting comes from: flag over environment over profile over default. Each origin is noted. */
import type { ProfileDocument } from "./keys.ts";
import type { ProfileSource } from "./read.ts";
import { flagName, settings, type Flags, type Setting } from "./settings.ts";
import { readValue } from "./usage.ts";
import type { Kind } from "./values.ts";

/** Settings with one value, of one kind, that the first source decides. */
type SingleName =
  | "user"
  | "caFile"
  | "clientCert"
  | "clientKey"
  | "insecure"
  | "budget"
  | "timeout"
  | "maxRps"
  | "effort"
  | "parallel"
  | "olderServerBin"
  | "kalamBin"
  | "postgres"
  | "failOn";

/** A value, and where it comes from. */
export interface Found<T> {
  readonly value: T;
  /** `flag --ca-file`, `environment KALAM_READY_CA_FILE`, `gate.yaml:4`, `default`. */
  readonly origin: string;
  /** How the user names it there: `--ca-file`, `KALAM_READY_CA_FILE`, `tls.ca-file`. */
  readonly setting: string;
  readonly inProfile: boolean;
}

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
    const { value, origin, key } = this.find(name);
    const [top = key] = key.split(".");
    return this.note(top, origin, value);
  }

  /** The value and where it comes from; not noted yet. */
  find<Name extends SingleName>(name: Name): Found<Picked<(typeof settings)[Name]>> & { readonly key: string } {
    const setting: Setting & { readonly kind: Kind<unknown> } = settings[name];
    const key = setting.key ?? flagName(name).slice(2);
    const [top = key] = key.split(".");
    const found = (origin: string, named: string, value: unknown, inProfile = false) => {
      return { value: value as Picked<(typeof settings)[Name]>, origin, setting: named, inProfile, key };
    };
    const flag = this.flags[name];
    const flagged = flagName(name);
    if (flag !== undefined) return found(`flag ${flagged}`, flagged, readValue(flagged, String(flag), setting.kind));
    const { variable = "" } = setting;
    const text = this.variable(variable);
    if (text !== undefined) return found(`environment ${variable}`, variable, readValue(variable, text, setting.kind));
    const written = valueAt(this.document, key);
    return written === undefined
      ? found("default", flagged, setting.fallback)
      : found(this.line(top), key, written, true);
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

  /** Where relative paths in the profile begin. */
  get folder(): string {
    return this.#source.folder;
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
