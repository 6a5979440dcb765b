import { ageFault, changeFault, rowIn } from "../../../src/faults/live.ts";
import { proveCheck } from "../../../src/proof.ts";
import { oldConnectionsDeliver } from "./index.ts";
import { kinds } from "./growing.ts";

type Seen = Parameters<typeof oldConnectionsDeliver.judge>[0];
type Old = Seen["old"][number];

const old: readonly Old[] = kinds.map(({ kind, table }, at) => ({
  kind,
  openedMs: 400 * at,
  ageMs: 76_000 - 400 * at,
  cutAtMs: null,
  how: "",
  unheardMs: 0,
  lastMs: table === "busy" ? 74_500 : null,
  last: true,
  wrote: true,
  written: table === "busy" ? 31 : 1,
  missing: [],
  why: "",
  exchange: 10 + at,
}));
const sound: Seen = { old, control: true };
const having = (n: number, change: Partial<Old>): Seen => ({
  ...sound,
  old: old.map((one, at) => (at === n ? { ...one, ...change } : one)),
});
const cutAt = (ms: number): Partial<Old> => ({ ageMs: ms, cutAtMs: ms, how: "1006" });

export default proveCheck(oldConnectionsDeliver, {
  holds: [sound],
  cannotTell: [
    { ...sound, old: old.slice(1) },
    { old: old.map((one) => ({ ...one, last: false })), control: false },
    having(1, { last: false, wrote: false }),
    having(0, { ...cutAt(60_000), how: "1008 Token expired" }),
    {
      ...sound,
      old: old.map((one) => ({ ...one, ...cutAt(30_000), how: "1000 Heartbeat timeout", unheardMs: 14_300 })),
    },
  ],
  breaks: {
    wentSilent: {
      seen: having(0, { last: false }),
      // The connection lives: only its changes stop.
      fault: ageFault("swallowChangesOfOldConnections", 1_500, ({ message, pass, fired }) => {
        if (message["type"] === "change") fired();
        else pass(message);
      }),
    },
    lost: {
      seen: having(1, { missing: ["busy 4"] }),
      fault: changeFault(
        "loseOneChange",
        1,
        () => [],
        // However soon the others are done, there is a first one.
        (message) => rowIn(message)["mark"] === "busy 1",
      ),
    },
    cutAtAge: {
      seen: { ...sound, old: old.map((one, at) => ({ ...one, ...cutAt(30_000 + 10 * at) })) },
      fault: ageFault("cutOldConnections", 1_500),
    },
  },
  mayBeLost: [
    { what: /^INSERT INTO \S+busy /, because: "one of several changes, and those that were acknowledged are counted" },
  ],
});
