import { proveCheck } from "../../../src/proof.ts";
import { changesPrompt } from "./index.ts";
import { soundStream, withEvent } from "../stream/evidence.ts";

const sound = soundStream(400);
const large = soundStream(800);

export default proveCheck(changesPrompt, {
  // One lost event of 400 is for every-change-arrives: the 99th percentile is known all the same.
  holds: [sound, withEvent(sound, 399, () => [])],
  cannotTell: [
    { ...sound, fenceMs: null },
    soundStream(200),
    // The events came soon after the writes, which were acknowledged three seconds late.
    { ...sound, writes: sound.writes.map((write) => ({ ...write, dueAt: write.dueAt - 3_000 })) },
    // Half of the events never came, and those that did were prompt.
    { ...large, delivered: large.delivered.filter((_, n) => n % 2 === 0) },
    { ...large, delivered: large.delivered.slice(0, 780) },
  ],
  breaks: {
    late: {
      seen: soundStream(400, 3_000),
      onPaperOnly: "a delay changes nothing of what is on the wire",
    },
  },
});
