import { changeFault, rowIn } from "../../../../src/faults/live.ts";
import { proveCheck } from "../../../../src/proof.ts";
import { cellText, type Json } from "../../../../src/wire/json.ts";
import { no, nothing, yes } from "../../../vocabulary/evidence.ts";
import { isInSpan, type Cells, type Told } from "../told-rows.ts";
import { liveQueriesMeetAllWrites } from "./index.ts";
import { baseOf, tableKinds, ways, waysInto, waySpan } from "./ways.ts";
import { planFrom, type Bystander, type Followed, type Step } from "./writing.ts";

type Message = { readonly [key: string]: Json };

/** Every row of the plan is inserted, or changed as often as the plan says. */
function stepFor(table: Step["table"], way: string, plan: Step["plan"]): Step {
  const keys = Object.keys(plan);
  const row = (key: string, v: string): Cells => ({ id: `"${key}"`, v: `"${v}"` });
  const told: Told[] = keys.flatMap((key) =>
    Array.from({ length: plan[key] ?? 0 }, (_, at) => ({
      kind: at === 0 ? "insert" : "update",
      key,
      row: row(key, at + 1 === plan[key] ? "last" : "first"),
    })),
  );
  const after = Object.fromEntries(keys.map((key) => [key, row(key, "last")]));
  return { table, way, isOptional: false, said: yes(), plan, before: {}, after, told };
}

const followed = (steps: readonly Step[]): Followed => ({ steps, fenced: true, exchange: 3 });
const types = Array.from({ length: 10 }, (_, at) =>
  stepFor("USER", `values of TYPE ${at}`, { [`9${at}1`]: 1, [`9${at}2`]: 2 }),
);
const bystander: Bystander = { who: "another user", foreign: [], fenced: true, exchange: 4 };
const sound = {
  followed: [
    ...tableKinds.map((table) =>
      followed(waysInto(table).map((way) => stepFor(table, way.name, planFrom(baseOf(way), way.plan)))),
    ),
    followed([stepFor("USER", "NULLs", { "101": 1, "102": 2 }), ...types]),
  ],
  bystanders: [bystander, { ...bystander, who: "the service" }],
};
const having = (name: string, change: (step: Step) => Partial<Step>) => ({
  ...sound,
  followed: sound.followed.map((one) => ({
    ...one,
    steps: one.steps.map((step) => (step.way === name ? { ...step, ...change(step) } : step)),
  })),
});
const unfenced = (seen: typeof sound) => ({
  ...seen,
  followed: seen.followed.map((one) => ({ ...one, fenced: false })),
});
const silent = having("UPDATE by EXECUTE AS", () => ({ told: [] }));
const notThere = no("SQL_EXECUTION_ERROR", "ON CONFLICT is not supported", "parse");

const keyOf = (message: Message): number => Number(cellText(rowIn(message)["id"]));
const inWay = (name: string) => (message: Message) =>
  ways.some((way) => way.name === name && isInSpan(String(keyOf(message)), baseOf(way), waySpan));
const ofKind = (kind: string) => (message: Message) => message["change_type"] === kind;
/** Rows as they are in frames, with a column changed. */
const withCell = (message: Message, change: Message): Message => ({
  ...message,
  rows: [{ ...rowIn(message), ...change }],
});

export default proveCheck(liveQueriesMeetAllWrites, {
  holds: [
    sound,
    having("INSERT … ON CONFLICT DO UPDATE", () => ({ isOptional: true, said: notThere, after: {}, told: [] })),
    // Only the last of several changes of one row is delivered.
    having("several statements in one request", ({ told }) => ({
      told: told.filter(({ row }) => row?.["v"] === '"last"'),
    })),
  ],
  cannotTell: [
    unfenced(sound),
    unfenced(silent),
    having("UPDATE by a predicate", () => ({ said: nothing(), told: [] })),
    having("UPDATE by a predicate", () => ({ said: notThere, after: {}, told: [] })),
    having("INSERT … RETURNING", () => ({ isOptional: true, said: notThere })),
    // Part of it has an effect, and that part is delivered.
    having("UPDATE by a predicate", ({ after, told }) => ({
      after: Object.fromEntries(Object.entries(after).slice(1)),
      told: told.slice(1),
    })),
    { ...sound, followed: sound.followed.slice(0, 2) },
    { ...sound, followed: sound.followed.map((one) => ({ ...one, steps: one.steps.slice(1) })) },
    { ...sound, followed: [...sound.followed.slice(0, 2), followed(types.slice(0, 7))] },
    { ...sound, bystanders: [bystander] },
    { ...sound, bystanders: [bystander, { ...bystander, fenced: false }] },
  ],
  breaks: {
    lostWrite: {
      seen: silent,
      fault: changeFault("loseUpdatesByPredicate", 1, () => [], inWay("UPDATE by EXECUTE AS")),
      case: "USER, UPDATE by EXECUTE AS",
    },
    eventDiffersFromRow: {
      seen: having("NULLs", ({ after, told }) => ({
        after: Object.fromEntries(Object.entries(after).map(([key, row]) => [key, { ...row, large: '"large…' }])),
        told,
      })),
      // A large value that an update did not change is left out, as a log that does not carry it would do.
      fault: changeFault(
        "leaveOutLargeUnchanged",
        1,
        (message) => {
          const { large: _, ...row } = rowIn(message);
          return [{ ...message, rows: [row] }];
        },
        (message) => ofKind("update")(message) && cellText(rowIn(message)["large"]).length > 10_000,
      ),
      says: /column large: the event has no value/,
    },
    toldTwice: {
      seen: having("INSERT of many rows", ({ told }) => ({ told: told.flatMap((one) => [one, one]) })),
      fault: changeFault("deliverRowsTwice", 1, (message) => [message, message], inWay("INSERT of many rows")),
      case: "SHARED, INSERT of many rows",
    },
    foreignEvent: {
      seen: {
        ...sound,
        bystanders: [{ ...bystander, foreign: [{ kind: "insert", key: "1301", row: {} }] }, bystander],
      },
      fault: changeFault(
        "deliverAnothersRow",
        1,
        (message) => [message, withCell(message, { id: "1301" })],
        (message) => cellText(rowIn(message)["v"]) === "another user",
      ),
      case: "another user",
    },
  },
  mayBeLost: [
    {
      what: /^SELECT id, n, large, .* FROM \S+ ORDER BY id/,
      because: "where the whole table cannot be read, the rows of each type are read by themselves",
    },
  ],
});
