/**
 * What kalam-ready expects of one server where versions of KalamDB differ: a record, made from what the server answered and
 * from what is known of its version. Checks ask the record, never a version.
 *
 * What a check does with a server (how it opens a table, in which form it sends a cursor) is probed. What a check expects
 * (which names are refused) is not: a server that accepts what it should refuse would change the expectation. Pure.
 */
import {
  fieldNames,
  fieldWords,
  knownVersions,
  probedNames,
  verifiedOn,
  type FieldName,
  type KnownVersion,
  type Values,
} from "./facts.ts";

export { fieldNames, type FieldName, type Values } from "./facts.ts";

/** `probed`: this server answered so. `seen`: a real server of this version did. */
type Origin = "probed" | "seen" | "documented" | "assumed";

export type Field<T> =
  | { readonly known: true; readonly value: T; readonly from: Origin; readonly source?: string }
  | { readonly known: false };

export type Dialect = { readonly [F in FieldName]: Field<Values[F]> };

/** What a server answered; what is absent could not be found out. */
export type Signs = { readonly [F in (typeof probedNames)[number]]?: Values[F] };

/** A dialect, and what it rests on. */
export interface Learned {
  readonly dialect: Dialect;
  /** The known version that it was completed from; undefined if there is none. */
  readonly version: string | undefined;
  /** For the header of a report: what the checks are worth on this server. Empty for the version they were verified on. */
  readonly basis: string;
}

/** With fewer signs, a server that tells no version is like none. */
const signsMin = 2;

/** What the settings show, which were read at the login. */
export function signsOfSettings(settings: Readonly<Record<string, string>>): Signs {
  const names = Object.keys(settings);
  if (names.some((name) => name.startsWith("auth.local."))) return { settingNames: "auth.local" };
  return names.includes("auth.bcrypt_cost") ? { settingNames: "auth" } : {};
}

/** The dialect of a server that tells this version and showed these signs. */
export function learn(told: string | undefined, signs: Signs): Learned {
  const { of, unless } = knownFor(told, signs);
  const isVerified = told === verifiedOn;
  const entries = fieldNames.map((name) => [name, fieldOf(name, signs, of, isVerified)]);
  return {
    dialect: Object.fromEntries(entries) as Dialect,
    version: of?.name,
    basis: isVerified && of !== undefined ? "" : basisOf(told, of, unless),
  };
}

function fieldOf(name: FieldName, signs: Signs, of: KnownVersion | undefined, isVerified: boolean): Field<unknown> {
  const sign = (signs as Readonly<Record<string, unknown>>)[name];
  if (sign !== undefined) return { known: true, value: sign, from: "probed" };
  const fact = of?.facts[name];
  if (fact === undefined) return { known: false };
  const { value, from, source } = fact;
  // Seen on one version is only likely on its neighbours.
  return { known: true, value, from: from === "seen" && !isVerified ? "assumed" : from, source };
}

/** The version whose facts complete the signs; `unless`: why there is none. */
function knownFor(told: string | undefined, signs: Signs): { of: KnownVersion | undefined; unless: string } {
  const numbers = numbersOf(told);
  if (numbers === undefined) {
    const alike = knownVersions.filter((one) => agreeing(one, signs) >= signsMin && contrary(one, signs) === undefined);
    return alike.length === 1
      ? { of: alike[0], unless: "" }
      : { of: undefined, unless: "the server tells no version, and answers like none that is known" };
  }
  const [oldest, newest] = [knownVersions[0], knownVersions.at(-1)] as [KnownVersion, KnownVersion];
  if (compare(numbers, newest.minor) > 0)
    return { of: undefined, unless: `this version is newer than any that is known (${newest.name})` };
  const of =
    compare(numbers, oldest.minor) < 0 ? oldest : knownVersions.find((one) => compare(one.minor, numbers) === 0);
  if (of === undefined) return { of, unless: `nothing is known of versions between ${oldest.name} and ${newest.name}` };
  const odd = contrary(of, signs);
  if (odd === undefined) return { of, unless: "" };
  return {
    of: undefined,
    unless: `the server answers unlike ${of.name}: ${fieldWords[odd]} (${String(signs[odd])})`,
  };
}

function numbersOf(told: string | undefined): readonly [number, number] | undefined {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(told ?? "") ?? [];
  return minor === undefined ? undefined : [Number(major), Number(minor)];
}

function compare(one: readonly [number, number], other: readonly [number, number]): number {
  return one[0] - other[0] || one[1] - other[1];
}

/** A sign that this version would not give. */
function contrary({ facts }: KnownVersion, signs: Signs): keyof Signs | undefined {
  return probedNames.find((name) => {
    const [sign, fact] = [signs[name], facts[name]];
    return sign !== undefined && fact !== undefined && fact.value !== sign;
  });
}

function agreeing({ facts }: KnownVersion, signs: Signs): number {
  return probedNames.filter((name) => signs[name] !== undefined && facts[name]?.value === signs[name]).length;
}

function basisOf(told: string | undefined, of: KnownVersion | undefined, unless: string): string {
  const verified = `checks verified on ${verifiedOn}`;
  if (of === undefined) return `${verified}; ${unless}: checks that depend on that are unknown`;
  const isDocumented = Object.values(of.facts).some(({ from }) => from === "documented");
  if (isDocumented) return `${verified}; for ${of.name} by documentation and published types, never on a server`;
  const here =
    told === undefined ? "this server tells no version and answers like it" : `${told} is taken to be like it`;
  return `${verified}; ${here}`;
}

/** Why a check that depends on these fields cannot be judged; undefined if all are known. */
export function whyNotKnown(dialect: Dialect, names: readonly FieldName[]): string | undefined {
  const missing = names.find((name) => !dialect[name].known);
  return missing === undefined ? undefined : `not known for this version: ${fieldWords[missing]}`;
}

/** What a finding that depends on these fields rests on; undefined if this or a real server showed all of them. */
export function restsOn(dialect: Dialect, names: readonly FieldName[]): string | undefined {
  const said = names.flatMap((name) => {
    const field = dialect[name];
    if (!field.known || field.from === "probed" || field.from === "seen") return [];
    const how = field.from === "documented" ? "by" : "assumed from";
    return [`${fieldWords[name]}: ${how} ${field.source ?? "nothing"}`];
  });
  return said.length === 0 ? undefined : `not verified on a server of this version: ${said.join("; ")}`;
}

/** A field in which the dialect differs from these values, or that is not known. */
export function differingField(dialect: Dialect, values: Partial<Values>): FieldName | undefined {
  return fieldNames.find((name) => values[name] !== undefined && valueOf<unknown>(dialect[name]) !== values[name]);
}

/** Why something that is only where the dialect has these values is not here; undefined if it is. */
export function whyElsewhere(dialect: Dialect, values: Partial<Values>): string | undefined {
  const field = differingField(dialect, values);
  if (field === undefined) return undefined;
  const has = valueOf<unknown>(dialect[field]);
  const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
  return `not for this server: ${fieldWords[field]}: ${has === undefined ? "not known" : text(has)}, not ${text(values[field])}`;
}

export function hasValues(dialect: Dialect, values: Partial<Values>): boolean {
  return differingField(dialect, values) === undefined;
}

/** The value of a field that a check declares in `expects`; it is not run where the field is not known. */
export function known<T>(field: Field<T>): T {
  if (!field.known) throw new Error("a check reads a field of the dialect that it does not declare in expects");
  return field.value;
}

/** The value of a field, undefined where it is not known. */
export function valueOf<T>(field: Field<T>): T | undefined {
  return field.known ? field.value : undefined;
}
