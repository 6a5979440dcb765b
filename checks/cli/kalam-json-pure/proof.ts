import { changeOutcome } from "../../../src/faults/kalam.ts";
import { proveCheck } from "../../../src/proof.ts";
import { kalamJsonPure } from "./index.ts";

const run = (name: string, change: object = {}) => ({
  case: name,
  exitCode: 0 as number | null,
  documents: [1] as (1 | null)[],
  colored: false,
  cells: null as string[] | null,
  start: '{ "status": "success"',
  trouble: null as string | null,
  outcome: "exit 0",
  exchange: 1,
  ...change,
});
const runs = [
  run("rows", { cells: ["1", "", "true"] }),
  run("odd texts", {
    cells: ['say "hi"; {[,]}', "back\\slash", "two\nlines\tand a tab", "\u001b[31mred\u001b[0m", "ü€😀", ""],
  }),
  run("a large number", { cells: ["9007199254740993"] }),
  run("no rows"),
  run("a write"),
  run("a definition"),
  run("a batch", { cells: ["1"] }),
  run("\\d"),
  run("an error", { exitCode: 1, documents: [], start: "" }),
  run("a file", { documents: [1, 1, 1], cells: ["1"] }),
  run("without --no-color", { cells: ["1"] }),
];
const sound = { runs };
const having = (name: string, change: object) => ({
  runs: runs.map((one) => (one.case === name ? { ...one, ...change } : one)),
});

export default proveCheck(kalamJsonPure, {
  holds: [sound, having("an error", { documents: [1] })],
  cannotTell: [
    { runs: [] },
    { runs: runs.slice(1) },
    having("a write", { trouble: "exit 1, stderr: Error: Server error (503)", exitCode: 1, documents: [] }),
    having("a write", { exitCode: 1, documents: [] }),
    having("an error", { exitCode: 0, documents: [] }),
  ],
  breaks: {
    notJson: {
      seen: having("a write", { documents: [null], start: "Inserted 1 row(s)" }),
      fault: changeOutcome("addRowCountLine", /INSERT/, ({ stdout }) => ({ stdout: `${stdout}\n1 row in 0.01 s\n` })),
    },
    colour: {
      seen: having("without --no-color", { colored: true }),
      fault: changeOutcome("colourOutput", /SELECT 1 AS one$/, ({ stdout }) => ({
        stdout: `\u001b[32m${stdout}\u001b[0m`,
      })),
    },
    changed: {
      seen: having("a large number", { cells: ["9007199254740992"] }),
      fault: changeOutcome("roundToDouble", /9007199254740993/, ({ stdout }) => ({
        stdout: stdout.replaceAll("9007199254740993", "9007199254740992"),
      })),
    },
  },
});
