import { proveCheck } from "../../../src/proof.ts";
import { changesPrompt } from "./index.ts";
import { soundStream, withEvent } from "../stream/evidence.ts";

const sound = soundStream(400);
const large = soundStream(800);

/** Late while the server was slow altogether, and prompt when it was written again. */
const againPrompt = {
  ...large,
  delivered: large.delivered.map((change, n) => (n < 400 ? { ...change, at: change.at + 3_000 } : change)),
  phases: [
    { from: 0, controlMs: 800 },
    { from: 400, controlMs: 12 },
  ],
};

/** Prompt at first, and late when it was written again, from the 400th on. */
const oncePrompt = {
  ...againPrompt,
  delivered: large.delivered.map((change, n) => (n < 400 ? change : { ...change, at: change.at + 3_000 })),
};

export default proveCheck(changesPrompt, {
  holds: [
    sound,
    // One lost event of 400 is for every-change-arrives: the 99th percentile is known all the same.
    withEvent(sound, 399, () => []),
    againPrompt,
    oncePrompt,
    // Nothing arrived of what was written first.
    { ...againPrompt, delivered: large.delivered.slice(400) },
    // As few and as late as may be.
    soundStream(300),
    soundStream(400, 1_000),
  ],
  cannotTell: [
    { ...sound, fenceMs: null },
    soundStream(299),
    { ...sound, phases: [] },
    // A server that is slow altogether is not accused.
    { ...soundStream(400, 3_000), phases: [{ from: 0, controlMs: 500 }] },
    // The events came soon after the writes, which were acknowledged three seconds late.
    {
      ...sound,
      writes: sound.writes.map((write) => ({ ...write, dueAt: write.dueAt - 3_000 })),
      phases: [{ from: -3_000, controlMs: 12 }],
    },
    // Half of the events never came, and those that did were prompt.
    { ...large, delivered: large.delivered.filter((_, n) => n % 2 === 0) },
    { ...large, delivered: large.delivered.slice(0, 780) },
    // Late by one millisecond, and in time after the acknowledgements.
    soundStream(400, 1_001),
  ],
  breaks: {
    late: {
      // Every tenth.
      seen: {
        ...sound,
        delivered: sound.delivered.map((change, n) => (n % 10 === 0 ? { ...change, at: change.at + 3_000 } : change)),
      },
      onPaperOnly: "a delay changes nothing of what is on the wire",
    },
  },
  mayBeLost: [
    {
      what: /^(INSERT|UPDATE|DELETE) /,
      because: "one of hundreds of changes, and those that were acknowledged are counted",
    },
  ],
});
