import Table from "cli-table3";

const none = Object.fromEntries(
  ["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left", "bottom-right"]
    .concat(["left", "left-mid", "mid", "mid-mid", "right", "right-mid", "middle"])
    .map((name) => [name, ""]),
);

export interface ColumnOptions {
  readonly widths?: number[];
  readonly alignments?: ("left" | "right")[];
  readonly wrap?: boolean;
  /** Spaces after each column, included in its width; 2 by default. */
  readonly gaps?: readonly number[];
}

/** Aligns rows in columns without borders, so that they can be grepped and pasted; without trailing spaces. */
export function columns(rows: readonly (readonly string[])[], options: ColumnOptions = {}): string {
  const table = new Table({
    chars: none,
    style: { "padding-left": 0, "padding-right": 2, head: [], border: [] },
    ...(options.widths === undefined ? {} : { colWidths: options.widths }),
    ...(options.alignments === undefined ? {} : { colAligns: options.alignments }),
    wordWrap: options.wrap ?? false,
  });
  table.push(
    ...rows.map((row) => row.map((content, at) => ({ content, style: { "padding-right": options.gaps?.[at] ?? 2 } }))),
  );
  return rows.length === 0
    ? ""
    : `${table
        .toString()
        .split("\n")
        .map((line) => line.trimEnd())
        .join("\n")}\n`;
}
