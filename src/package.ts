/** Where this package lies and which version it is, for the built files and the sources alike. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const found = find();

/** The folder with package.json, bin, profiles. */
export const packageFolder: string = found.folder;
export const packageVersion: string = found.version;

function find(): { folder: string; version: string } {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  for (;;) {
    try {
      const { name, version } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as Record<
        string,
        string
      >;
      if (name === "kalam-ready" && version !== undefined) return { folder, version };
    } catch {
      // No package.json here, or none that can be read: further up.
    }
    const above = path.dirname(folder);
    if (above === folder) throw new Error("the folder of kalam-ready cannot be found: its package.json is missing");
    folder = above;
  }
}
