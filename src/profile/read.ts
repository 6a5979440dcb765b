/** Finds and reads a profile: a file, a shipped one by its name, or stdin. */
import { existsSync, readdirSync, realpathSync } from "node:fs";
import path from "node:path";
import { LineCounter, parseDocument } from "yaml";
import type { Category } from "../check.ts";
import { didYouMean } from "../nearest.ts";
import { packageFolder } from "../package.ts";
import { profileShape, type ProfileDocument } from "./keys.ts";
import { UserError } from "../user-error.ts";
import { readText, whyUnreadable } from "./bounded.ts";
import { expandReferences } from "./references.ts";
import type { Problem, ProfileCode, Reading } from "./shape.ts";

/** A profile that cannot be used, with everything that is wrong with it. The code is that of the first problem. */
export class ProfileError extends UserError<ProfileCode> {
  readonly exit = "badProfile";
  readonly from: string;
  readonly problems: readonly Problem[];

  constructor(from: string, problems: readonly [Problem, ...Problem[]]) {
    super(problems[0].code, problems.map((one) => problemLine(from, one)).join("\n"), { profile: from });
    this.from = from;
    this.problems = problems;
  }

  override get detail(): string {
    return this.problems.map((one) => `${problemLine(this.from, one)} [${one.code}]`).join("\n");
  }
}

/** As compilers write it, so that editors and terminals can jump there. */
function problemLine(from: string, { line, column, message }: Problem): string {
  return `${[from, line, column].filter((part) => part !== undefined).join(":")}: ${message}`;
}

/** Where a profile came from. */
export interface ProfileSource {
  readonly document: ProfileDocument;
  /** A file's path, `-` for stdin, or the name of a shipped one. */
  readonly from: string;
  /** The line of each top-level key, for `profile show`. */
  readonly lines: Readonly<Record<string, number>>;
  /** Where relative paths in it begin. */
  readonly folder: string;
  /** Nobody named it: it was in the working folder, and may come with a branch of somebody else. */
  readonly found?: boolean;
  /** The value of --profile that leads to it from any folder; absent if it is the default. */
  readonly word?: string;
  /** The environment variables that it takes values from. */
  readonly variables: readonly string[];
}

export const ownProfile = "kalam-ready.yaml";

export interface ReadOptions {
  readonly categories: readonly Category[];
  readonly environment: NodeJS.ProcessEnv;
  readonly onSecret: (value: string) => void;
  /** YYYY-MM-DD. Absent: the current day. */
  readonly today?: string;
}

/** Throws ProfileError. */
export function readProfile(wanted: string | undefined, options: ReadOptions): ProfileSource {
  const { from, file, found } = locate(wanted);
  const isShipped = file !== 0 && file === shippedFile(from);
  const word = isShipped || file === 0 ? wanted : file;
  let source: string;
  try {
    if (found) mustBeHere(file);
    source = readText(file, { regular: found });
  } catch (error) {
    const message = `cannot read the profile: ${whyUnreadable(error)}`;
    throw new ProfileError(from, [{ code: "profileUnreadable", message }]);
  }
  const folder = file === 0 ? process.cwd() : path.dirname(file);
  return { ...parseProfile(source, from, { ...options, folder }), found, ...(word === undefined ? {} : { word }) };
}

/** A link would have another file read, and its lines shown as errors. */
function mustBeHere(file: string | 0): void {
  if (file !== 0 && path.dirname(realpathSync(file)) !== realpathSync(path.dirname(file)))
    throw new Error(`it is a link to another folder; name it with --profile ./${ownProfile}`);
}

/** Throws ProfileError with every problem, each with line and column. */
export function parseProfile(source: string, from: string, options: ReadOptions & { folder: string }): ProfileSource {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  const problems: Problem[] = document.errors.map((error) => {
    const { line, col } = lines.linePos(error.pos[0]);
    const place = { line, column: col };
    if (error.code === "DUPLICATE_KEY") return { ...place, code: "duplicateKey", message: "duplicate key" };
    return { ...place, code: "yamlSyntax", message: error.message };
  });
  const today = options.today ?? new Date().toISOString().slice(0, 10);
  const variables = new Set<string>();
  const reading: Reading = {
    lines,
    problems,
    today,
    expand: (text) => expandReferences(text, { ...options, onVariable: (name) => variables.add(name) }),
    hide: options.onSecret,
  };
  const read = problems.length > 0 ? {} : profileShape(options.categories).read(document.contents, reading);
  const [first, ...others] = problems;
  if (first !== undefined) throw new ProfileError(from, [first, ...others]);
  if (read === undefined) throw new Error("a profile was not read, and nothing is wrong with it");
  for (const secret of [read.login?.password, read.login?.token]) if (secret !== undefined) options.onSecret(secret);
  const keyLines: Record<string, number> = {};
  const contents = document.contents as {
    items?: { key?: { value?: unknown; range?: [number, number, number] } }[];
  } | null;
  for (const { key } of contents?.items ?? []) {
    if (key?.range !== undefined) keyLines[String(key.value)] = lines.linePos(key.range[0]).line;
  }
  return { document: read, from, lines: keyLines, folder: options.folder, variables: [...variables] };
}

function locate(wanted: string | undefined): { from: string; file: string | 0; found: boolean } {
  if (wanted === undefined && existsSync(ownProfile))
    return { from: ownProfile, file: path.resolve(ownProfile), found: true };
  return { ...locateNamed(wanted ?? "standard"), found: false };
}

function locateNamed(wanted: string): { from: string; file: string | 0 } {
  if (wanted === "-") return { from: "-", file: 0 };
  // A bare word is a shipped profile's name, unless there is a file of that name.
  const shipped = shippedNames();
  const isFolder = existsSync(`${wanted}/`);
  if ((!existsSync(wanted) || isFolder) && shipped.includes(wanted)) return { from: wanted, file: shippedFile(wanted) };
  if (!existsSync(wanted)) {
    const hint = didYouMean(wanted, shipped);
    const message = `there is no such file and no shipped profile of that name (${shipped.join(", ")})${hint}`;
    throw new ProfileError(wanted, [{ code: "profileNotFound", message }]);
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
