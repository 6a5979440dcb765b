import { changeFault } from "../../../src/faults/live.ts";
import { proveCheck } from "../../../src/proof.ts";
import { noChangeTwice } from "./index.ts";
import { soundStream, withEvent } from "../stream/evidence.ts";

const sound = soundStream(150);

export default proveCheck(noChangeTwice, {
  holds: [sound],
  cannotTell: [{ ...sound, fenceMs: null }, soundStream(20)],
  breaks: {
    doubled: {
      seen: withEvent(sound, 7, (change) => [change, change]),
      fault: changeFault("deliverTwice", 50, (change) => [change, change]),
    },
  },
  mayBeLost: [
    {
      what: /^(INSERT|UPDATE|DELETE) /,
      because: "one of hundreds of changes, and those that were acknowledged are counted",
    },
  ],
});
