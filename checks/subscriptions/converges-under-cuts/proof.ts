import { changeFault } from "../../../src/faults/live.ts";
import { proveCheck } from "../../../src/proof.ts";
import { convergesUnderCuts } from "./index.ts";

const round = {
  filter: "n < 5",
  fence: 1_000,
  cuts: 1,
  missing: [] as string[],
  ghosts: [] as string[],
  stale: [] as string[],
  fenced: true,
  exchange: 1,
};
const sound = { rounds: [{ ...round, filter: "n > 5", cuts: 0 }, round, round], why: null as string | null };

export default proveCheck(convergesUnderCuts, {
  holds: [sound],
  cannotTell: [
    { rounds: [], why: null },
    { rounds: [], why: "no live connection" },
    { ...sound, rounds: sound.rounds.map((one) => ({ ...one, cuts: 0 })) },
    { ...sound, rounds: [...sound.rounds, { ...round, fenced: false, missing: ["3"] }] },
  ],
  breaks: {
    diverged: {
      seen: { ...sound, rounds: [...sound.rounds, { ...round, missing: ["1"], ghosts: ["3", "4"], stale: ["5"] }] },
      says: /(missing|ghosts|stale) \d/,
      fault: changeFault(
        "dropOneChangeInFive",
        5,
        () => [],
        (message) => !JSON.stringify(message).includes("fence"),
      ),
    },
  },
  mayBeLost: [
    { what: /^(INSERT|UPDATE|DELETE) /, because: "one of many changes: what was delivered is compared with the table" },
    { what: /^frame |^live connection /, because: "a cut is what it tries" },
  ],
});
