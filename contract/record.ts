import { mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { leftOutRequests } from "./expected.ts";
import { readSection, sections, type Answer, type Entry, type Section } from "./recording.ts";
import { Driver } from "./replay.ts";

/**
 * Records the sections again: sends the same requests to a fresh server that has not been set up, and writes its answers.
 * `--dir` is the folder with the server's files, recorded as `<dir>`.
 */
const { values } = parseArgs({
  options: {
    url: { type: "string" },
    out: { type: "string" },
    dir: { type: "string", default: path.join(tmpdir(), "kalam-contract") },
  },
});

const keptCharsMax = 2000;

/** Removes tokens, hashes and folders, and truncates long texts. */
function keep(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(keep);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, keep(part)]));
  }
  if (typeof value !== "string") return value;
  const text = value
    .replaceAll(values.dir, "<dir>")
    .replace(/eyJ[\w-]+\.[\w-]+\.[\w-]*/g, "<jwt>")
    .replace(/(\$2\w\$\d+\$)\S+/g, "$1<hash>");
  return text.length > keptCharsMax ? `<${text.length} characters> ${text.slice(0, 120)}` : text;
}

async function record(driver: Driver, section: Section): Promise<Entry[]> {
  const replayed = await driver.replay(readSection(section), leftOutRequests[section]);
  return replayed.map(({ entry, answer, frames, t, ms }): Entry => {
    const { name = "", request, path: requestPath = "", headers } = entry;
    if (frames !== undefined)
      return {
        t,
        name,
        path: requestPath,
        ...(headers === undefined ? {} : { headers }),
        frames: keep(frames) as Entry["frames"] & {},
      };
    const came =
      answer === undefined ? {} : "broke" in answer ? { error: answer.broke } : { response: keep(answer) as Answer };
    return { t, name, ...(request === undefined ? {} : { request }), ...came, ms };
  });
}

if (values.url === undefined || values.out === undefined) {
  process.stderr.write("usage: npm run contract -- --url http://127.0.0.1:PORT --out DIR [--dir FOLDER]\n");
  process.exitCode = 64;
} else {
  mkdirSync(values.out, { recursive: true });
  const driver = new Driver(values.url, values.dir);
  for (const section of Object.keys(sections) as Section[]) {
    const entries = await record(driver, section);
    writeFileSync(
      path.join(values.out, sections[section]),
      `[\n${entries.map((entry) => JSON.stringify(entry)).join(",\n")}\n]\n`,
    );
    process.stderr.write(`${sections[section]}: ${entries.length} entries\n`);
  }
}
