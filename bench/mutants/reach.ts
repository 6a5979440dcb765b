/** Which parts of the checks judge. The rest observes, and is proven live. */
import path from "node:path";
import { below, nameOf, part, parts, type Syntax } from "./syntax.ts";

interface Module {
  /** Top-level functions and constants by name. */
  readonly declared: ReadonlyMap<string, Syntax>;
  /** Where an imported name comes from. */
  readonly imported: ReadonlyMap<string, { readonly file: string; readonly name: string }>;
  readonly judges: readonly Syntax[];
}

/** Where a file judges. */
export interface Judging {
  readonly nodes: readonly Syntax[];
  /** Properties that judges read: of a table of cases, what is under other names is for the observer. */
  readonly read: ReadonlySet<string>;
}

/** The judges of these files, and what they use of each other; keyed by file. Paths are relative to one folder. */
export function judging(files: ReadonlyMap<string, Syntax>): Map<string, Judging> {
  const modules = new Map([...files].map(([file, program]) => [file, moduleOf(file, program)] as const));
  const nodes = new Map<string, Set<Syntax>>();
  const read = new Map<string, Set<string>>();
  const waiting = [...modules].flatMap(([file, { judges }]) => judges.map((node) => ({ file, node })));
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { file, node } = next;
    const known = nodes.get(file) ?? new Set();
    if (known.has(node)) continue;
    nodes.set(file, known.add(node));
    const folder = path.posix.dirname(file);
    const own = read.get(folder) ?? new Set();
    read.set(folder, own);
    for (const name of namesIn(node, own)) {
      const target = declarationOf(modules, file, name);
      if (target !== undefined) waiting.push(target);
    }
  }
  const anywhere = new Set([...read.values()].flatMap((names) => [...names]));
  /** What a check has beside it only that check reads. */
  const readIn = (file: string): ReadonlySet<string> =>
    /^checks\/\w+\/[^/]+\//.test(file) ? (read.get(path.posix.dirname(file)) ?? anywhere) : anywhere;
  return new Map([...nodes].map(([file, found]) => [file, { nodes: [...found], read: readIn(file) }]));
}

function declarationOf(
  modules: ReadonlyMap<string, Module>,
  file: string,
  name: string,
): { readonly file: string; readonly node: Syntax } | undefined {
  const module = modules.get(file);
  const node = module?.declared.get(name);
  if (node !== undefined) return { file, node };
  const from = module?.imported.get(name);
  return from === undefined ? undefined : declarationOf(modules, from.file, from.name);
}

function moduleOf(file: string, program: Syntax): Module {
  const declared = new Map<string, Syntax>();
  const imported = new Map<string, { file: string; name: string }>();
  const judges: Syntax[] = [];
  for (const statement of parts(program, "body")) {
    if (statement.type === "ImportDeclaration") {
      const source = path.posix.join(path.posix.dirname(file), String(part(statement, "source")?.["value"]));
      for (const one of parts(statement, "specifiers"))
        imported.set(nameOf(part(one, "local")) ?? "", { file: source, name: nameOf(part(one, "imported")) ?? "" });
      continue;
    }
    const declaration = part(statement, "declaration") ?? statement;
    const own = declaration.type === "VariableDeclaration" ? parts(declaration, "declarations") : [declaration];
    for (const one of own) {
      const judge = judgeIn(part(one, "init"));
      if (judge !== undefined) judges.push(judge);
      else declared.set(nameOf(part(one, "id")) ?? "", one);
    }
  }
  return { declared, imported, judges };
}

/** The judge in `defineCheck({ …, judge })`. */
function judgeIn(call: Syntax | undefined): Syntax | undefined {
  if (call?.type !== "CallExpression" || !/^defineCheck(Of)?$/.test(nameOf(part(call, "callee")) ?? ""))
    return undefined;
  const spec = parts(call, "arguments").at(-1);
  return parts(spec, "properties").find((one) => nameOf(part(one, "key")) === "judge");
}

/** Names that the code uses; the properties that it reads are added to `read`. */
function namesIn(node: Syntax, read: Set<string>): string[] {
  if (node.type === "Identifier") return [String(node["name"])];
  if (node.type === "MemberExpression" && node["computed"] !== true) {
    read.add(nameOf(node) ?? "");
    return namesIn(part(node, "object") ?? node, read);
  }
  if (node.type === "ObjectPattern")
    for (const one of parts(node, "properties")) read.add(nameOf(part(one, "key")) ?? "");
  if (node.type === "Property" && node["computed"] !== true) {
    const value = part(node, "value");
    return value === undefined ? [] : namesIn(value, read);
  }
  return below(node).flatMap((one) => namesIn(one, read));
}
