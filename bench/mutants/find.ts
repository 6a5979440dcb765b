/** All mutants of the code that decides: judges and what they use, the histories, plan, report, exit code and parsers. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { changesOf, type Change } from "./kinds.ts";
import { judging, type Judging } from "./reach.ts";
import { below, isFunction, nameOf, parse, part, parts, type Syntax } from "./syntax.ts";

/** Besides the judges. A folder stands for the files in it. */
const decidingSources = [
  "src/history",
  "src/plan.ts",
  "src/report.ts",
  "src/exit.ts",
  "src/server/answer.ts",
  "src/wire/json.ts",
  "src/wire/frame.ts",
];

/** What a reader can tell mutants apart by; it survives edits elsewhere in the file. */
export interface MutantName {
  readonly file: string;
  /** The function or constant, with those around it: `notNullHolds.judge`. */
  readonly in: string;
  readonly kind: string;
  readonly from: string;
  readonly to: string;
  /** Counted from 1 among those that are otherwise equal; absent for the first. */
  readonly nth?: number;
}

export interface Mutant extends MutantName {
  readonly id: number;
  /** An expression, by its offsets in the file, and what to evaluate instead of it. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** In a function in a table of cases. If nothing that judges calls it, the observer does. */
  readonly maybeObserver: boolean;
}

export interface Source {
  readonly file: string;
  readonly text: string;
  readonly mutants: readonly Mutant[];
}

/** In those folders, and used by tests alone. */
const forTests = new Set(["src/history/legal-histories.ts"]);

const textMax = 120;

/** Of the files in this folder, the repository. Mutants are numbered across files. */
export function findMutants(root: string): Source[] {
  const checks = filesIn(root, "checks").filter((file) => !/\/proof\.ts$|^checks\/(\w+\/)?index\.ts$/.test(file));
  const texts = new Map(
    [...checks, ...decidingSources.flatMap((one) => filesIn(root, one))].map((file) => [
      file,
      readFileSync(path.join(root, file), "utf8"),
    ]),
  );
  const programs = new Map([...texts].map(([file, text]) => [file, parse(file, text)] as const));
  const judged = judging(new Map([...programs].filter(([file]) => file.startsWith("checks/"))));
  let id = 0;
  return [...texts].flatMap(([file, text]) => {
    const program = programs.get(file);
    const where = file.startsWith("checks/") ? judged.get(file) : { nodes: parts(program, "body"), read: everything };
    if (where === undefined) return [];
    const mutants = mutantsIn(file, text, where).map((mutant) => ({ ...mutant, id: id++ }));
    return mutants.length === 0 ? [] : [{ file, text, mutants }];
  });
}

const everything = { has: () => true } as unknown as ReadonlySet<string>;

/** TypeScript files that are not tests, by their paths from the root. */
export function filesIn(root: string, place: string): string[] {
  if (place.endsWith(".ts")) return [place];
  return readdirSync(path.join(root, place), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .map((file) => path.posix.join(place, file))
    .filter((file) => !forTests.has(file))
    .toSorted();
}

interface Place {
  readonly names: readonly string[];
  /** The outermost expression that can be replaced where this one cannot: a chain with `?.` is evaluated as one. */
  readonly chain: Syntax | undefined;
  readonly inTable: boolean;
  /** In what a table lists: what is sent and stored, of which one value is as good as another. */
  readonly inData: boolean;
  readonly maybeObserver: boolean;
}

/** The mutants of a file, without their numbers. */
export function mutantsIn(file: string, text: string, { nodes, read }: Judging): Omit<Mutant, "id">[] {
  const found: Omit<Mutant, "id">[] = [];
  const seen = new Map<string, number>();
  const add = (change: Change, wrapped: Syntax | undefined, place: Place): void => {
    const from = shortened(text.slice(change.start, change.end));
    const name = { file, in: place.names.join("."), kind: change.kind, from, to: shortened(change.text) };
    const nth = (seen.get(JSON.stringify(name)) ?? 0) + 1;
    seen.set(JSON.stringify(name), nth);
    const { start, end } = wrapped ?? change;
    found.push({
      ...name,
      ...(nth === 1 ? {} : { nth }),
      start,
      end,
      text: text.slice(start, change.start) + change.text + text.slice(change.end, end),
      maybeObserver: place.maybeObserver,
    });
  };
  const walk = (node: Syntax, outer: Place): void => {
    if (isWords(node)) return;
    const place = placeOf(node, outer, read);
    if (place === undefined) return;
    for (const change of changesOf(node, text)) {
      if (place.inData && /^(constant.|dropElement|arithmetic)$/.test(change.kind)) continue;
      // A method's name alone is no expression.
      const isName = change.kind === "someEvery" || change.kind === "minMax";
      add(change, place.chain ?? (isName ? node : undefined), place);
    }
    if (isConclusion(node)) return;
    for (const one of below(node)) {
      if (isNameOnly(node, one)) continue;
      const inData = place.inData || (place.inTable && isData(node));
      walk(one, { ...place, inData, chain: chainOf(node, one, place.chain) });
    }
  };
  for (const node of nodes)
    walk(node, { names: [], chain: undefined, inTable: false, inData: false, maybeObserver: false });
  return found.toSorted((one, other) => one.start - other.start);
}

function shortened(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > textMax ? `${line.slice(0, textMax)}…` : line;
}

/** What only words depend on, and the pointers to what a report prints of the exchanges. */
function isWords(node: Syntax): boolean {
  if (node.type === "ImportDeclaration") return true;
  if (node.type === "NewExpression") return (nameOf(part(node, "callee")) ?? "").endsWith("Error");
  return node.type === "Property" && ["say", "sent"].includes(nameOf(part(node, "key")) ?? "");
}

/** Its sentence is words. */
function isConclusion(node: Syntax): boolean {
  return node.type === "CallExpression" && /^(pass|unknown)$/.test(nameOf(part(node, "callee")) ?? "");
}

function isData(node: Syntax): boolean {
  return ["ArrayExpression", "ObjectExpression", "CallExpression"].includes(node.type);
}

function isNameOnly(node: Syntax, child: Syntax): boolean {
  if (node["computed"] === true) return false;
  return child === node["key"] || (node.type === "MemberExpression" && child === node["property"]);
}

function chainOf(node: Syntax, child: Syntax, outer: Syntax | undefined): Syntax | undefined {
  if (node.type === "ChainExpression") return outer ?? node;
  const links = ["MemberExpression", "CallExpression", "TSNonNullExpression"];
  const isLink = child === node["object"] || child === node["callee"] || child === node["expression"];
  return links.includes(node.type) && isLink ? outer : undefined;
}

/** Undefined for what no judge reads. */
function placeOf(node: Syntax, outer: Place, read: ReadonlySet<string>): Place | undefined {
  if (node.type === "FunctionDeclaration") return { ...outer, names: [...outer.names, nameOf(part(node, "id")) ?? ""] };
  if (node.type === "VariableDeclarator") {
    const isTable = outer.names.length === 0 && !isFunction(part(node, "init"));
    const isNamed = outer.names.length === 0 || isFunction(part(node, "init"));
    const name = nameOf(part(node, "id"));
    const names = isNamed && name !== undefined ? [...outer.names, name] : outer.names;
    return { ...outer, names, inTable: outer.inTable || isTable };
  }
  if (node.type === "Property") {
    const name = nameOf(part(node, "key")) ?? "";
    if (outer.inTable && !read.has(name)) return undefined;
    if (!isFunction(part(node, "value"))) return outer;
    return { ...outer, names: [...outer.names, name], inData: false };
  }
  if (isFunction(node) && outer.inTable) return { ...outer, maybeObserver: true };
  return outer;
}
