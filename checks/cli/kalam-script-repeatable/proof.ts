import { kalamFault } from "../../../src/faults/kalam.ts";
import { proveCheck } from "../../../src/proof.ts";
import { kalamScriptRepeatable } from "./index.ts";

const rows = '[[["1","one",11],["2","two",null],["3","three",30]]]';
const run = (change: object = {}) => ({
  exitCode: 0 as number | null,
  text: "Inserted 3 row(s)\n1,one,11",
  rows: rows as string | null,
  trouble: null as string | null,
  outcome: "exit 0",
  exchange: 1,
  ...change,
});
const formats = ["table", "json", "csv"].map((format) => ({ format, runs: [run(), run(), run()] }));
const last = (change: object) => ({
  formats: formats.map((one, at) => (at === 0 ? { ...one, runs: [run(), run(), run(change)] } : one)),
});
const all = (change: object) => ({
  formats: formats.map((one) => ({ ...one, runs: [run(change), run(change), run(change)] })),
});

export default proveCheck(kalamScriptRepeatable, {
  holds: [
    { formats },
    { formats: formats.map((one) => ({ ...one, runs: [run({ text: "Deleted 0 row(s)" }), run(), run()] })) },
  ],
  cannotTell: [
    { formats: [] },
    { formats: formats.slice(1) },
    last({ trouble: "exit 1, stderr: Error: Server error (503)", exitCode: 1, text: "" }),
    last({ rows: null }),
    all({ exitCode: 1, text: "", outcome: "exit 1" }),
    all({ rows: "[[]]" }),
  ],
  breaks: {
    changed: {
      seen: last({ text: "Inserted 3 row(s)\n1,one,10" }),
      fault: (() => {
        let runs = 0;
        return kalamFault("appendRunNumber", async (asked, kalam) => {
          if (!asked.args.includes("--csv")) return undefined;
          runs += 1;
          const outcome = await kalam();
          return { ...outcome, stdout: `${outcome.stdout}\nrun ${runs}` };
        });
      })(),
    },
  },
});
