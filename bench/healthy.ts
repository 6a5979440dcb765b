/**
 * `npm run bench -- healthy [runs] [effort]`: runs of `check` on a healthy sandbox in trouble. Whatever is red then is false,
 * and what is unknown is a question that was not answered. Goal: no red, at most 2 % unknown.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { text } from "node:stream/consumers";
import { startSandbox } from "../src/commands/sandbox.ts";
import { packageFolder } from "../src/package.ts";
import { troubles, type Trouble } from "./troubles.ts";

const bin = path.join(packageFolder, "bin", "kalam-ready.js");
/** Behind a proxy on another port the address that the server tells is really another. */
const apart = ["--skip", "subscriptions/told-address-matches"];
const unknownShareMax = 0.02;

interface Result {
  readonly check: string;
  readonly kind: "pass" | "fail" | "unknown" | "skip";
  readonly sentence?: string;
  readonly findings: readonly { readonly name: string; readonly sentence: string }[];
}

interface Run {
  readonly verdict: string;
  readonly results: readonly Result[];
  readonly seconds: number;
  readonly requests: number;
}

/** Prints each run and the sum; returns the exit code: 1 where a goal was missed. */
export async function healthyRuns(runs: number, effort: string): Promise<number> {
  const reds: string[] = [];
  const unknowns: string[] = [];
  let judged = 0;
  for (let n = 0; n < runs; n += 1) {
    const trouble = troubles[n % troubles.length];
    if (trouble === undefined) break;
    const { verdict, results, seconds, requests } = await runIn(trouble, effort);
    const named = (kind: Result["kind"]): Result[] => results.filter((one) => one.kind === kind);
    judged += results.length - named("skip").length;
    process.stdout.write(
      `${String(n + 1).padStart(3)} ${trouble.name.padEnd(20)} ${verdict.padEnd(10)} ${seconds.toFixed(0)} s, ${requests} requests, ${named("pass").length} passed, ${named("fail").length} red, ${named("unknown").length} unknown\n`,
    );
    for (const { check, findings } of named("fail"))
      for (const { name, sentence } of findings) {
        reds.push(`${check}: ${name}`);
        process.stdout.write(`      red: ${check}: ${name}: ${sentence}\n`);
      }
    for (const { check, sentence = "" } of named("unknown")) {
      unknowns.push(check);
      process.stdout.write(`      unknown: ${check}: ${sentence}\n`);
    }
  }
  const share = unknowns.length / Math.max(1, judged);
  process.stdout.write(`${judged} verdicts in ${runs} runs: ${reds.length} red (goal 0), ${unknowns.length} unknown\n`);
  for (const [what, times] of [...counts(reds), ...counts(unknowns)])
    process.stdout.write(`${String(times).padStart(5)} × ${what}\n`);
  process.stdout.write(`${(share * 100).toFixed(1)} % unknown (goal ≤ ${unknownShareMax * 100} %)\n`);
  return reds.length > 0 || share > unknownShareMax ? 1 : 0;
}

async function runIn(trouble: Trouble, effort: string): Promise<Run> {
  const server = await startSandbox();
  try {
    const { url, end } = await trouble.begin(server, server.url);
    try {
      const startedAt = performance.now();
      const args = [bin, "check", "--url", url, ...apart, "--user", "root", "--effort", effort, "--json", "-q"];
      const child = spawn(process.execPath, args, {
        stdio: ["ignore", "pipe", "inherit"],
        env: { ...process.env, KALAM_READY_PASSWORD: server.rootPassword },
      });
      const [stdout] = await Promise.all([text(child.stdout), once(child, "close")]);
      const report = JSON.parse(stdout) as {
        verdict: string;
        results: readonly Result[];
        run: { requests: number };
      };
      const { verdict, results, run } = report;
      return { verdict, results, seconds: (performance.now() - startedAt) / 1_000, requests: run.requests };
    } finally {
      await end();
    }
  } finally {
    await server.stop();
  }
}

function counts(names: readonly string[]): [string, number][] {
  const times = new Map<string, number>();
  for (const name of names) times.set(name, (times.get(name) ?? 0) + 1);
  return [...times].toSorted(([, one], [, other]) => other - one);
}
