import { changeFault, rowIn } from "../../../src/faults/live.ts";
import { proveCheck } from "../../../src/proof.ts";
import { filterAgreesWithSelect } from "./index.ts";
import { soundFilters } from "./filter-evidence.ts";
import type { FilterEvent } from "./filter-history.ts";
import { noOpening, refusal } from "../../vocabulary/opening-evidence.ts";

const sound = soundFilters();
const having = (name: string, change: object) => ({
  ...sound,
  filters: sound.filters.map((one) => (one.name === name ? { ...one, ...change } : one)),
});
const delivering = (name: string, change: (events: FilterEvent[]) => FilterEvent[]) =>
  having(name, { events: change(sound.filters.find((one) => one.name === name)?.events ?? []) });
const refused = refusal("INVALID_SQL", "live filters do not support IN");

export default proveCheck(filterAgreesWithSelect, {
  holds: [
    sound,
    { ...sound, filters: sound.filters.slice(0, 4) },
    having("in", { opening: refused, snapshot: [], events: [] }),
  ],
  cannotTell: [
    having("in", { opening: refusal("SUBSCRIPTION_LIMIT_EXCEEDED"), snapshot: [], events: [] }),
    having("in", { opening: noOpening(), snapshot: [], events: [] }),
    { ...sound, acknowledged: sound.acknowledged.map((_, at) => at !== 3) },
    { ...sound, controls: sound.controls.map((one) => ({ ...one, delivered: one.delivered - 1 })) },
    { ...sound, controls: [] },
    { ...sound, controls: sound.controls.map((one) => ({ ...one, fenced: false })) },
    { ...sound, acknowledged: sound.acknowledged.slice(1) },
    // SELECT itself finds a row too many from some statement on, and the filter does not deliver it.
    {
      ...sound,
      selected: sound.selected.map((one, at) => (at < 5 ? one : { ...one, equal: [...(one["equal"] ?? []), "14"] })),
    },
    { ...sound, filters: sound.filters.slice(0, 3) },
  ],
  breaks: {
    lostByFilter: {
      also: ["leavingNotTold"],
      seen: delivering("in", () => []),
      fault: changeFault(
        "loseOneThatMatches",
        1,
        () => [],
        (message) => message["subscription_id"] === "equal" && rowIn(message)["step"] === 10,
      ),
    },
    leakedByFilter: {
      seen: delivering("not equal", (events) => [...events, { kind: "insert", id: "13", step: "4", gone: false }]),
      fault: changeFault(
        "letOneThrough",
        1,
        (message) => [message, { ...message, subscription_id: "equal" }],
        (message) => message["subscription_id"] === "no-filter" && rowIn(message)["step"] === 4,
      ),
    },
    leavingNotTold: {
      seen: delivering("equal", (events) => events.filter(({ id, gone }) => !(id === "10" && gone))),
      fault: changeFault(
        "dropEventsOfRowsThatLeave",
        1,
        () => [],
        (message) =>
          message["subscription_id"] === "equal" &&
          message["change_type"] !== "insert" &&
          rowIn(message)["id"] === "10",
      ),
    },
  },
});
