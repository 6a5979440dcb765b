import { changeColumn, changeRows } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { cellText } from "../../../src/server/target.ts";
import { latePace, nothing, slowPace, yes } from "../../vocabulary/evidence.ts";
import { subscriptionsListed } from "./index.ts";

const table = "kr_a1b2c_1.listened";
const row = (ending: string, at: number, change: object = {}) => ({
  id: `kr_a1b2c_1_${ending}`,
  user: "kr_a1b2c_user_1",
  table,
  query: `SELECT * FROM ${table} WHERE id > ${7_000 + at}`,
  ...change,
});
const endings = ["unsubscribe", "close", "cut"] as const;
const all = endings.map((ending, at) => row(ending, at));
const look = (rows: typeof all | null) => ({ said: rows === null ? nothing() : yes(), rows });
const held = endings.map((ending, at) => ({
  ending,
  row: row(ending, at),
  there: look(all),
  after: look(all.slice(at + 1)),
  goneAfterMs: 12 as number | null,
  listing: latePace,
  leaving: latePace,
}));
const sound = { held };
const last = (change: object) => held.map((one, at) => (at === 2 ? { ...one, ...change } : one));
const view = /^SELECT subscription_id, .* FROM system\.live/;

export default proveCheck(subscriptionsListed, {
  holds: [
    sound,
    {
      ...sound,
      held: held.map((one) => ({
        ...one,
        there: look(all.map((each) => ({ ...each, query: each.query.toLowerCase() }))),
      })),
    },
  ],
  cannotTell: [
    { ...sound, held: [] },
    { ...sound, held: held.slice(0, 1) },
    { ...sound, held: last({ there: look(null) }) },
    { ...sound, held: last({ after: look(null), goneAfterMs: null }) },
    // A server that is slow altogether is not accused.
    { ...sound, held: last({ there: look(all.slice(0, 2)), listing: slowPace }) },
    { ...sound, held: last({ after: look(all.slice(2)), goneAfterMs: null, leaving: slowPace }) },
  ],
  breaks: {
    missing: {
      seen: { ...sound, held: last({ there: look(all.slice(0, 2)) }) },
      fault: changeRows("leaveOneOut", view, (rows) => rows.filter(([id]) => !cellText(id).endsWith("_close"))),
    },
    wrong: {
      seen: { ...sound, held: last({ there: look(all.map((one) => ({ ...one, user: "root" }))) }) },
      fault: changeColumn("showAnotherUser", view, "user_id", () => "root"),
    },
    lingering: {
      seen: { ...sound, held: last({ after: look(all.slice(2)), goneAfterMs: null }) },
      fault: changeRows("keepListingTheCut", view, (rows, _, sql) =>
        rows.length > 0 ? undefined : [[`${/namespace_id = '(\w+)'/.exec(sql)?.[1]}_cut`, "", "", "", ""]],
      ),
    },
  },
});
