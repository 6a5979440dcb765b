/**
 * What a YAML value must look like. One description gives three things that must never disagree: the reader, its errors
 * (with line, column and the nearest right word) and the JSON Schema for editors.
 */
import { isMap, isPair, isScalar, isSeq, type LineCounter, type Node } from "yaml";
import type { Json } from "../wire/json.ts";
import { durationForm, durationMs, durationWanted } from "../duration.ts";
import { didYouMean } from "../nearest.ts";

export interface Problem {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** Reads one document: collects every problem, so that one run tells all of them. */
export interface Reading {
  readonly lines: LineCounter;
  readonly problems: Problem[];
  /** As YYYY-MM-DD. */
  readonly today: string;
  /** Replaces `${env:…}` and `${file:…}`; a sentence where a reference leads nowhere. */
  expand(text: string): { value: string; referred: boolean } | { missing: string };
}

export interface Shape<T> {
  read(node: Node | null, reading: Reading): T | undefined;
  readonly schema: Json;
}

export function problem(reading: Reading, node: Node | null, message: string): undefined {
  const { line, col } = reading.lines.linePos(node?.range?.[0] ?? 0);
  reading.problems.push({ line, column: col, message });
  return undefined;
}

/** A scalar as text, references replaced. A number or a flag may come from a reference, so both are read from text. */
function scalar(
  node: Node | null,
  reading: Reading,
  wanted: string,
): { text: string; referred: boolean; shown: string } | undefined {
  if (!isScalar(node) || node.value === null) return problem(reading, node, `${wanted} is wanted here`);
  // The source, because YAML has made a number of 1_000 and a date of 2027-01-31 by now.
  const source = typeof node.value === "string" ? node.value : (node.source ?? JSON.stringify(node.value));
  const expanded = reading.expand(source);
  if ("missing" in expanded) return problem(reading, node, expanded.missing);
  // What a reference led to may be a secret in the wrong place: an error shows the reference.
  const shown = expanded.value === source ? JSON.stringify(source) : `what ${source} leads to`;
  return { text: expanded.value, referred: expanded.referred, shown };
}

/** What a value may be written as: itself, or a text with a reference, which only reading can follow. */
function orReference(about: string, schema: Json): Json {
  return { description: about, anyOf: [schema, { type: "string", pattern: "\\$\\{(env|file):[^}]+\\}" }] };
}

export function text(about: string, rule?: { pattern: RegExp; wanted: string }): Shape<string> {
  return {
    schema:
      rule === undefined
        ? { type: "string", description: about }
        : orReference(about, { type: "string", pattern: rule.pattern.source }),
    read(node, reading) {
      const read = scalar(node, reading, "a text");
      if (read === undefined) return undefined;
      if (rule !== undefined && !rule.pattern.test(read.text))
        return problem(reading, node, `${rule.wanted}, not ${read.shown}`);
      return read.text;
    },
  };
}

/** A text that must come from a reference: profiles are committed, and a secret in one is a secret no more. */
export function secret(about: string): Shape<string> {
  return {
    schema: { type: "string", description: about, pattern: "^\\$\\{(env|file):[^}]+\\}$" },
    read(node, reading) {
      const read = scalar(node, reading, "a reference to a secret");
      if (read === undefined) return undefined;
      if (!read.referred) {
        return problem(
          reading,
          node,
          "a secret must not stand in a profile: write ${env:NAME} or ${file:PATH} and keep it there",
        );
      }
      if (read.text === "") return problem(reading, node, "the reference leads to an empty text");
      return read.text;
    },
  };
}

export function flag(about: string): Shape<boolean> {
  return {
    schema: orReference(about, { type: "boolean" }),
    read(node, reading) {
      const read = scalar(node, reading, "true or false");
      if (read === undefined) return undefined;
      if (read.text === "true" || read.text === "false") return read.text === "true";
      return problem(reading, node, `true or false, not ${read.shown}`);
    },
  };
}

export function number(about: string, bounds: { min: number; max?: number; whole?: boolean }): Shape<number> {
  const wanted = `a ${bounds.whole === true ? "whole " : ""}number from ${bounds.min}${bounds.max === undefined ? "" : ` to ${bounds.max}`}`;
  return {
    schema: orReference(about, {
      type: bounds.whole === true ? "integer" : "number",
      minimum: bounds.min,
      ...(bounds.max === undefined ? {} : { maximum: bounds.max }),
    }),
    read(node, reading) {
      const read = scalar(node, reading, wanted);
      if (read === undefined) return undefined;
      const value = read.text.trim() === "" ? Number.NaN : Number(read.text);
      const fits = Number.isFinite(value) && value >= bounds.min && value <= (bounds.max ?? Infinity);
      if (!fits || (bounds.whole === true && !Number.isInteger(value)))
        return problem(reading, node, `${wanted}, not ${read.shown}`);
      return value;
    },
  };
}

/** In milliseconds. */
export function duration(about: string): Shape<number> {
  return {
    schema: orReference(about, { type: "string", pattern: durationForm.source }),
    read(node, reading) {
      const read = scalar(node, reading, durationWanted);
      if (read === undefined) return undefined;
      return durationMs(read.text) ?? problem(reading, node, `${durationWanted}, not ${read.shown}`);
    },
  };
}

export function choice<const T extends string>(about: string, words: readonly T[]): Shape<T> {
  return {
    schema: orReference(about, { type: "string", enum: words }),
    read(node, reading) {
      const read = scalar(node, reading, `one of ${words.join(", ")}`);
      if (read === undefined) return undefined;
      const found = words.find((word) => word === read.text);
      if (found !== undefined) return found;
      const known = didYouMean(read.text, words);
      return problem(reading, node, `one of ${words.join(", ")}, not ${read.shown}${known}`);
    },
  };
}

export function list<T>(about: string, each: Shape<T>): Shape<readonly T[]> {
  return {
    schema: { type: "array", description: about, items: each.schema },
    read(node, reading) {
      if (!isSeq(node)) return problem(reading, node, "a list is wanted here, such as [a, b]");
      const items: T[] = [];
      for (const item of node.items) {
        const read = each.read(item as Node | null, reading);
        if (read !== undefined) items.push(read);
      }
      return items;
    },
  };
}

/** Keys that are not fixed: each is looked at by `key`, which says what is wrong with it. `open`: there are others than its words. */
export function record<T>(
  about: string,
  key: { words: readonly string[]; open?: true; wrong(word: string): string | undefined },
  each: (key: string) => Shape<T>,
): Shape<Readonly<Record<string, T>>> {
  const properties = Object.fromEntries(key.words.map((word) => [word, each(word).schema]));
  return {
    schema: {
      type: "object",
      description: about,
      properties,
      additionalProperties: key.open === true ? each("").schema : false,
    },
    read(node, reading) {
      const read: Record<string, T> = {};
      for (const [name, keyNode, value] of entries(node, reading) ?? []) {
        const wrong = key.wrong(name);
        if (wrong !== undefined) {
          problem(reading, keyNode, wrong);
          continue;
        }
        const item = each(name).read(value, reading);
        if (item !== undefined) read[name] = item;
      }
      return read;
    },
  };
}

type Fields = Readonly<Record<string, Shape<unknown>>>;
type Read<F extends Fields> = { -readonly [K in keyof F]?: F[K] extends Shape<infer T> ? T : never };

/** Fixed keys; `required` names those that must be there, `rule` looks at values that depend on each other. */
export function object<const F extends Fields>(
  about: string,
  fields: F,
  required: readonly (keyof F & string)[] = [],
  rule?: (read: Read<F>, wrong: (key: keyof F & string, message: string) => void, reading: Reading) => void,
): Shape<Read<F>> {
  return {
    schema: {
      type: "object",
      description: about,
      properties: Object.fromEntries(Object.entries(fields).map(([name, shape]) => [name, shape.schema])),
      required,
      additionalProperties: false,
    },
    read(node, reading) {
      const read: Record<string, unknown> = {};
      const seen = new Map<string, Node | null>();
      for (const [name, keyNode, value] of entries(node, reading) ?? []) {
        seen.set(name, value);
        const shape = Object.hasOwn(fields, name) ? fields[name] : undefined;
        if (shape === undefined) {
          problem(reading, keyNode, `unknown key ${JSON.stringify(name)}${didYouMean(name, Object.keys(fields))}`);
          continue;
        }
        const item = shape.read(value, reading);
        if (item !== undefined) read[name] = item;
      }
      for (const name of required) if (!seen.has(name)) problem(reading, node, `${name} is missing`);
      rule?.(read as Read<F>, (key, message) => problem(reading, seen.get(key) ?? node, message), reading);
      return read as Read<F>;
    },
  };
}

function entries(node: Node | null, reading: Reading): [string, Node | null, Node | null][] | undefined {
  if (!isMap(node)) return problem(reading, node, "keys and values are wanted here");
  return node.items.filter(isPair).map((pair) => {
    const key = pair.key as Node | null;
    return [isScalar(key) ? String(key.value) : "", key, pair.value as Node | null];
  });
}
