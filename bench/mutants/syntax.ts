/** The syntax trees of the repository's TypeScript, by the parser that the build uses; TypeScript 7 has none to call. */
import { parseSync } from "rolldown/utils";

/** A node of an ESTree with TypeScript. `start` and `end` are offsets into the text. */
export interface Syntax {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [property: string]: unknown;
}

/** Throws where the text does not parse. */
export function parse(file: string, text: string): Syntax {
  const { program, errors } = parseSync(file, text);
  const [first] = errors;
  if (first !== undefined) throw new Error(`${file} does not parse: ${first.message}`);
  return program as unknown as Syntax;
}

export function isSyntax(value: unknown): value is Syntax {
  return typeof value === "object" && value !== null && typeof (value as Syntax).type === "string";
}

/** The nodes directly below one, in the order of the text, without types: they do nothing at run time. */
export function below(node: Syntax): Syntax[] {
  return Object.values(node)
    .flat()
    .filter((one) => isSyntax(one))
    .filter(({ type }) => !type.startsWith("TS") || expressionWrappers.has(type))
    .toSorted((one, other) => one.start - other.start);
}

const expressionWrappers = new Set(["TSAsExpression", "TSSatisfiesExpression", "TSNonNullExpression"]);

/** The node under `property`, if there is one. */
export function part(node: Syntax | undefined, property: string): Syntax | undefined {
  const value = node?.[property];
  return isSyntax(value) ? value : undefined;
}

export function parts(node: Syntax | undefined, property: string): readonly Syntax[] {
  const value = node?.[property];
  return Array.isArray(value) ? value.filter((one) => isSyntax(one)) : [];
}

/** The name of an identifier, of what a call calls (`found.lost` is `lost`), or of a property; undefined for anything else. */
export function nameOf(node: Syntax | undefined): string | undefined {
  if (node?.type === "Identifier") return node["name"] as string;
  if (node?.type === "MemberExpression" && node["computed"] !== true) return nameOf(part(node, "property"));
  return undefined;
}

export function isFunction(node: Syntax | undefined): boolean {
  return (
    node?.type === "ArrowFunctionExpression" ||
    node?.type === "FunctionExpression" ||
    node?.type === "FunctionDeclaration"
  );
}
