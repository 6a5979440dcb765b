import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { known } from "../../../src/server/target.ts";
import { changeLevels, deniedWrites, makeSurroundings, readsFor, sharedReads, tryLevel } from "./attempts.ts";
import { levelsFor } from "./levels.ts";
import { findings, judgeChanges, judgeTable, type Outcome } from "./judge.ts";

const changesMin = 4;

export const sharedAccessLevelsHold = defineCheck({
  id: "validation/shared-access-levels-hold",
  title: "Shared tables are exactly as open as declared",
  failureTitle: "A shared table is more or less open than declared",
  description: `Makes a shared table of each access level (${levelsFor("levels")
    .map(({ level }) => level)
    .join(
      ", ",
    )}). On each, a plain user tries ${sharedReads.length} ways to read (at light effort, on PRIVATE only; ${readsFor("some").length} elsewhere) and ${deniedWrites("levels").length} to write or to change the level: PUBLIC tables may be read, everything else must be refused and change nothing. A service account and a dba read and write all of them (at light effort the dba only PRIVATE, and the service account reads the others in one way and does not update them). Each account runs a live query on each table. Then a PUBLIC table is made PRIVATE and PUBLIC again: the user's next read must follow, and a live query that is open when the table becomes PRIVATE must deliver nothing more. Where policies take the place of levels, PUBLIC and PRIVATE are policies that allow as much, and a third table has none: only dbas may read or write it. There, what a policy does not allow may also be answered with no rows.`,
  blindTo:
    "LIMIT 0 and DESCRIBE, which show columns and no rows. Policies for single rows, and, where there are policies, live queries that are open when one is dropped (see subscriptions/shared-tables-live). At light effort the rows are read after each refused write on PRIVATE, and elsewhere after the last one.",
  risk: "Data for services is readable by every user of the application, or data for all users by none.",
  remedy: "Set the ACCESS_LEVEL or the policies of every shared table explicitly, and look them up after each change.",
  covers: ["VAL-06"],
  expects: ["sharedAccess"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  uses: { user: 2, service: 1, dba: 1 },
  estimateMs: 2_500,
  estimateRequests: 260,
  // Most statements run one after another, which takes long on a busy machine.
  timeoutMs: 180_000,
  findings,
  async observe(target, context) {
    const [op, service, alice, bob] = await Promise.all([
      target.account("dba"),
      target.account("service"),
      target.account("user", "alice"),
      target.account("user", "bob"),
    ]);
    const access = known(target.dialect.sharedAccess);
    await makeSurroundings(target, context, op);
    const [tables, changes] = await Promise.all([
      Promise.all(
        levelsFor(access).map(
          async (level) =>
            // What alice has copied from a table that is open to her must not be taken for rows of a closed one.
            await tryLevel(target, context, access, level, { op, service, user: level.usersRead ? alice : bob }),
        ),
      ),
      changeLevels(target, context, access, { op, user: alice }),
    ]);
    return { access, tables, changes };
  },
  judge({ access, tables, changes }, { found }) {
    const outcomes = levelsFor(access).flatMap((level) => {
      const table = tables.find((one) => one.level === level.level);
      return judgeTable(access, level, table, found);
    });
    outcomes.push(...judgeChanges(access, changes, changesMin, found));
    const doubt = outcomes.find((one) => one.kind === "doubt");
    if (doubt !== undefined) return unknown(doubt.why);
    const number = (kind: Outcome["kind"]): number => outcomes.filter((one) => one.kind === kind).length;
    return pass(
      `${number("allowed")} reads, writes and live queries allowed and ${number("denied")} denied as documented, on ${tables.length} levels; ${changes.changes.length - 1} changes of level took effect at once${tables.some(({ breadth }) => breadth === "some") ? " (at light effort users tried all ways on PRIVATE only)" : ""}`,
    );
  },
});
