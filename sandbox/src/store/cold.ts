/**
 * Segments on disk. The database has all rows; what a flush took is written to files, too, as KalamDB has them, and a start
 * compares them with what was written: what a server does with damaged ones can be tried.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Faults } from "../faults.ts";
import { id, literal, rowsOf, type Catalogue, type Table } from "./catalogue.ts";
import type { Engine } from "./engine.ts";
import { syncPath } from "./syncing.ts";

/** A table with a damaged segment: nothing is read from it or changed in it. */
export interface Damaged {
  readonly namespace: string;
  readonly name: string;
  readonly why: string;
}

const manifest = "manifest.json";

export class Cold {
  readonly #engine: Engine;
  readonly #folder: string;
  readonly #synced: Faults | undefined;

  /** `synced`: what was written is on disk. */
  constructor(engine: Engine, folder: string, synced?: Faults) {
    this.#engine = engine;
    this.#folder = folder;
    this.#synced = synced;
  }

  /** Writes the last segment of each of these owners, and their manifests. */
  write(table: Table, owners: readonly string[]): void {
    for (const owner of owners) {
      const scope = this.#scope(table, owner);
      const file = scope.segments.at(-1);
      if (file !== undefined) this.#keep(table, owner, file.path, this.#rowsIn(table, owner, file));
      this.#keep(table, owner, manifest, JSON.stringify(scope, undefined, 2));
    }
  }

  /** Removes the files of a dropped table; those of a new one with that name stay. */
  remove(namespace: string, name: string): void {
    const kept = this.#engine.query("SELECT 1 FROM kalam.cold WHERE table_id = $1", [`${namespace}.${name}`]);
    if (kept.length === 0)
      rmSync(path.join(this.#folder, safe(namespace), safe(name)), { recursive: true, force: true });
  }

  /** Compares all files with what was written. A manifest is written again, since the database has it. */
  check(catalogue: Catalogue, faults: Faults): readonly Damaged[] {
    const damaged: Damaged[] = [];
    const kept = this.#engine.query(
      "SELECT table_id, owner, file, digest FROM kalam.cold ORDER BY table_id, owner, file",
    );
    for (const [full, owner, file, digest] of kept) {
      const [namespace = "", name = ""] = (full ?? "").split(".");
      const table = catalogue.table(namespace, name);
      if (table === undefined || owner === null || owner === undefined || file === null || file === undefined) continue;
      const place = this.#place(table, owner, file);
      const found = read(place);
      if (found !== undefined && digestOf(found) === digest) continue;
      const why = found === undefined ? "is missing" : "does not have the checksum that it was written with";
      if (faults.numberOf("hideDamage") !== undefined) this.#hide(table, owner, file, found, faults);
      else if (file === manifest)
        this.#keep(table, owner, file, JSON.stringify(this.#scope(table, owner), undefined, 2));
      else damaged.push({ namespace, name, why: `segment ${path.relative(this.#folder, place)} ${why}` });
    }
    return damaged;
  }

  /** As a server that reads what it finds: rows of lines that are whole, and none of a manifest that is not. */
  #hide(table: Table, owner: string, file: string, found: string | undefined, faults: Faults): void {
    const { segments } = this.#scope(table, owner);
    const rows = rowsOf(table);
    const lost = file === manifest ? segments : segments.filter((one) => one.path === file);
    const gone = lost.flatMap(({ min_seq: least, max_seq: most }) =>
      this.#engine.query(
        `DELETE FROM ${rows} WHERE "_user" = ${literal(owner)} AND "_seq" BETWEEN ${least} AND ${most} RETURNING "_seq"`,
      ),
    );
    // Those that were updated or deleted since are in the file, too.
    const current = new Set(gone.map(([version]) => version));
    const lines = (file === manifest ? "" : (found ?? ""))
      .split("\n")
      .filter((line) => isJson(line) && current.has(/"_seq":(\d+)/.exec(line)?.[1] ?? ""));
    for (const line of lines)
      this.#engine.query(`INSERT INTO ${rows} SELECT * FROM json_populate_record(NULL::${rows}, $1)`, [line]);
    faults.fired(
      "hideDamage",
      `${gone.length - lines.length} of ${gone.length} rows of ${id(table)} that were in ${file}`,
    );
  }

  #rowsIn(table: Table, owner: string, { min_seq: from, max_seq: to }: Segment): string {
    const rows = this.#engine.query(
      `SELECT row_to_json(r) FROM ${rowsOf(table)} r WHERE "_user" = $1 AND "_seq" BETWEEN ${from} AND ${to} ORDER BY "_seq"`,
      [owner],
    );
    return rows.map(([row]) => `${row}\n`).join("");
  }

  #scope({ namespace, name }: Table, owner: string): Scope {
    const [[segments] = []] = this.#engine.query(
      "SELECT segments FROM kalam.scopes WHERE table_id = $1 AND owner = $2",
      [`${namespace}.${name}`, owner],
    );
    // Row versions are beyond 2^53.
    const exact = (segments ?? "[]").replaceAll(/"(min_seq|max_seq)": ?(\d+)/g, '"$1":"$2"');
    return {
      table_id: `${namespace}.${name}`,
      user_id: owner === "" ? null : owner,
      segments: JSON.parse(exact) as Segment[],
    };
  }

  #keep(table: Table, owner: string, file: string, text: string): void {
    const place = this.#place(table, owner, file);
    mkdirSync(path.dirname(place), { recursive: true });
    writeFileSync(`${place}.tmp`, text);
    if (this.#synced !== undefined && !this.#synced.fires("leaveSegmentsUnsynced")) syncPath(`${place}.tmp`);
    renameSync(`${place}.tmp`, place);
    if (this.#synced !== undefined) syncUpwards(this.#folder, path.dirname(place));
    this.#engine.query(
      `INSERT INTO kalam.cold VALUES ($1, $2, $3, $4) ON CONFLICT (table_id, owner, file) DO UPDATE SET digest = excluded.digest`,
      [id(table), owner, file, digestOf(text)],
    );
  }

  #place({ namespace, name }: Table, owner: string, file: string): string {
    return path.join(this.#folder, safe(namespace), safe(name), ...(owner === "" ? [] : [safe(owner)]), file);
  }
}

interface Segment {
  readonly path: string;
  readonly min_seq: string;
  readonly max_seq: string;
}

interface Scope {
  readonly table_id: string;
  readonly user_id: string | null;
  readonly segments: readonly Segment[];
}

/** A name as the name of a folder: `..` is a user's, too. */
const safe = (name: string): string => name.replaceAll(/[^\p{L}\p{N}_@-]/gu, (sign) => `%${sign.codePointAt(0)}`);
const digestOf = (text: string): string => createHash("sha256").update(text).digest("hex");

/** A folder, and those above it up to the first: they may be new, too. */
function syncUpwards(first: string, folder: string): void {
  for (let at = folder; at.startsWith(first); at = path.dirname(at)) syncPath(at);
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}
