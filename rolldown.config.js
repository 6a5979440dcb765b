import { defineConfig } from "rolldown";

const common = {
  platform: /** @type {const} */ ("node"),
  // Dependencies are not bundled: they are installed anyway, and a command loads only those that it uses.
  external: [/^[^./]/],
};
const output = /** @type {const} */ ({
  format: "esm",
  sourcemap: true,
  cleanDir: true,
  chunkFileNames: "chunks/[name]-[hash].js",
});

/** Node 20 does not run TypeScript, so `npm ci` builds the product to `dist/`, the sandbox to `sandbox/dist/` and the repository's scripts to `build/`. */
export default defineConfig([
  {
    ...common,
    input: { cli: "src/cli.ts" },
    output: { ...output, dir: "dist" },
  },
  {
    ...common,
    input: { main: "sandbox/src/main.ts", worker: "sandbox/src/worker.ts" },
    output: { ...output, dir: "sandbox/dist" },
  },
  {
    ...common,
    input: {
      generate: "docs/generate.ts",
      picture: "docs/picture.ts",
      bench: "bench/run.ts",
      contract: "contract/record.ts",
    },
    output: { ...output, dir: "build" },
  },
]);
