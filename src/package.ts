/** The folder and the version of this package, found from the sources and from the built files. */
import { readFileSync } from "node:fs";
import path from "node:path";

const found = find();

/** The folder with package.json, bin, profiles. */
export const packageFolder: string = found.folder;
export const packageVersion: string = found.version;

function find(): { folder: string; version: string } {
  let folder = import.meta.dirname;
  for (;;) {
    try {
      const { name, version } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as Record<
        string,
        string
      >;
      if (name === "kalam-ready" && version !== undefined) return { folder, version };
    } catch {
      // No readable package.json here: try the parent folder.
    }
    const parent = path.dirname(folder);
    if (parent === folder)
      throw new Error("cannot find the package folder of kalam-ready: its package.json is missing");
    folder = parent;
  }
}
