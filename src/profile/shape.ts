/**
 * What a YAML value must look like. One description gives the reader, its errors (with line, column and the nearest right
 * word) and the JSON Schema for editors, so that they cannot disagree.
 */
import { isMap, isPair, isScalar, isSeq, type LineCounter, type Node } from "yaml";
import type { Json } from "../wire/json.ts";
import { didYouMean } from "../nearest.ts";
import { anyText, mismatchMessage, type Kind, type ValueCode } from "./values.ts";

export type ProfileCode =
  | ValueCode
  | "yamlSyntax"
  | "duplicateKey"
  | "notAScalar"
  | "notAMapping"
  | "notAList"
  | "unknownKey"
  | "missingKey"
  | "literalSecret"
  | "emptySecret"
  | "missingVariable"
  | "unreadableFile"
  | "invalidReference"
  | "unknownLimit"
  | "unknownFinding"
  | "noSuchDay"
  | "acceptedTooLong"
  | "requiredNotAllowed"
  | "profileNotFound"
  | "profileUnreadable"
  | "untrustedServer"
  | "untrustedControl"
  | "controlTwice"
  | "emptyCommand";

export interface Problem {
  readonly code: ProfileCode;
  readonly message: string;
  /** Absent where the problem is with the file as a whole. */
  readonly line?: number;
  readonly column?: number;
}

/** Reads one document and collects every problem, so that one run reports them all. */
export interface Reading {
  readonly lines: LineCounter;
  readonly problems: Problem[];
  /** As YYYY-MM-DD. */
  readonly today: string;
  /** Replaces `${env:…}` and `${file:…}`, or says why it cannot. */
  expand(text: string): Expanded;
  /** Registers a value as a secret. */
  hide(value: string): void;
}

export type Expanded =
  | { readonly value: string; readonly referred: boolean; readonly fromVariables: readonly string[] }
  | { readonly code: "missingVariable" | "unreadableFile" | "invalidReference"; readonly message: string };

export interface Shape<T> {
  read(node: Node | null, reading: Reading): T | undefined;
  readonly schema: Json;
}

export function problem(reading: Reading, node: Node | null, code: ProfileCode, message: string): undefined {
  const { line, col } = reading.lines.linePos(node?.range?.[0] ?? 0);
  reading.problems.push({ line, column: col, code, message });
  return undefined;
}

/** A scalar as text, references replaced. A number or a flag may come from a reference, so both are read from text. */
function scalar(
  node: Node | null,
  reading: Reading,
  expected: string,
): { text: string; referred: boolean; fromVariables: readonly string[]; shown: string } | undefined {
  if (!isScalar(node) || node.value === null) return problem(reading, node, "notAScalar", `expected ${expected}`);
  // The source, because YAML has already turned 1_000 into a number and 2027-01-31 into a date.
  const source = typeof node.value === "string" ? node.value : (node.source ?? JSON.stringify(node.value));
  const expanded = reading.expand(source);
  if ("code" in expanded) return problem(reading, node, expanded.code, expanded.message);
  // The value of a reference may be a secret in the wrong place: an error shows the reference instead.
  const shown = expanded.value === source ? JSON.stringify(source) : `the value of ${source}`;
  const { referred, fromVariables } = expanded;
  return { text: expanded.value, referred, fromVariables, shown };
}

/** A string with a reference, which may stand for any value. */
export const referenceSchema: Json = {
  description: "A reference.",
  type: "string",
  pattern: "\\$\\{(env|file):[^}]+\\}",
};

/** One value of a kind. A string may contain references anyway; for other kinds the schema has to allow them. */
export function value<T>(about: string, kind: Kind<T>): Shape<T> {
  const schema = kind.schema as Record<string, Json>;
  const isAnyString = schema["type"] === "string" && Object.keys(schema).length === 1;
  return {
    schema: isAnyString
      ? { type: "string", description: about }
      : { description: about, anyOf: [schema, { $ref: "#/$defs/reference" }] },
    read(node, reading) {
      const read = scalar(node, reading, kind.expected);
      if (read === undefined) return undefined;
      const parsed = kind.parse(read.text);
      // A word of a list or a number is no secret; a text may be one, and what is no value of its kind may be, too.
      const isSecret = "value" in parsed ? kind.mayBeSecret?.(read.text, read.referred) === true : true;
      if (isSecret) for (const one of read.fromVariables) reading.hide(one);
      if ("value" in parsed) return parsed.value;
      return problem(reading, node, parsed.code, mismatchMessage(kind, parsed, read.shown));
    },
  };
}

export function text(about: string): Shape<string> {
  return value(about, anyText);
}

/** A text that must come from a reference: profiles are committed, and a secret in one is no longer secret. */
export function secret(about: string): Shape<string> {
  return {
    schema: { type: "string", description: about, pattern: "^\\$\\{(env|file):[^}]+\\}$" },
    read(node, reading) {
      const read = scalar(node, reading, "a reference to a secret");
      if (read === undefined) return undefined;
      if (!read.referred) {
        const message = "a profile must not contain a secret; write ${env:NAME} or ${file:PATH} instead";
        return problem(reading, node, "literalSecret", message);
      }
      if (read.text === "") return problem(reading, node, "emptySecret", "the value of the reference is empty");
      return read.text;
    },
  };
}

export function list<T>(about: string, each: Shape<T>): Shape<readonly T[]> {
  return {
    schema: { type: "array", description: about, items: each.schema },
    read(node, reading) {
      if (!isSeq(node)) return problem(reading, node, "notAList", "expected a list, such as [a, b]");
      const items: T[] = [];
      for (const item of node.items) {
        const read = each.read(item as Node | null, reading);
        if (read !== undefined) items.push(read);
      }
      return items;
    },
  };
}

/** The keys of a record: these words, or any key of which `wrong` says nothing. */
export interface Keys {
  /** Listed in the schema. Undefined: keys are open, and only reading tells whether one is right. */
  readonly words?: readonly string[];
  /** Other words for some of these; each is read as the word it stands for. `at`: where the schema has those words. */
  readonly aliases?: { readonly at: string; readonly of: ReadonlyMap<string, string> };
  wrong(word: string): { readonly code: ProfileCode; readonly message: string } | undefined;
}

/** Keys that are not fixed. */
export function record<T>(
  about: string,
  keys: Keys,
  each: (key: string) => Shape<T>,
): Shape<Readonly<Record<string, T>>> {
  const { words = [], aliases } = keys;
  const properties = Object.fromEntries([
    ...words.map((word) => [word, each(word).schema] as const),
    ...[...(aliases?.of ?? [])].map(
      ([alias, word]) => [alias, { $ref: `${aliases?.at}/${word.replaceAll("/", "~1")}` }] as const,
    ),
  ]);
  return {
    schema: {
      type: "object",
      description: about,
      ...(keys.words === undefined ? {} : { properties }),
      additionalProperties: keys.words === undefined ? each("").schema : false,
    },
    read(node, reading) {
      const read: Record<string, T> = {};
      for (const [word, keyNode, inner] of entries(node, reading) ?? []) {
        const name = aliases?.of.get(word) ?? word;
        const wrong = Object.hasOwn(read, name)
          ? ({ code: "duplicateKey", message: `${JSON.stringify(word)} repeats ${JSON.stringify(name)}` } as const)
          : keys.wrong(word);
        if (wrong !== undefined) {
          problem(reading, keyNode, wrong.code, wrong.message);
          continue;
        }
        const item = each(name).read(inner, reading);
        if (item !== undefined) read[name] = item;
      }
      return read;
    },
  };
}

type Fields = Readonly<Record<string, Shape<unknown>>>;
type Read<F extends Fields> = { -readonly [K in keyof F]?: F[K] extends Shape<infer T> ? T : never };

/** Fixed keys. `rule` looks at values that depend on each other. */
export function object<const F extends Fields>(
  about: string,
  fields: F,
  required: readonly (keyof F & string)[] = [],
  rule?: (
    read: Read<F>,
    wrong: (key: keyof F & string, code: ProfileCode, message: string) => void,
    reading: Reading,
  ) => void,
): Shape<Read<F>> {
  return {
    schema: {
      type: "object",
      description: about,
      properties: Object.fromEntries(Object.entries(fields).map(([name, shape]) => [name, shape.schema])),
      ...(required.length === 0 ? {} : { required }),
      additionalProperties: false,
    },
    read(node, reading) {
      const read: Record<string, unknown> = {};
      const seen = new Map<string, Node | null>();
      for (const [name, keyNode, inner] of entries(node, reading) ?? []) {
        seen.set(name, inner);
        const shape = Object.hasOwn(fields, name) ? fields[name] : undefined;
        if (shape === undefined) {
          const message = `unknown key ${JSON.stringify(name)}${didYouMean(name, Object.keys(fields))}`;
          problem(reading, keyNode, "unknownKey", message);
          continue;
        }
        const item = shape.read(inner, reading);
        if (item !== undefined) read[name] = item;
      }
      for (const name of required)
        if (!seen.has(name)) problem(reading, node, "missingKey", `missing key ${JSON.stringify(name)}`);
      rule?.(read as Read<F>, (key, code, message) => problem(reading, seen.get(key) ?? node, code, message), reading);
      return read as Read<F>;
    },
  };
}

function entries(node: Node | null, reading: Reading): [string, Node | null, Node | null][] | undefined {
  if (!isMap(node)) return problem(reading, node, "notAMapping", "expected a mapping of keys to values");
  return node.items.filter(isPair).map((pair) => {
    const key = pair.key as Node | null;
    return [isScalar(key) ? String(key.value) : "", key, pair.value as Node | null];
  });
}
