/** The ways in which one place of the code is made wrong. */
import { nameOf, part, parts, type Syntax } from "./syntax.ts";

/** `text` instead of what is between the two offsets. */
export interface Change {
  readonly kind: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** How a comparison can be turned around or moved by one. */
const comparisons: Readonly<Record<string, readonly [kind: string, operator: string][]>> = {
  "<": [
    ["boundary", "<="],
    ["negate", ">="],
  ],
  "<=": [
    ["boundary", "<"],
    ["negate", ">"],
  ],
  ">": [
    ["boundary", ">="],
    ["negate", "<="],
  ],
  ">=": [
    ["boundary", ">"],
    ["negate", "<"],
  ],
  "===": [["negate", "!=="]],
  "!==": [["negate", "==="]],
};
const opposites = new Map(Object.entries({ "+": "-", "-": "+", "*": "/", "/": "*" }));
const sisters = new Map(Object.entries({ some: "every", every: "some", min: "max", max: "min" }));

/** All changes of this node itself; those of nodes below it are not among them. */
export function changesOf(node: Syntax, source: string): Change[] {
  switch (node.type) {
    case "BinaryExpression":
      return [...comparisonChanges(node, source), ...arithmeticChanges(node, source)];
    case "LogicalExpression":
      return logicalChanges(node, source);
    case "UnaryExpression":
      return node["operator"] === "!" ? [replaced("not", node, textOf(part(node, "argument"), source))] : [];
    case "Literal":
      return literalChanges(node);
    case "ArrayExpression":
      return elementChanges(node, source);
    case "CallExpression":
      return callChanges(node, source);
    case "IfStatement":
    case "ConditionalExpression":
      return conditionChanges(part(node, "test"));
    case "ForOfStatement":
      return skipChanges(part(node, "right"), source);
    default:
      return [];
  }
}

function replaced(kind: string, node: Syntax, text: string): Change {
  return { kind, start: node.start, end: node.end, text };
}

function textOf(node: Syntax | undefined, source: string): string {
  return node === undefined ? "" : source.slice(node.start, node.end);
}

function sides(node: Syntax, source: string): [left: string, right: string] {
  return [textOf(part(node, "left"), source), textOf(part(node, "right"), source)];
}

function comparisonChanges(node: Syntax, source: string): Change[] {
  const [left, right] = sides(node, source);
  const ways = comparisons[String(node["operator"])] ?? [];
  return ways.map(([kind, operator]) => replaced(kind, node, `${left} ${operator} ${right}`));
}

function arithmeticChanges(node: Syntax, source: string): Change[] {
  const opposite = opposites.get(String(node["operator"]));
  if (opposite === undefined || [part(node, "left"), part(node, "right")].some(isText)) return [];
  const [left, right] = sides(node, source);
  return [replaced("arithmetic", node, `${left} ${opposite} ${right}`)];
}

function isText(node: Syntax | undefined): boolean {
  if (node?.type === "BinaryExpression") return isText(part(node, "left")) || isText(part(node, "right"));
  return node?.type === "TemplateLiteral" || typeof node?.["value"] === "string";
}

function logicalChanges(node: Syntax, source: string): Change[] {
  const [left, right] = sides(node, source);
  const operator = String(node["operator"]);
  if (operator === "??") return [];
  // Only the compiler needs the guard in `n !== null && n > 0`: null is not above anything positive.
  const guarded = left.endsWith(" !== null") && operator === "&&" ? left.slice(0, -" !== null".length) : undefined;
  const isGuard =
    guarded !== undefined && /^ (> \d|>= [1-9])/.test(right.slice(guarded.length)) && right.startsWith(guarded);
  const halves = [replaced("keepLeft", node, left), ...(isGuard ? [] : [replaced("keepRight", node, right)])];
  return [replaced("logic", node, `(${left}) ${operator === "&&" ? "||" : "&&"} (${right})`), ...halves];
}

function literalChanges(node: Syntax): Change[] {
  const { value } = node;
  if (typeof value === "boolean") return [replaced("boolean", node, String(!value))];
  if (typeof value !== "number") return [];
  // Of a large number a fifth: whether a limit is 400 or 401 is a matter of taste, whether it is 400 or 320 is not.
  const step = Number.isInteger(value) && Math.abs(value) < 10 ? 1 : Math.abs(value) / 5;
  const round = (result: number): string => String(Number.isInteger(value) ? Math.round(result) : result);
  const up = replaced("constant+", node, round(value + step));
  return value === 0 ? [up] : [up, replaced("constant-", node, round(value - step))];
}

function elementChanges(node: Syntax, source: string): Change[] {
  const [first, second] = parts(node, "elements");
  if (first === undefined || second === undefined) return [];
  return [replaced("dropElement", node, `[${source.slice(second.start, node.end - 1)}]`)];
}

function callChanges(node: Syntax, source: string): Change[] {
  const callee = part(node, "callee");
  const name = nameOf(callee);
  if (callee?.type === "Identifier") return conclusionChanges(node, name);
  const property = part(callee, "property");
  const owner = textOf(part(callee, "object"), source);
  if (callee === undefined || property === undefined || name === undefined) return [];
  if (owner === "found") return [replaced("dropFinding", node, "undefined")];
  const sister = sisters.get(name);
  const isMath = name === "min" || name === "max";
  if (sister !== undefined && isMath === (owner === "Math"))
    return [{ kind: isMath ? "minMax" : "someEvery", start: property.start, end: property.end, text: sister }];
  if (name === "filter") return [replaced("filterAll", node, owner), replaced("filterNone", node, "[]")];
  const skips = (name === "map" || name === "flatMap") && owner !== "fc" && callee["optional"] !== true;
  return skips ? skipChanges(part(callee, "object"), source) : [];
}

/** What a judge concludes. */
function conclusionChanges(node: Syntax, name: string | undefined): Change[] {
  if (name !== "pass" && name !== "unknown") return [];
  const kind = name === "pass" ? "unknown" : "pass";
  return [replaced(`${name}To${kind === "pass" ? "Pass" : "Unknown"}`, node, `({ kind: "${kind}", sentence: "" })`)];
}

function conditionChanges(test: Syntax | undefined): Change[] {
  return test === undefined ? [] : [replaced("always", test, "true"), replaced("never", test, "false")];
}

function skipChanges(list: Syntax | undefined, source: string): Change[] {
  // Of a written list, the change of its elements does the same.
  if (list === undefined || list.type === "ArrayExpression") return [];
  return [replaced("skipFirst", list, `[...(${textOf(list, source)} ?? [])].slice(1)`)];
}
