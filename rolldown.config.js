import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import path from "node:path";
import { defineConfig, RolldownMagicString } from "rolldown";

/** Longer than a run takes. */
const keptMs = 3_600_000;

/**
 * Builds beside the folder and moves each file into place, those that others import first: whoever starts or runs a program
 * meanwhile finds all of its files. A program loads its chunks when it needs them, so those of earlier builds stay a while.
 *
 * @param {string} folder
 * @returns {import("rolldown").Plugin}
 */
function moveInto(folder) {
  return {
    name: "move-into-place",
    writeBundle({ dir = "" }, bundle) {
      const files = Object.keys(bundle);
      const now = new Date();
      for (const file of files.toSorted((one, other) => depth(other) - depth(one))) {
        const place = path.join(folder, file);
        mkdirSync(path.dirname(place), { recursive: true });
        renameSync(path.join(dir, file), place);
        utimesSync(place, now, now);
      }
      rmSync(dir, { recursive: true, force: true });
      const current = new Set(files.map((file) => path.join(folder, file)));
      for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        const file = path.join(entry.parentPath, entry.name);
        if (entry.isFile() && !current.has(file) && isOld(file)) rmSync(file, { force: true });
      }
    },
  };
}

/** @param {string} file */
function depth(file) {
  return file.split("/").length;
}

/** @param {string} file */
function isOld(file) {
  // Another build may have removed it.
  const builtAt = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  return builtAt !== undefined && Date.now() - builtAt > keptMs;
}

/** Of the packages that the product uses, these are part of it: the first is needed at every start, the second is no CommonJS. */
const bundled = ["commander", "chalk"];

/** @returns {import("rolldown").Plugin} */
function licensesOfBundled() {
  return {
    name: "licenses-of-bundled",
    generateBundle() {
      const texts = bundled.map((name) => {
        const folder = path.join(import.meta.dirname, "node_modules", name);
        const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one)) ?? "LICENSE";
        return `${name}\n\n${readFileSync(path.join(folder, file), "utf8")}`;
      });
      this.emitFile({ type: "asset", fileName: "licenses-of-bundled.txt", source: texts.join("\n") });
    },
  };
}

/**
 * `require` of a module of Node also makes what an ES module would import of it: of `node:fs` that loads streams and
 * promises, which few commands need.
 *
 * @returns {import("rolldown").Plugin}
 */
function builtinsAlone() {
  return {
    name: "builtins-alone",
    renderChunk(code) {
      const chunk = new RolldownMagicString(code);
      // Node 22 has it since 22.3; commander has a variable called process.
      const load = "(globalThis.process.getBuiltinModule ?? require)";
      chunk.replaceRegex(/\brequire\((["']node:[\w/]+["'])\)/g, `${load}($1)`);
      return chunk;
    },
  };
}

const common = {
  platform: /** @type {const} */ ("node"),
  // Packages are not bundled: they are installed anyway, and a command loads only those that it uses.
  external: [/^[^./]/],
};

/** @param {string} folder */
function output(folder) {
  return {
    format: /** @type {const} */ ("esm"),
    sourcemap: true,
    dir: path.join(folder, `.new-${process.pid}`),
    // As seen from the place that the files are moved to.
    sourcemapPathTransform: (/** @type {string} */ source) => source.replace(/^\.\.\//, ""),
    chunkFileNames: "chunks/[name]-[hash].js",
  };
}

/**
 * The product starts often, and each start is waited for. Node loads CommonJS faster than ES modules, and one file faster than
 * several: all that every start needs is in `cli.cjs`, with commander; what a command needs is in chunks that it loads.
 *
 * @type {import("rolldown").RolldownOptions}
 */
const product = {
  ...common,
  input: { cli: "src/cli.ts" },
  external: (id) => /^[^./#]/.test(id) && !bundled.includes(id),
  // Chunks use what is in `cli.cjs`.
  preserveEntrySignatures: "allow-extension",
  output: {
    ...output("dist"),
    format: "cjs",
    entryFileNames: "[name].cjs",
    chunkFileNames: "chunks/[name]-[hash].cjs",
    codeSplitting: { groups: [{ name: "start", tags: ["$initial"], includeDependenciesRecursively: false }] },
    // V8 keeps the sources in memory, with one other character in them at two bytes for each. Lines stay as they are, for stacks.
    comments: { legal: true, annotation: false, jsdoc: false },
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: false, asciiOnly: true } },
  },
  plugins: [builtinsAlone(), licensesOfBundled(), moveInto("dist")],
};

/** Node 20 does not run TypeScript, so `npm ci` builds the product to `dist/`, the sandbox to `sandbox/dist/` and the repository's scripts to `build/`. */
export default defineConfig([
  product,
  {
    ...common,
    input: { main: "sandbox/src/main.ts", worker: "sandbox/src/worker.ts" },
    output: output("sandbox/dist"),
    plugins: [moveInto("sandbox/dist")],
  },
  {
    ...common,
    input: {
      generate: "docs/generate.ts",
      picture: "docs/picture.ts",
      bench: "bench/run.ts",
      gallery: "bench/gallery.ts",
      contract: "contract/record.ts",
      mutants: "bench/mutants/run.ts",
      "mutants-worker": "bench/mutants/worker.ts",
    },
    output: output("build"),
    plugins: [moveInto("build")],
  },
]);
