import { proveCheck } from "../../../src/proof.ts";
import { changesPrompt } from "./index.ts";
import { soundStream } from "../stream/evidence.ts";

const sound = soundStream(400);

export default proveCheck(changesPrompt, {
  holds: [sound, { ...sound, lagMs: 5_000 }],
  cannotTell: [{ ...sound, fenceMs: null }, soundStream(200), { ...soundStream(400, 3_000), lagMs: 2_000 }],
  breaks: {
    late: { seen: soundStream(400, 3_000), onPaperOnly: "a delay changes nothing of what is on the wire" },
  },
});
