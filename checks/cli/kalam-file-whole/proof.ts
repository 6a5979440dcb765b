import type { KalamRun } from "../../../src/wire/kalam.ts";
import { kalamFault } from "../../../src/faults/kalam.ts";
import { proveCheck } from "../../../src/proof.ts";
import { kalamFileWhole } from "./index.ts";

const run = (name: string, rows: [number, string][], change: object = {}) => ({
  case: name,
  exitCode: 0 as number | null,
  rows: rows as [number, string][] | null,
  trouble: null as string | null,
  outcome: "exit 0",
  exchange: 1,
  ...change,
});
const runs = [
  run("plain statements", [
    [101, "a"],
    [102, "b"],
  ]),
  run("a semicolon in a text", [
    [201, "a;b"],
    [202, ";"],
  ]),
  run("a quote and a semicolon in a text", [[301, "it's; done"]]),
  run("a semicolon in a comment", [
    [401, "a"],
    [402, "b"],
  ]),
  run("a semicolon in a long comment", [[501, "a"]]),
  run("line ends of Windows, several lines a statement", [
    [601, "a"],
    [602, "b"],
  ]),
  run("an error in the middle", [[701, "a"]], { exitCode: 1 }),
  run("BEGIN … COMMIT", [
    [801, "a"],
    [802, "b"],
  ]),
];
const having = (name: string, change: object) => ({
  runs: runs.map((one) => (one.case === name ? { ...one, ...change } : one)),
});

/** Runs kalam on each piece of the file in turn. */
const piecewise = (name: string, pattern: RegExp, stop: boolean) =>
  kalamFault(name, async (asked, kalam) => {
    const script = asked.files?.["script.sql"] ?? "";
    if (!pattern.test(script)) return undefined;
    const piece = (text: string): KalamRun => ({ ...asked, files: { "script.sql": text } });
    const pieces = script.split(";").filter((text) => text.trim() !== "");
    let last = await kalam(piece(pieces[0] ?? ""));
    for (const text of pieces.slice(1)) if (!stop || last.exitCode === 0) last = await kalam(piece(text));
    return last;
  });

export default proveCheck(kalamFileWhole, {
  holds: [{ runs }],
  cannotTell: [
    { runs: [] },
    { runs: runs.slice(0, -1) },
    having("plain statements", { exitCode: 1, rows: [] }),
    having("a semicolon in a text", { rows: null }),
    having("a semicolon in a text", { exitCode: 1, rows: [], trouble: "exit 1, stderr: Error: Server error (503)" }),
    having("an error in the middle", { exitCode: 0 }),
    having("an error in the middle", { rows: [] }),
  ],
  breaks: {
    split: {
      seen: having("a semicolon in a text", { exitCode: 1, rows: [], outcome: "exit 1" }),
      fault: piecewise("splitAtEverySemicolon", /'a;b'/, true),
    },
    ranOn: {
      seen: having("an error in the middle", {
        exitCode: 1,
        rows: [
          [701, "a"],
          [702, "b"],
        ],
      }),
      fault: piecewise("continueAfterError", /'again'/, false),
    },
    transactionSplit: {
      seen: having("BEGIN … COMMIT", { exitCode: 1, rows: [] }),
      fault: piecewise("splitTransaction", /^BEGIN/, true),
    },
  },
});
