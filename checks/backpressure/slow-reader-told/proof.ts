import { controlFault } from "../../../src/faults/control.ts";
import { pausedFault } from "../../../src/faults/paused.ts";
import { proveCheck } from "../../../src/proof.ts";
import { slowReaderTold } from "./index.ts";

const mib = 1024 * 1024;
const steady = {
  before: { written: 80, received: 80 },
  received: 2_000,
  fenced: true,
  stalledAt: null as number | null,
  notices: [] as string[],
  exchange: 2,
};
const sound = {
  acknowledged: 2_000,
  received: 2_000,
  fenced: true,
  closed: null as number | null,
  admitted: [],
  told: [] as { where: string; words: string }[],
  statsRead: true,
  logRead: true,
  steady,
  again: { missing: 0, first: [] as string[], exchange: 3 } as null | {
    missing: number;
    first: string[];
    exchange: number;
  },
  memory: { before: 300 * mib, most: 390 * mib } as null | { before: number; most: number },
  bytesWritten: 2_000 * 8_192,
  exchange: 1,
};
const dropping = { ...sound, received: 128 };

const isFence = (text: string): boolean => text.includes('"fence"');

export default proveCheck(slowReaderTold, {
  holds: [
    sound,
    { ...sound, memory: null },
    { ...dropping, told: [{ where: "1 messages", words: "SLOW_READER" }] },
    { ...dropping, fenced: false, closed: 1008, told: [{ where: "a close", words: "1008 too slow" }] },
  ],
  cannotTell: [
    { ...sound, acknowledged: 100, received: 100, steady: { ...steady, received: 100 } },
    { ...dropping, fenced: false },
    { ...sound, again: null },
    { ...sound, steady: { ...steady, received: 1_900, fenced: false } },
    { ...sound, steady: { ...steady, received: 1_900, notices: ["closed 1006"] } },
    { ...sound, steady: { ...steady, received: 1_900, before: { written: 80, received: 79 } } },
  ],
  breaks: {
    silentGap: {
      seen: dropping,
      // What a queue for 128 events does.
      fault: pausedFault("dropBeyond128", { slow: (n, text) => n <= 128 || isFence(text) }),
    },
    hurtOthers: {
      seen: { ...sound, steady: { ...steady, received: 1_999 } },
      fault: pausedFault("dropOneChangeOfTheOthers", { others: (n) => n !== 700 }),
    },
    heldUpOthers: {
      seen: { ...sound, steady: { ...steady, stalledAt: 80 } },
      fault: pausedFault("holdUpTheOthers", { others: "held" }),
    },
    memoryGrew: {
      seen: { ...sound, memory: { before: 300 * mib, most: 1_500 * mib } },
      fault: controlFault("growByAGibibyte", (control, fired) => {
        const { own } = control;
        if (own === undefined) return control;
        let looks = 0;
        const residentBytes = (): number => {
          looks += 1;
          if (looks > 1) fired();
          return (looks === 1 ? 300 : 1_324) * mib;
        };
        return { ...control, own: { ...own, residentBytes } };
      }),
    },
  },
  mayBeLost: [
    { what: /^INSERT INTO \S+\.busy /, because: "one of many rows, and those that were acknowledged are counted" },
    {
      what: /server_logs|system\.stats/,
      because: "where nothing was dropped, or a frame told it, nothing else need tell it",
    },
    { what: /^frame /, because: "a connection that was closed tells its client that it has to subscribe again" },
  ],
});
