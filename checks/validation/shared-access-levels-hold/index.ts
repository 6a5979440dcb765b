import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { judgeTable, judgeTurns, type Data, type Seen } from "./access.ts";
import { deniedWrites, levels, makeSurroundings, sharedReads, tryLevel, turnLevels } from "./openness.ts";

const turnsMin = 4;
const where = ({ level, as, way }: Data): string => `${level}: ${way}, as ${as}`;

export const sharedAccessLevelsHold = defineCheck({
  id: "validation/shared-access-levels-hold",
  title: "Shared tables are as open as their access level says",
  failureTitle: "A shared table is more or less open than its level says",
  description: `Makes a shared table of each access level (${levels.map(({ level }) => level).join(", ")}). A plain user tries ${sharedReads.length} ways to read and ${deniedWrites.length} to write or open each: PUBLIC ones may be read, everything else must be refused and change nothing. A service account and a dba read and write all of them. Each opens a live query on each. Then a PUBLIC table is shut and opened: the user's next read must follow, and a live query that is open when it is shut must tell nothing more.`,
  blindTo:
    "LIMIT 0 and DESCRIBE, which tell columns and no rows. Row policies, which later versions have instead of levels.",
  risk: "What was meant for services is read by every user of the application, or what was meant for all by none.",
  remedy: "Give every shared table its ACCESS_LEVEL in words, and look it up in system.tables after each change.",
  covers: ["VAL-06"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 2_500,
  estimateRequests: 260,
  // Most of its statements wait for one another: a busy machine must not take the answer away.
  timeoutMs: 180_000,
  findings: {
    tooOpen: { say: (d: Data) => `${where(d)}, was not refused: ${d.detail}` },
    tooClosed: { say: (d: Data) => `${where(d)}, was refused: ${d.detail}` },
    lateRevoke: {
      say: (d: { to: string; way: string; detail: string }) =>
        `after the table was set to ${d.to}, ${d.way} still worked: ${d.detail}`,
    },
  },
  async observe(target, context) {
    const [op, service, alice, bob] = await Promise.all([
      target.account("dba"),
      target.account("service"),
      target.account("user", "alice"),
      target.account("user", "bob"),
    ]);
    const setUp = await makeSurroundings(target, context, op);
    const [tables, turned] = await Promise.all([
      Promise.all(
        levels.map(
          async (level, at) =>
            await tryLevel(target, context, level, { op, service, user: at % 2 === 0 ? alice : bob }),
        ),
      ),
      turnLevels(target, context, op, alice),
    ]);
    return { setUp, tables, turned };
  },
  judge({ setUp, tables, turned }) {
    const seen = [
      ...levels.flatMap(({ level, usersRead }) =>
        judgeTable(
          level,
          usersRead,
          tables.find((one) => one.level === level),
        ),
      ),
      ...judgeTurns(turned, turnsMin),
    ];
    const found = seen.flatMap((one) => (one.kind === "found" ? [one.found] : []));
    if (found.length > 0) return fail(...found);
    const broken = setUp.find(({ kind }) => kind !== "ok");
    if (broken !== undefined) return unknown(`the set-up did not work: ${broken.message}`);
    const doubt = seen.find((one) => one.kind === "doubt");
    if (doubt !== undefined) return unknown(doubt.why);
    const number = (kind: Seen["kind"]): number => seen.filter((one) => one.kind === kind).length;
    return pass(
      `${number("allowed")} reads, writes and live queries allowed and ${number("denied")} denied as documented, on ${tables.length} levels; ${turned.turns.length - 1} changes of level took effect at once`,
    );
  },
});
