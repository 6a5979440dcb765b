import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { changeLevels, deniedWrites, levels, makeSurroundings, sharedReads, tryLevel } from "./attempts.ts";
import { findings, judgeChanges, judgeTable, type Outcome } from "./judge.ts";

const changesMin = 4;

export const sharedAccessLevelsHold = defineCheck({
  id: "validation/shared-access-levels-hold",
  title: "Shared tables are exactly as open as their access level",
  failureTitle: "A shared table is more or less open than its access level",
  description: `Makes a shared table of each access level (${levels.map(({ level }) => level).join(", ")}). On each, a plain user tries ${sharedReads.length} ways to read and ${deniedWrites.length} to write or to change the level: PUBLIC tables may be read, everything else must be refused and change nothing. A service account and a dba read and write all of them. Each account runs a live query on each table. Then a PUBLIC table is made PRIVATE and PUBLIC again: the user's next read must follow, and a live query that is open when the table becomes PRIVATE must deliver nothing more.`,
  blindTo:
    "LIMIT 0 and DESCRIBE, which show columns and no rows. Row policies, which replace levels in later versions.",
  risk: "Data for services is readable by every user of the application, or data for all users by none.",
  remedy: "Set the ACCESS_LEVEL of every shared table explicitly, and look it up in system.tables after each change.",
  covers: ["VAL-06"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
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
    await makeSurroundings(target, context, op);
    const [tables, changes] = await Promise.all([
      Promise.all(
        levels.map(
          async (level, at) =>
            await tryLevel(target, context, level, { op, service, user: at % 2 === 0 ? alice : bob }),
        ),
      ),
      changeLevels(target, context, op, alice),
    ]);
    return { tables, changes };
  },
  judge({ tables, changes }, { found }) {
    const outcomes = levels.flatMap(({ level, usersRead }) => {
      const table = tables.find((one) => one.level === level);
      return judgeTable(level, usersRead, table, found);
    });
    outcomes.push(...judgeChanges(changes, changesMin, found));
    const doubt = outcomes.find((one) => one.kind === "doubt");
    if (doubt !== undefined) return unknown(doubt.why);
    const number = (kind: Outcome["kind"]): number => outcomes.filter((one) => one.kind === kind).length;
    return pass(
      `${number("allowed")} reads, writes and live queries allowed and ${number("denied")} denied as documented, on ${tables.length} levels; ${changes.changes.length - 1} changes of level took effect at once`,
    );
  },
});
