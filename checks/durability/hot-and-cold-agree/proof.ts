import { afterStart, damaged } from "../../../src/faults/control.ts";
import { changeRows } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { slowPace } from "../../vocabulary/evidence.ts";
import { failed, flushedOf, killed, notRestarted, stopped } from "../evidence.ts";
import { hotAndColdAgree } from "./index.ts";

const deleted = new Set([3, 7, 15]);
const mark = (id: number) => ([2, 5, 11].includes(id) ? `new ${id}` : `row ${id}`);
const row = (id: number, text = mark(id)) => ({ id: String(id), mark: text });
const rows = Array.from({ length: 25 }, (_, at) => at + 1).flatMap((id) => (deleted.has(id) ? [] : [row(id)]));
const reading = (shown: readonly ReturnType<typeof row>[]) => ({ rows: shown, why: null, cause: null, exchange: 9 });
const unread = { rows: null, why: "mixed: connection reset", cause: null, exchange: 9 };
const [whole, afterStop] = [reading(rows), { restart: stopped, reading: reading(rows) }];
const sound = { flushed: flushedOf([15]), before: whole, looks: [afterStop, { restart: killed, reading: whole }] };
const afterKill = (shown: readonly ReturnType<typeof row>[]) => ({
  ...sound,
  looks: [afterStop, { restart: killed, reading: reading(shown) }],
});
const read = /^SELECT id, mark FROM \S+ ORDER/;

export default proveCheck(hotAndColdAgree, {
  holds: [sound],
  cannotTell: [
    { ...sound, looks: [afterStop] },
    { ...sound, looks: [afterStop, { restart: { ...notRestarted, by: "kill" }, reading: whole }] },
    { ...sound, looks: [afterStop, { restart: failed, reading: unread }] },
    { ...sound, looks: [afterStop, { restart: killed, reading: unread }] },
    { ...sound, flushed: { ...flushedOf([15]), status: "running", pace: slowPace } },
    { ...sound, before: unread },
    { ...sound, before: reading(rows.slice(1)) },
  ],
  breaks: {
    lostRows: {
      seen: afterKill(rows.slice(12)),
      case: "after a kill",
      says: /^after a kill: .*\d in all/,
      fault: damaged("skipSegment", afterStart(changeRows("skipsTheSegment", read, (shown) => shown.slice(12)))),
    },
    doubledRows: {
      seen: afterKill([row(1), ...rows]),
      fault: damaged(
        "doubleSegment",
        afterStart(changeRows("showsARowTwice", read, ([first = [], ...rest]) => [first, first, ...rest])),
      ),
    },
    staleRow: {
      seen: afterKill(rows.map((one) => (one.id === "5" ? row(5, "row 5") : one))),
      says: /key (\d+) shows row \1, expected new \1/,
      fault: damaged(
        "showOlderValue=3",
        afterStart(
          changeRows("showsFlushedValues", read, (shown) =>
            shown.map(([id = null, text = null, ...rest]) => [
              id,
              typeof text === "string" ? text.replace("new", "row") : text,
              ...rest,
            ]),
          ),
        ),
      ),
    },
    resurrectedRow: {
      seen: afterKill([...rows, row(15)]),
      fault: damaged(
        "resurrectDeleted=3",
        afterStart(
          changeRows("bringsBackADeletedRow", read, (shown) => [
            ...shown.slice(0, 2),
            ["3", "row 3"],
            ...shown.slice(2),
          ]),
        ),
      ),
    },
  },
  mayBeLost: [
    { what: /^SELECT metric_name/, because: "the process itself shows that it is another" },
    { what: /^SELECT 1 AS (up|pace)/, because: "it is asked again until it is answered" },
    { what: /FROM system\.(jobs|manifest)/, because: "it is asked again until it is answered" },
  ],
});
