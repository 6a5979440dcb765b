import { frameFault } from "../../../src/faults/live.ts";
import { claimSuccess } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { latePace, no, nothing, promptPace, slowPace, yes } from "../../vocabulary/evidence.ts";
import { missingTableRefused } from "./index.ts";
import { noOpening, ready, refusal } from "../../vocabulary/opening-evidence.ts";

const absent = no("SQL_EXECUTION_ERROR", "table not found", "missing");
const tried = (["unknown", "dropped"] as const).map((table) => ({
  table,
  http: absent,
  opening: refusal("NOT_FOUND", "Table not found"),
  listed: [] as string[] | null,
}));
const dropped = {
  said: yes(),
  select: absent,
  notices: ["TABLE_DROPPED the table was dropped"],
  pace: promptPace,
  fenced: true,
  exchange: 3,
};
const sound = { control: yes(), tried, before: ["q1"] as string[] | null, dropped };
const having = (at: number, change: object) => ({
  ...sound,
  tried: tried.map((one, n) => (n === at ? { ...one, ...change } : one)),
});
const silent = { ...dropped, notices: [], pace: latePace };

export default proveCheck(missingTableRefused, {
  holds: [sound, { ...sound, dropped: { ...dropped, notices: ["closed 1001"], fenced: false } }],
  cannotTell: [
    { ...sound, dropped: { ...silent, select: yes() } },
    { ...sound, dropped: { ...silent, fenced: false } },
    // A server that is slow altogether is not accused.
    { ...sound, dropped: { ...silent, pace: slowPace } },
    { ...sound, before: [] },
    { ...sound, before: null },
    having(0, { listed: null }),
    having(0, { opening: noOpening() }),
    having(0, { opening: refusal("SUBSCRIPTION_LIMIT_EXCEEDED") }),
    having(1, { http: nothing() }),
    having(1, { http: no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429) }),
    having(1, { http: no("PERMISSION_DENIED", "Access denied", "permission", 403) }),
    { ...sound, control: no("INVALID_SQL", "no SUBSCRIBE here", "parse") },
  ],
  breaks: {
    acceptedDead: {
      seen: having(0, { opening: ready() }),
      fault: claimSuccess("acceptWithoutLooking", /^SUBSCRIBE TO \S+\.never$/, 1),
    },
    silentAfterDrop: {
      seen: { ...sound, dropped: silent },
      fault: frameFault("swallowTheNoticeOfTheDrop", () => {
        const acknowledged = new Set<unknown>();
        return (message, { pass, fired }) => {
          const { type, subscription_id: id } = message;
          if (type === "subscription_ack") acknowledged.add(id);
          if (type !== "error" || !acknowledged.has(id)) return pass(message);
          fired();
        };
      }),
    },
  },
  mayBeLost: [{ what: /^INSERT INTO \S+calm /, because: "the fence is only looked for where no notice came" }],
});
