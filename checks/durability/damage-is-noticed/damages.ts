/** Ways to damage a data folder: one each, on a copy. */
import type { Disk } from "../../../src/wire/control.ts";

/** What is damaged. Of the `hot` store it is the file that has the bytes of a row that was not flushed. */
export type Part = "all" | "segment" | "manifest" | "stray" | "hot";

/** What is known of the undamaged folder. Paths are relative to it. */
export interface Layout {
  /** Of the table that is damaged, in the order of their names. */
  readonly segments: readonly string[];
  readonly manifest: string | undefined;
  /** What the manifest was one flush earlier. */
  readonly olderManifest: Uint8Array | undefined;
  /** Where a row that was not flushed is found, with the places of its bytes. */
  readonly hot: readonly { readonly file: string; readonly at: readonly number[] }[];
}

export interface Damage {
  readonly name: string;
  readonly part: Part;
  /** From which effort on it is tried: 0 is the least. */
  readonly from: 0 | 1 | 2;
  /** Does it; the file, undefined if there is nothing of that kind. */
  readonly apply: (disk: Disk, folder: string, layout: Layout) => string | undefined;
}

type Change = (bytes: Uint8Array) => Uint8Array | undefined;

const flipped = (bytes: Uint8Array, places: readonly number[]): Uint8Array => {
  const copy = Uint8Array.from(bytes);
  for (const at of places) copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
};
const cut = (bytes: Uint8Array): Uint8Array => bytes.slice(0, Math.floor(bytes.length / 2));

function changed(disk: Disk, folder: string, file: string | undefined, change: Change): string | undefined {
  if (file === undefined) return undefined;
  const now = change(disk.read(folder, file));
  if (now === undefined) disk.remove(folder, file);
  else disk.write(folder, file, now);
  return file;
}

const garbage = (length: number): Uint8Array => new TextEncoder().encode("#".repeat(Math.max(length, 16)));
const middle = ({ segments }: Layout): string | undefined => segments[Math.floor(segments.length / 2)];

export const damages: readonly Damage[] = [
  {
    // Where this changes nothing, the rows are elsewhere, and no damage of segments shows anything.
    name: "all segments and the manifest deleted",
    part: "all",
    from: 0,
    apply(disk, folder, { segments, manifest }) {
      for (const file of segments) disk.remove(folder, file);
      if (manifest !== undefined) disk.remove(folder, manifest);
      return segments[0];
    },
  },
  {
    name: "a segment with one bit flipped",
    part: "segment",
    from: 0,
    apply: (disk, folder, layout) =>
      // In the data: the end has the description, and the start only a mark.
      changed(disk, folder, middle(layout), (bytes) => flipped(bytes, [Math.floor(bytes.length / 4)])),
  },
  {
    name: "a segment deleted",
    part: "segment",
    from: 0,
    apply: (disk, folder, layout) => changed(disk, folder, middle(layout), () => undefined),
  },
  {
    name: "a segment cut in half",
    part: "segment",
    from: 1,
    apply: (disk, folder, layout) => changed(disk, folder, middle(layout), cut),
  },
  {
    name: "a segment emptied",
    part: "segment",
    from: 1,
    apply: (disk, folder, layout) => changed(disk, folder, middle(layout), () => new Uint8Array()),
  },
  {
    name: "a segment replaced by another one",
    part: "segment",
    from: 1,
    apply: (disk, folder, { segments: [first, second] }) =>
      first === undefined ? undefined : changed(disk, folder, second, () => disk.read(folder, first)),
  },
  {
    name: "a manifest of garbage",
    part: "manifest",
    from: 0,
    apply: (disk, folder, { manifest }) => changed(disk, folder, manifest, ({ length }) => garbage(length)),
  },
  {
    name: "a manifest cut in half",
    part: "manifest",
    from: 1,
    apply: (disk, folder, { manifest }) => changed(disk, folder, manifest, cut),
  },
  {
    name: "a manifest deleted",
    part: "manifest",
    from: 1,
    apply: (disk, folder, { manifest }) => changed(disk, folder, manifest, () => undefined),
  },
  {
    name: "the manifest of one flush earlier",
    part: "manifest",
    from: 1,
    apply: (disk, folder, { manifest, olderManifest }) =>
      olderManifest === undefined ? undefined : changed(disk, folder, manifest, () => olderManifest),
  },
  {
    name: "one segment more, a copy of another",
    part: "stray",
    from: 1,
    apply: (disk, folder, { segments }) => leave(disk, folder, segments, (file) => file.replace(/\d+(?=\.\w+$)/, "99")),
  },
  {
    name: "an unfinished segment",
    part: "stray",
    from: 1,
    apply: (disk, folder, { segments }) => leave(disk, folder, segments, (file) => `${file}.tmp`),
  },
  {
    // Wherever it is: a log and the store itself may both have it.
    name: "one bit of an unflushed row flipped",
    part: "hot",
    from: 0,
    apply(disk, folder, { hot }) {
      for (const { file, at } of hot) changed(disk, folder, file, (bytes) => flipped(bytes, at));
      return hot[0]?.file;
    },
  },
  {
    name: "the file of an unflushed row cut before it",
    part: "hot",
    from: 1,
    apply(disk, folder, { hot: [first] }) {
      if (first === undefined) return undefined;
      return changed(disk, folder, first.file, (bytes) => bytes.slice(0, Math.min(...first.at)));
    },
  },
  {
    name: "the file of an unflushed row deleted",
    part: "hot",
    from: 2,
    apply: (disk, folder, { hot: [first] }) => changed(disk, folder, first?.file, () => undefined),
  },
];

/** Leaves a file that nobody has listed. */
function leave(
  disk: Disk,
  folder: string,
  [first]: readonly string[],
  name: (file: string) => string,
): string | undefined {
  const last = first === undefined ? undefined : name(first);
  if (first === undefined || last === undefined || last === first) return undefined;
  disk.write(folder, last, disk.read(folder, first));
  return last;
}

const isSegment = (file: string): boolean => file.endsWith(".parquet");

/** The files of a table's segments: those under a folder with its name. */
export function segmentsOf(disk: Disk, folder: string, table: string): string[] {
  return disk.files(folder).filter((file) => isSegment(file) && file.split(/[\\/]/).includes(table));
}

export function manifestOf(disk: Disk, folder: string, table: string): string | undefined {
  return disk.files(folder).find((file) => file.endsWith("manifest.json") && file.split(/[\\/]/).includes(table));
}

/** Files with these bytes, but for segments; those that have them most often first. */
export function filesWith(disk: Disk, folder: string, marker: string): Layout["hot"] {
  const wanted = Buffer.from(marker);
  const found = disk.files(folder).flatMap((file) => {
    if (isSegment(file)) return [];
    const bytes = Buffer.from(disk.read(folder, file));
    const at: number[] = [];
    for (let next = bytes.indexOf(wanted); next !== -1; next = bytes.indexOf(wanted, next + 1)) at.push(next);
    return at.length === 0 ? [] : [{ file, at }];
  });
  // Logs of what the server said, and what it no longer reads, are smaller.
  return found.toSorted((one, other) => other.at.length - one.at.length);
}
