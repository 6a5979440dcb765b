import { mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import path from "node:path";
import { defineConfig } from "rolldown";

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

const common = {
  platform: /** @type {const} */ ("node"),
  // Dependencies are not bundled: they are installed anyway, and a command loads only those that it uses.
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

/** Node 20 does not run TypeScript, so `npm ci` builds the product to `dist/`, the sandbox to `sandbox/dist/` and the repository's scripts to `build/`. */
export default defineConfig([
  {
    ...common,
    input: { cli: "src/cli.ts" },
    output: output("dist"),
    plugins: [moveInto("dist")],
  },
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
