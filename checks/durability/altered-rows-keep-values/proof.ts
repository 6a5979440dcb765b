import { changeRows } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { alteredRowsKeepValues } from "./index.ts";

type Seen = Parameters<typeof alteredRowsKeepValues.judge>[0];
type Altered = Seen[number];
type Look = Altered["looks"][number];

const right: readonly Look[] = ["ADD COLUMN", "RENAME COLUMN", "DROP COLUMN", "ADD COLUMN again"].map((change) => ({
  change,
  said: yes(),
  first: [],
  again: [],
}));
const user: Altered = {
  type: "USER",
  half: 2,
  flushed: { said: yes(), job: "FL-1", status: "completed" },
  looks: right,
};
const shared: Altered = { ...user, type: "SHARED" };
const sound: Seen = [user, shared];
const looking = (at: number, change: Partial<Look>): Seen => [
  { ...user, looks: right.map((one, index) => (index === at ? { ...one, ...change } : one)) },
  shared,
];
const lost = (["1", "2", "3", "4"] as const).map((id) => ({ column: "renamed", id, found: null }) as const);
const [one] = lost;

export default proveCheck(alteredRowsKeepValues, {
  holds: [sound],
  cannotTell: [
    [
      { ...user, flushed: { said: no("SQL_EXECUTION_ERROR", "no such table", "missing"), job: null, status: null } },
      shared,
    ],
    [{ ...user, flushed: { said: yes(), job: "FL-1", status: "running" } }, shared],
    [{ ...user, looks: right.slice(0, 2) }, shared],
    looking(1, { said: no("INVALID_SQL", "RENAME COLUMN is not supported", "parse"), first: null, again: null }),
    looking(1, { said: nothing(), first: null, again: null }),
    looking(1, { first: null, again: null }),
    looking(1, { first: lost, again: null }),
    // The second look shows the values.
    looking(1, { first: one === undefined ? [] : [one], again: [] }),
  ],
  breaks: {
    lostValues: {
      seen: [
        { ...user, looks: right.map((look, at) => (at === 0 ? look : { ...look, first: lost, again: lost })) },
        shared,
      ],
      case: "RENAME COLUMN USER",
      says: /after RENAME COLUMN (\d+) of \1 rows of the USER table .* in renamed \(\d+ flushed, \d+ not\), such as id 1: NULL instead of v1 /,
      fault: changeRows("loseRenamedColumn", /^SELECT id, kept, renamed, added FROM \S+\.own /, (rows) =>
        rows.map(([id = null, kept = null, , added = null]) => [id, kept, null, added]),
      ),
    },
  },
});
