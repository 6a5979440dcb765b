import type { Json } from "../../../src/wire/json.ts";
import { changeRows } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { cellText } from "../../../src/server/target.ts";
import { latePace, nothing, slowPace, yes } from "../../vocabulary/evidence.ts";
import { statsMove } from "./index.ts";

const reading = (connections: number, subscriptions: number, tables: number, uptime: number) => ({
  exchange: 1,
  figures: {
    active_connections: String(connections),
    active_subscriptions: String(subscriptions),
    total_tables: String(tables),
    server_uptime_seconds: String(uptime),
  } as { readonly [metric: string]: string } | null,
});
const late = { rising: latePace, falling: latePace, ageing: latePace };
const unread = { exchange: 1, figures: null };
const sound = {
  exact: true,
  lost: false,
  dropped: [yes(), yes()],
  before: reading(0, 0, 12, 10),
  during: reading(2, 3, 14, 10),
  after: reading(0, 0, 12, 11),
  later: reading(0, 0, 12, 12),
  waits: late,
};
const crowded = { ...sound, exact: false, during: reading(40, 3, 90, 10), after: reading(39, 9, 91, 11) };

/** Changes the value of one metric. */
const inMetric =
  (metric: string, change: (told: string) => string | undefined) =>
  (rows: readonly (readonly Json[])[]): Json[][] =>
    rows.flatMap(([name, value]) => {
      const told = name === metric ? change(cellText(value)) : cellText(value);
      return told === undefined ? [] : [[name ?? null, told]];
    });

export default proveCheck(statsMove, {
  holds: [sound, crowded],
  cannotTell: [
    { ...sound, before: unread },
    { ...sound, during: unread },
    { ...sound, later: unread },
    { ...sound, lost: true },
    // A server that is slow altogether is not accused.
    { ...sound, later: reading(0, 0, 12, 10), waits: { ...late, ageing: slowPace } },
    { ...sound, during: reading(0, 3, 14, 10), waits: { ...late, rising: slowPace } },
    { ...crowded, during: reading(1, 3, 90, 10), waits: { ...late, rising: slowPace } },
    { ...sound, after: reading(2, 0, 12, 10), waits: { ...late, falling: slowPace } },
    { ...crowded, lost: true },
    { ...sound, dropped: [yes(), nothing()] },
    { ...sound, during: { exchange: 1, figures: { ...sound.during.figures, total_tables: "many" } } },
  ],
  breaks: {
    missing: {
      seen: { ...sound, before: { exchange: 1, figures: { ...sound.before.figures, total_tables: "many" } } },
      fault: changeRows(
        "hideTheUptime",
        /FROM system\.stats LIMIT 1000/,
        inMetric("server_uptime_seconds", () => undefined),
      ),
    },
    frozen: {
      seen: { ...sound, later: reading(0, 0, 12, 10) },
      fault: changeRows(
        "freezeTheUptime",
        /FROM system\.stats LIMIT 1000/,
        inMetric("server_uptime_seconds", () => "7"),
      ),
    },
    wrong: {
      seen: { ...crowded, during: reading(1, 3, 90, 10) },
      fault: changeRows(
        "countOneConnectionLess",
        /FROM system\.stats LIMIT 1000/,
        inMetric("active_connections", (told) => (told === "0" ? told : String(Number(told) - 1))),
      ),
    },
  },
});
