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
});
