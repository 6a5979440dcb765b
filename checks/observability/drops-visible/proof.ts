import { changeFault } from "../../../src/faults/live.ts";
import { changeRows } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { dropsVisible } from "./index.ts";

const sound = {
  acknowledged: 2_000,
  received: 2_000,
  fenced: true,
  closed: null as number | null,
  admitted: [] as { where: string; words: string }[],
  statsRead: true,
  logRead: true,
  told: [] as { where: string; words: string }[],
  steady: {
    before: { written: 80, received: 80 },
    received: 2_000,
    fenced: true,
    stalledAt: null,
    notices: [] as string[],
    exchange: 2,
  },
  again: { missing: 0, first: [] as string[], exchange: 3 },
  memory: null,
  bytesWritten: 2_000 * 8_192,
  exchange: 1,
};
const dropping = { ...sound, received: 662 };
const inTheLog = {
  where: "900 log rows",
  words: "Notification channel full for kr_a1b2c_1_reader, dropping notification",
};

const drop = changeFault(
  "dropEveryTenth",
  10,
  () => [],
  (change) => !JSON.stringify(change["rows"] ?? null).includes('"fence"'),
);
const hide = changeRows("hideTheLog", /FROM system\.server_logs WHERE message LIKE '%\w+_reader%'/, () => []);

export default proveCheck(dropsVisible, {
  holds: [
    sound,
    { ...dropping, admitted: [inTheLog] },
    { ...dropping, fenced: false, closed: 1008, admitted: [{ where: "a close", words: "1008 too slow" }] },
  ],
  cannotTell: [
    { ...sound, acknowledged: 100, received: 100 },
    { ...dropping, fenced: false },
    { ...dropping, logRead: false },
    { ...dropping, statsRead: false },
  ],
  breaks: {
    silent: {
      seen: dropping,
      fault: { name: "dropSilently", wrap: (wire, fired) => drop.wrap(hide.wrap(wire, fired), fired) },
    },
  },
  mayBeLost: [
    { what: /^INSERT /, because: "one of many rows, and those that were acknowledged are counted" },
    { what: /server_logs|system\.stats/, because: "where nothing was dropped there is nothing to report" },
    { what: /^frame /, because: "a connection that the server or a proxy closed is reported by its close" },
    {
      what: /^live connection 3$/,
      because: "what the subscriber finds when it comes back is judged by backpressure/slow-reader-told",
    },
  ],
});
