/** The tests as programs that can be evaluated again and again in one process, each time with another mutant in effect. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { rolldown, type Plugin } from "rolldown";
import type { Source } from "./find.ts";
import { instrument } from "./instrument.ts";

const sourceTests = /^src\/(history\/[\w-]+|plan|report|exit|server\/answer|wire\/(json|frame))\.test\.ts$/;

export interface Programs {
  /** How many there are. */
  readonly mutants: number;
  /** Chunks by file name, in CommonJS. */
  readonly chunks: ReadonlyMap<string, string>;
  /** The tests by their files: the chunk to begin with. */
  readonly entries: ReadonlyMap<string, string>;
  /** The files that each test is made of. */
  readonly files: ReadonlyMap<string, ReadonlySet<string>>;
  /** Packages and Node's modules that they import. */
  readonly packages: readonly string[];
}

/** Paper proofs, the tests of checks, and those of the other deciding sources, by their paths from the root. */
export function testFiles(root: string): string[] {
  return ["checks", "src"]
    .flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" }).map((file) =>
        path.posix.join(folder, file),
      ),
    )
    .filter((file) => (file.startsWith("checks/") ? isOfCheck(root, file) : sourceTests.test(file)))
    .toSorted();
}

function isOfCheck(root: string, file: string): boolean {
  if (file.endsWith("/proof.ts")) return true;
  return file.endsWith(".test.ts") && !file.startsWith("checks/proofs/") && !startsServer(root, file);
}

/** Such tests observe, for seconds. */
function startsServer(root: string, file: string): boolean {
  return /from "[./]+\/test\/sandbox\.ts"/.test(readFileSync(path.join(root, file), "utf8"));
}

export async function bundle(root: string, tests: readonly string[], sources: readonly Source[]): Promise<Programs> {
  const packages = new Map<string, string>();
  const build = await rolldown({
    cwd: root,
    platform: "node",
    input: Object.fromEntries(tests.map((file) => [entryName(file), `${entryPrefix}${file}`])),
    plugins: [testEntries(root), mutants(root, sources), outside(root, packages)],
    treeshake: false,
    logLevel: "warn",
  });
  const { output } = await build.generate({ format: "cjs", exports: "named", entryFileNames: "[name].js" });
  await build.close();
  const chunks = new Map(output.flatMap((one) => (one.type === "chunk" ? [[one.fileName, one] as const] : [])));
  return {
    mutants: sources.reduce((sum, source) => sum + source.mutants.length, 0),
    chunks: new Map([...chunks].map(([name, { code }]) => [name, code] as const)),
    files: new Map(tests.map((file) => [file, filesOf(root, `${entryName(file)}.js`, chunks)] as const)),
    entries: new Map(tests.map((file) => [file, `${entryName(file)}.js`])),
    packages: [...packages.values()],
  };
}

/** The modules in a chunk and in those that it imports, by their paths from the root. */
function filesOf(
  root: string,
  entry: string,
  chunks: ReadonlyMap<string, { readonly imports: readonly string[]; readonly moduleIds: readonly string[] }>,
): Set<string> {
  const seen = new Set([entry]);
  // A set's loop also visits what is added to it meanwhile.
  for (const name of seen) for (const other of chunks.get(name)?.imports ?? []) seen.add(other);
  const ids = [...seen].flatMap((name) => chunks.get(name)?.moduleIds ?? []);
  return new Set(ids.map((id) => path.relative(root, id)));
}

const entryPrefix = "\0test:";

function entryName(file: string): string {
  return file.replaceAll(/[^\w-]/g, "_");
}

/** An entry runs a proof against its written evidence, or the tests that its file defines. */
function testEntries(root: string): Plugin {
  const quoted = (file: string): string => JSON.stringify(path.join(root, file));
  return {
    name: "test-entries",
    resolveId: (id) => (id.startsWith(entryPrefix) ? id : undefined),
    load(id) {
      if (!id.startsWith(entryPrefix)) return undefined;
      const file = id.slice(entryPrefix.length);
      if (!file.endsWith("/proof.ts"))
        return `import { runTests } from ${quoted("bench/mutants/stand-in.ts")}; import ${quoted(file)}; export const run = runTests;`;
      return `import proof from ${quoted(file)}; import { runProof } from ${quoted("bench/mutants/paper.ts")}; export const run = () => runProof(proof);`;
    },
  };
}

function mutants(root: string, sources: readonly Source[]): Plugin {
  const byFile = new Map(sources.map((source) => [path.join(root, source.file), source]));
  return {
    name: "mutants",
    load(id) {
      if (!id.startsWith(root) || !id.endsWith(".ts")) return undefined;
      const source = byFile.get(id);
      const code = source === undefined ? readFileSync(id, "utf8") : instrument(source);
      // CommonJS has no other way to know the place of a file.
      return { code: code.replaceAll("import.meta.url", JSON.stringify(pathToFileURL(id).href)), moduleType: "ts" };
    },
  };
}

const outsidePrefix = "\0outside:";

/** Packages are loaded once, not again for each mutant. Of vitest only what needs no run of it; the rest has a stand-in. */
function outside(root: string, packages: Map<string, string>): Plugin {
  return {
    name: "outside",
    resolveId(id, importer) {
      if (id === "vitest" && importer?.endsWith("/mutants/stand-in.ts") !== true)
        return path.join(root, "bench/mutants/stand-in.ts");
      if (/^[./\0]/.test(id)) return undefined;
      packages.set(id, id);
      return `${outsidePrefix}${id}`;
    },
    async load(id) {
      if (!id.startsWith(outsidePrefix)) return undefined;
      const name = id.slice(outsidePrefix.length);
      const names = Object.keys((await import(name)) as object).filter((one) => /^[a-z_$][\w$]*$/i.test(one));
      const exported = names.map(
        (one, at) => `const _${at} = outside[${JSON.stringify(one)}]; export { _${at} as ${one} };`,
      );
      return `const outside = $outside(${JSON.stringify(name)}); ${exported.join("\n")}`;
    },
  };
}
