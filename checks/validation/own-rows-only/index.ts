import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { visitRoom, type RoomPlan } from "./neighbours.ts";
import { judgeRoom, type Seen, type Trespass } from "./trespass.ts";
import { liveWays, readWays, writeWays } from "../reaching/ways.ts";

export const plans: readonly RoomPlan[] = [
  { name: "hot", type: "USER", cold: false, visitor: "alice", watcher: "bob", withRights: true },
  { name: "flushed", type: "USER", cold: true, visitor: "carol", watcher: null, withRights: true },
  { name: "stream", type: "STREAM", cold: false, visitor: "bob", watcher: "alice", withRights: false },
];

type Data = { way: string; as: string; rooms: readonly string[]; detail: string };
const where = ({ way, as, rooms }: Data): string => `${way}, as ${as}, in ${rooms.join(" and ")}`;

export const ownRowsOnly = defineCheck({
  id: "validation/own-rows-only",
  title: "Nobody reaches the rows of somebody else",
  failureTitle: "Somebody reaches the rows of somebody else",
  description: `Several accounts put rows with the same keys into a USER table, one that is flushed, and a STREAM table; texts, numbers and some keys cannot be guessed. A plain user then tries ${readWays.length} ways to read (keys, parameters, aggregates, joins, subqueries, CTE, UNION, system columns, errors, SHOW …) and ${writeWays.length} to change rows (with and without WHERE, INSERT … SELECT, EXECUTE AS …), and listens by ${liveWays.length} live queries while others write, a service account and a dba by the broadest of them. Each way must work on one's own rows, nothing of another's may be in any answer, and another's rows must be the same after each.`,
  blindTo:
    "Files and topics; live queries that are cut and resumed (subscriptions/own-events-only looks at more of them); views, which cannot be taken away again everywhere; what somebody sees who can read the disk. EXECUTE AS USER lets service accounts and dbas act for users: that is documented, and not tried.",
  risk: "One customer reads or changes what belongs to another one.",
  remedy:
    "Do not keep several customers' rows on this server before it passes: the finding names the statement that gets through.",
  covers: ["VAL-05"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 5_000,
  estimateRequests: 550,
  // Most of its statements wait for one another: a busy machine must not take the answer away.
  timeoutMs: 180_000,
  findings: {
    foreignRows: { say: (d: Data) => `${where(d)}: shows what is somebody else's: ${d.detail}` },
    foreignEvents: { say: (d: Data) => `${where(d)}: brings what is somebody else's: ${d.detail}` },
    foreignChange: { say: (d: Data) => `${where(d)}: changed somebody else's rows: ${d.detail}` },
    actedAs: { say: (d: Data) => `${where(d)}: was not refused: ${d.detail}` },
  },
  async observe(target, context) {
    return { rooms: await Promise.all(plans.map(async (plan) => await visitRoom(target, context, plan))) };
  },
  judge({ rooms }) {
    const seen = plans.flatMap((plan) =>
      judgeRoom(
        plan,
        rooms.find(({ room }) => room === plan.name),
      ),
    );
    const found = gathered(seen);
    if (found.length > 0) return fail(...found);
    const doubts = seen.flatMap((one) => (one.kind === "doubt" ? [one.why] : []));
    const [doubt] = doubts;
    if (doubt !== undefined)
      return unknown(doubts.length === 1 ? doubt : `${doubt}; and ${doubts.length - 1} more like it`);
    const number = (kind: Seen["kind"]): number => seen.filter((one) => one.kind === kind).length;
    return pass(
      `${number("worked")} tries in ${rooms.length} tables reached one's own rows, ${number("empty")} for others' found none, ${number("denied")} were denied; nothing of others' came along`,
    );
  },
});

/** One finding for each way and role, however many tables showed it. */
function gathered(seen: readonly Seen[]) {
  const groups = new Map<string, Trespass[]>();
  for (const one of seen) {
    if (one.kind !== "trespass") continue;
    const key = `${one.finding} ${one.as} ${one.way}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { finding, as, way, detail } = first;
    return [
      {
        name: finding,
        case: as === "user" ? way : `${way}, as ${as}`,
        data: { way, as, rooms: group.map(({ room }) => room), detail },
        sent: group.map(({ exchange }) => exchange),
      },
    ];
  });
}
