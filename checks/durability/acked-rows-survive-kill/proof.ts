import { afterStart, damaged, neverStartAgain } from "../../../src/faults/control.ts";
import { changeRows } from "../../../src/faults/sql.ts";
import type { Operation, OperationOutcome } from "../../../src/history/history.ts";
import { proveCheck } from "../../../src/proof.ts";
import { sentBy } from "../../concurrency/evidence.ts";
import { asRead } from "../reading.ts";
import { failed, killedAt, notRestarted, slowToStart } from "../evidence.ts";
import { ackedRowsSurviveKill } from "./index.ts";

const insert = (key: string, at: number, tookMs = 5, outcome: OperationOutcome = "ok"): Operation => ({
  ...sentBy(0, at, at, tookMs, outcome),
  kind: "insert",
  key,
  values: { mark: `m${key}` },
});
const row = (id: string) => ({ id, mark: `m${id}` });
const read = (rows: readonly { id: string; mark: string }[] | null) =>
  asRead({ rows, exchange: 900 }, { from: 2_000, to: 2_010 });
/** Eight rows are acknowledged; a ninth is in flight when the server is killed. */
const keys = ["1", "2", "3", "4", "5", "6", "7", "8"];
const written = [...keys.map((key, at) => insert(key, 100 + 5 * at, 4)), insert("9", 195, 20, "unsure")];
const allRows = keys.map(row);
const table = (type: "USER" | "SHARED", rows: Parameters<typeof read>[0], operations = written) => ({
  type,
  operations: [...operations, read(rows)],
  missing: false,
  why: null as string | null,
});
const sound = { crash: killedAt(200), tables: [table("USER", allRows)], readMs: 10 };
const recovered = { ...sound, tables: [table("SHARED", [...allRows, row("9")])] };
const rounds = (...some: (typeof sound)[]) => ({ rounds: [...some, sound, recovered] });

export default proveCheck(ackedRowsSurviveKill, {
  holds: [rounds(), { rounds: [sound] }],
  cannotTell: [
    // Nothing shows that it was restarted.
    rounds({ ...sound, crash: killedAt(200, notRestarted) }),
    rounds({ ...sound, crash: killedAt(200, slowToStart) }),
    // Nothing was in flight.
    { rounds: [{ ...sound, crash: killedAt(150) }] },
    rounds({ ...sound, tables: [{ ...table("USER", null), why: "own: connection reset" }] }),
    { rounds: [sound, recovered].map((one) => ({ ...one, tables: [table("USER", [], written.slice(-1))] })) },
  ],
  breaks: {
    lostRows: {
      seen: rounds({ ...sound, tables: [table("USER", allRows.slice(1))] }),
      fault: damaged(
        "loseOnKill=20",
        afterStart(changeRows("losesTheFirstRow", /^SELECT id, mark FROM \S+\.own_\d+ ORDER/, (rows) => rows.slice(1))),
      ),
    },
    strangeRows: {
      seen: rounds({ ...sound, tables: [table("SHARED", [...allRows, row("77")])] }),
      fault: afterStart(
        changeRows("changesARow", /^SELECT id, mark FROM \S+\.shared_\d+ ORDER/, ([first, ...rest]) =>
          first === undefined ? undefined : [[first[0] ?? null, "of somebody else"], ...rest],
        ),
      ),
    },
    doesNotStart: {
      seen: { rounds: [sound, { ...sound, crash: killedAt(200, failed), tables: [] }] },
      fault: neverStartAgain,
    },
  },
  mayBeLost: [
    { what: /^INSERT/, because: "the rows of one client of several" },
    { what: /^SELECT metric_name/, because: "the process itself shows that it is another" },
    { what: /^SELECT 1 AS up/, because: "it is asked again until it is answered" },
  ],
});
