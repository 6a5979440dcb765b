/** Finds and reads a profile: a file, a shipped one by its name, or stdin. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { LineCounter, parseDocument } from "yaml";
import type { Category } from "../check.ts";
import { didYouMean } from "../nearest.ts";
import { packageFolder } from "../package.ts";
import { profileShape, type ProfileDocument } from "./keys.ts";
import { expandReferences } from "./references.ts";
import type { Problem, Reading } from "./shape.ts";

/** A profile that cannot be used: one line for each thing that is wrong with it. */
export class ProfileError extends Error {}

/** Where a profile came from. */
export interface ProfileSource {
  readonly document: ProfileDocument;
  /** A file's path, `-` for stdin, or the name of a shipped one. */
  readonly from: string;
  /** The line on which each top-level key stands, for `profile show`. */
  readonly lines: Readonly<Record<string, number>>;
}

export const ownProfile = "kalam-ready.yaml";

export interface ReadOptions {
  readonly categories: readonly Category[];
  readonly environment: NodeJS.ProcessEnv;
  readonly onSecret: (value: string) => void;
  /** YYYY-MM-DD; the present day where absent. */
  readonly today?: string;
}

/** Throws ProfileError. */
export function readProfile(wanted: string | undefined, options: ReadOptions): ProfileSource {
  const { from, file } = locate(wanted);
  let source: string;
  try {
    source = readFileSync(file, "utf8");
  } catch (error) {
    throw new ProfileError(`${from}: cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
  const folder = file === 0 ? process.cwd() : path.dirname(file);
  return parseProfile(source, from, { ...options, folder });
}

/** Throws ProfileError with every problem, each with line and column. */
export function parseProfile(source: string, from: string, options: ReadOptions & { folder: string }): ProfileSource {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  const problems: Problem[] = document.errors.map((error) => {
    const { line, col } = lines.linePos(error.pos[0]);
    const message = error.code === "DUPLICATE_KEY" ? "this key stands here twice" : error.message;
    return { line, column: col, message };
  });
  const today = options.today ?? new Date().toISOString().slice(0, 10);
  const reading: Reading = { lines, problems, today, expand: (text) => expandReferences(text, options) };
  const read = problems.length > 0 ? {} : profileShape(options.categories).read(document.contents, reading);
  if (problems.length > 0 || read === undefined) {
    throw new ProfileError(
      problems.map(({ line, column, message }) => `${from}:${line}:${column}: ${message}`).join("\n"),
    );
  }
  for (const secret of [read.login?.password, read.login?.token]) if (secret !== undefined) options.onSecret(secret);
  const keyLines: Record<string, number> = {};
  const contents = document.contents as {
    items?: { key?: { value?: unknown; range?: [number, number, number] } }[];
  } | null;
  for (const { key } of contents?.items ?? []) {
    if (key?.range !== undefined) keyLines[String(key.value)] = lines.linePos(key.range[0]).line;
  }
  return { document: read, from, lines: keyLines };
}

function locate(wanted: string | undefined): { from: string; file: string | 0 } {
  if (wanted === "-") return { from: "-", file: 0 };
  if (wanted === undefined) {
    if (existsSync(ownProfile)) return { from: ownProfile, file: path.resolve(ownProfile) };
    return { from: "standard", file: shippedFile("standard") };
  }
  // A bare word is a shipped profile's name, unless a file of that name lies here.
  const shipped = shippedNames();
  const isFolder = existsSync(`${wanted}/`);
  if ((!existsSync(wanted) || isFolder) && shipped.includes(wanted)) return { from: wanted, file: shippedFile(wanted) };
  if (!existsSync(wanted)) {
    const known = didYouMean(wanted, shipped);
    throw new ProfileError(
      `${wanted}: no such file, and no shipped profile of that name (${shipped.join(", ")})${known}`,
    );
  }
  return { from: wanted, file: path.resolve(wanted) };
}

const shippedFolder = path.join(packageFolder, "profiles");

export function shippedNames(): string[] {
  return readdirSync(shippedFolder)
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => name.slice(0, -".yaml".length));
}

export function shippedFile(name: string): string {
  return path.join(shippedFolder, `${name}.yaml`);
}
