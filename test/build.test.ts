/** What is built, and a build while a program of the build before it runs, as `npx kalam-ready` does in a checkout. */
import { execFile, spawn } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageFolder } from "../src/package.ts";

const folder = mkdtempSync(path.join(tmpdir(), "kalam-ready-build-"));
/** Every entry of the configuration, except the one that the test writes itself. */
const inputs = [...readFileSync(path.join(packageFolder, "rolldown.config.js"), "utf8").matchAll(/"([\w./-]+\.ts)"/g)]
  .map(([, file = ""]) => file)
  .filter((file) => file !== "src/cli.ts");

function write(file: string, text: string): void {
  mkdirSync(path.join(folder, path.dirname(file)), { recursive: true });
  writeFileSync(path.join(folder, file), text);
}
async function build(): Promise<void> {
  const rolldown = path.join(packageFolder, "node_modules", ".bin", "rolldown");
  await promisify(execFile)(rolldown, ["-c", "--logLevel", "warn"], { cwd: folder });
}

beforeAll(() => {
  for (const input of inputs) write(input, "export {};");
  write("package.json", '{ "type": "module" }');
  write(
    "src/cli.ts",
    'console.log("loaded"); process.stdin.once("data", async () => console.log((await import("./late.ts")).words));',
  );
  cpSync(path.join(packageFolder, "rolldown.config.js"), path.join(folder, "rolldown.config.js"));
  symlinkSync(path.join(packageFolder, "node_modules"), path.join(folder, "node_modules"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test(
  "a running program finds its chunks after another build, and old ones are removed",
  { timeout: 60_000 },
  async () => {
    write("src/late.ts", 'export const words = "of the first build";');
    await build();
    const [first = ""] = chunks();
    const child = spawn(process.execPath, [path.join(folder, "dist", "cli.cjs")], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    let said = "";
    await new Promise<void>((resolve) => {
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        resolve();
      });
    });
    write("src/late.ts", 'export const words = "of the second build";');
    await build();
    child.stdin.end("go on\n");
    expect(await new Promise((resolve) => child.on("close", resolve))).toBe(0);
    expect(said).toBe("loaded\nof the first build\n");

    const longAgo = new Date(Date.now() - 7_200_000);
    utimesSync(path.join(folder, "dist", "chunks", first), longAgo, longAgo);
    await build();
    expect(chunks()).not.toContain(first);
    expect(chunks()).toHaveLength(1);
    expect(readdirSync(path.join(folder, "dist")).toSorted()).toEqual([
      "chunks",
      "cli.cjs",
      "cli.cjs.map",
      "licenses-of-bundled.txt",
    ]);
  },
);

test("a start loads one file, and no package", async () => {
  const tell =
    'import { Module } from "node:module"; process.on("exit", () => console.error(Object.keys(Module._cache)));';
  const { stderr } = await promisify(execFile)(process.execPath, [
    `--import=data:text/javascript,${encodeURIComponent(tell)}`,
    path.join(packageFolder, "bin", "kalam-ready.js"),
    "--help",
  ]);
  const loaded = [...stderr.matchAll(/'(.*)'/g)].map(([, file = ""]) => path.relative(packageFolder, file));
  expect(loaded.filter((file) => !file.includes("rolldown-runtime"))).toEqual(["bin/kalam-ready.js", "dist/cli.cjs"]);
});

test("built files are ASCII: others would take twice the memory", () => {
  const built = path.join(packageFolder, "dist");
  const files = readdirSync(built, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".cjs"));
  const others = files.filter((file) => /[^\0-\x7f]/.test(readFileSync(path.join(built, file), "utf8")));
  expect([files.length > 100, others]).toEqual([true, []]);
});

function chunks(): string[] {
  return readdirSync(path.join(folder, "dist", "chunks")).filter((name) => name.endsWith(".cjs"));
}
