import { changeResult } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { truncationVisible } from "./index.ts";

const asked = (way: string, of: number, change: object = {}) => ({
  way,
  said: yes(),
  got: of as number | null,
  of,
  there: of as number | null,
  signs: [] as string[] | null,
  ...change,
});
const sound = {
  written: [yes(), yes()],
  asked: [asked("without LIMIT", 130), asked("with LIMIT 1100", 1_100)],
  maximum: 1_000,
};
const first = (change: object) => ({ ...sound, asked: [asked("without LIMIT", 130, change), ...sound.asked.slice(1)] });

export default proveCheck(truncationVisible, {
  holds: [
    sound,
    first({ got: 50, signs: ["message: limited to 50 rows"] }),
    first({ said: no("INVALID_SQL", "a LIMIT is required", "rule"), got: null }),
  ],
  cannotTell: [
    { ...sound, written: [], asked: [] },
    { ...sound, written: [yes(), nothing()] },
    first({ there: 50, got: 50 }),
    first({ there: null, got: 50 }),
    first({ said: nothing(), got: null }),
    first({ got: 50, signs: null }),
    { ...sound, asked: sound.asked.slice(0, 1), maximum: 1_000_000 },
  ],
  breaks: {
    cutSilently: {
      seen: first({ got: 50 }),
      fault: changeResult("sayNothingOfTheRest", /^SELECT id FROM \S+\.few$/, (result) =>
        Object.fromEntries(Object.entries(result).filter(([name]) => name !== "message")),
      ),
    },
  },
});
