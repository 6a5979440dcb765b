import { dialect } from "../dialect.ts";
import { originOf, quote, type Table } from "../store/catalogue.ts";
import { toJson } from "../store/types.ts";

/** The values of one row, all columns in order, as PostgreSQL text. */
export type Cells = readonly (string | null)[];

/**
 * How rows of one table, or some of their columns, are written into frames. Every row includes its version. An update
 * always includes the key, omits NULLs, and has only the changed values of the old row.
 */
export class Shape {
  readonly #table: Table;
  readonly #columns: readonly string[] | undefined;
  readonly #key: number;
  readonly #version: number;
  /** The indices of the columns shown. */
  readonly #shown: readonly number[];
  readonly #updated: readonly number[];

  constructor(table: Table, columns: readonly string[] | undefined) {
    this.#table = table;
    this.#columns = columns;
    const at = (name: string): number => table.columns.findIndex((column) => column.column_name === name);
    this.#version = at(dialect.versionColumn);
    this.#key = table.columns.findIndex((column) => column.is_primary_key);
    this.#shown = columns === undefined ? table.columns.map((_, index) => index) : [...columns.map(at), this.#version];
    const deleted = at("_deleted");
    this.#updated = [
      ...new Set([...this.#shown.filter((index) => index !== deleted), ...(this.#key < 0 ? [] : [this.#key])]),
    ];
  }

  /** The names of all columns, for a statement. */
  get names(): string {
    return this.#table.columns.map((column) => quote(column.column_name)).join(", ");
  }

  /** Identifies a row: its key or, for a table without one, its version, which then never changes. */
  identity(cells: Cells): string {
    return cells[this.#key < 0 ? this.#version : this.#key] ?? "";
  }

  version(cells: Cells): string {
    return cells[this.#version] ?? "";
  }

  schema(): string {
    const { columns } = this.#table;
    const selected = this.#columns === undefined ? columns : this.#shown.slice(0, -1).map((index) => columns[index]);
    return JSON.stringify(
      selected
        .filter((column) => column !== undefined)
        .map((column, index) => {
          const { flags } = originOf(column);
          const about = { name: column.column_name, data_type: column.data_type, index };
          return flags.length > 0 ? { ...about, flags } : about;
        }),
    );
  }

  row(cells: Cells): string {
    return this.#object(cells, this.#shown);
  }

  inserted(cells: Cells): string {
    return `"change_type":"insert","rows":[${this.row(cells)}]}`;
  }

  updated(before: Cells, after: Cells): string {
    const now = this.#updated.filter((index) => after[index] !== null);
    const then = this.#updated.filter(
      (index) => index === this.#key || index === this.#version || before[index] !== after[index],
    );
    return `"change_type":"update","rows":[${this.#object(after, now)}],"old_values":[${this.#object(before, then)}]}`;
  }

  /** With the version of the delete, so that the client can resume from it. */
  deleted(before: Cells, version: string): string {
    const last = before.map((cell, index) => {
      if (index === this.#version) return version;
      return this.#table.columns[index]?.column_name === "_deleted" ? "t" : cell;
    });
    return `"change_type":"delete","old_values":[${this.row(last)}]}`;
  }

  #object(cells: Cells, shown: readonly number[]): string {
    const fields = shown.map((index) => {
      const column = this.#table.columns[index];
      return `${JSON.stringify(column?.column_name)}:${toJson(cells[index] ?? null, column?.data_type ?? "Text", "us")}`;
    });
    return `{${fields.join(",")}}`;
  }
}
