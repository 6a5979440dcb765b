import { afterStart, damaged } from "../../../src/faults/control.ts";
import { changeColumn, sqlFault } from "../../../src/faults/sql.ts";
import type { Operation, OperationOutcome, Write } from "../../../src/history/history.ts";
import { proveCheck } from "../../../src/proof.ts";
import { sentBy } from "../../concurrency/evidence.ts";
import { killedAt, notRestarted, slowToStart } from "../evidence.ts";
import { asRead } from "../reading.ts";
import { lastValueSurvivesKill } from "./index.ts";

const write = (
  kind: Write["kind"],
  mark: string,
  at: number,
  outcome: OperationOutcome = "ok",
  key = "1",
): Operation => ({
  ...sentBy(0, at, at, outcome === "unsure" ? 50 : 5, outcome),
  kind,
  key,
  values: { mark },
});
const history = [
  write("insert", "a", 100),
  write("update", "b", 110),
  write("update", "c", 120),
  ...["2", "3"].flatMap((key) => [write("insert", "x", 130, "ok", key), write("delete", "x", 140, "ok", key)]),
  write("update", "d", 195, "unsure"),
];
const round = (mark: string | null, more: readonly { id: string; mark: string }[] = []) => ({
  crash: killedAt(200),
  operations: [
    ...history,
    asRead({ rows: [...(mark === null ? [] : [{ id: "1", mark }]), ...more], exchange: 900 }, { from: 300, to: 310 }),
  ],
  why: null as string | null,
});
const sound = round("c");

export default proveCheck(lastValueSurvivesKill, {
  holds: [{ rounds: [sound] }, { rounds: [round("d"), sound] }],
  cannotTell: [
    { rounds: [{ ...sound, crash: killedAt(200, notRestarted) }] },
    { rounds: [{ ...sound, crash: killedAt(200, slowToStart) }] },
    { rounds: [{ ...sound, crash: killedAt(190) }] },
    { rounds: [{ ...sound, operations: history, why: "changed: connection reset" }] },
    // Nothing was acknowledged.
    { rounds: [{ ...sound, operations: [write("insert", "c", 195, "unsure"), ...sound.operations.slice(-1)] }] },
  ],
  breaks: {
    olderValue: {
      seen: { rounds: [round("b")] },
      says: /key \d+ shows \S.*, expected /,
      also: ["resurrectedRow"],
      fault: damaged(
        "loseOnKill=20",
        afterStart(changeColumn("showsAnOlderValue", /^SELECT id, mark FROM \S+ ORDER/, "mark", () => "older")),
      ),
    },
    resurrectedRow: {
      seen: { rounds: [round("c", [{ id: "2", mark: "x" }])] },
      also: ["olderValue"],
      fault: damaged(
        "resurrectDeleted=6",
        sqlFault("deletesNothing", async (sql, _, exchange) => {
          if (!sql.startsWith("DELETE FROM") || !sql.includes(".changed_")) return undefined;
          return await exchange(sql.replace(/id = (\d+)/, "id = -$1")).then((said) =>
            said === undefined ? undefined : { status: 200, body: { status: "success", results: [{ row_count: 1 }] } },
          );
        }),
      ),
    },
  },
  mayBeLost: [
    { what: /^(INSERT|UPDATE|DELETE)/, because: "the changes of one client of several" },
    { what: /^SELECT metric_name/, because: "the process itself shows that it is another" },
    { what: /^SELECT 1 AS up/, because: "it is asked again until it is answered" },
  ],
});
