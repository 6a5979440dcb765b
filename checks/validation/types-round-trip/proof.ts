import { changeRows, refuseIt, sqlFault } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, yes } from "../../vocabulary/evidence.ts";
import type { Got, Trip, TypeSeen } from "./trips.ts";
import { typesRoundTrip } from "./index.ts";

const right: Got = { is: "value", text: "9007199254740993" };
const trip = (at: number, change: Partial<Trip> = {}): Trip => ({
  value: `value ${at}`,
  way: "literal",
  wrote: "9007199254740993",
  want: ["9007199254740993"],
  mayRefuse: false,
  taken: "ok",
  message: "",
  before: right,
  after: right,
  exchange: at,
  ...change,
});
const types: TypeSeen[] = Array.from({ length: 12 }, (_, type) => ({
  type: `TYPE${type}`,
  hasDigits: true,
  isOffered: true,
  unanswered: null as string | null,
  trips: Array.from({ length: 6 }, (__, at) => trip(at)),
}));
const flushed = types.map(() => ({
  said: yes("Job ID: FL-1"),
  job: "FL-1" as string | null,
  status: "completed" as string | null,
}));
const toFlush = flushed.length;
const sound = { types, flushed, toFlush };
const first = (change: Partial<Trip>) => ({
  types: types.map((one, at) => (at === 0 ? { ...one, trips: [trip(0, change), ...one.trips.slice(1)] } : one)),
  flushed,
  toFlush,
});
const missing = (count: number) => ({
  types: types.map((one, at) => (at < count ? { ...one, isOffered: false, trips: [] } : one)),
  flushed: flushed.slice(count),
  toFlush: toFlush - count,
});

export default proveCheck(typesRoundTrip, {
  holds: [
    sound,
    { types, flushed: flushed.slice(0, 3), toFlush: 3 },
    missing(1),
    first({ want: null, before: { is: "null", text: "" }, after: { is: "null", text: "" } }),
    first({ mayRefuse: true, taken: "refused", message: "no NaN" }),
  ],
  cannotTell: [
    missing(5),
    { types: types.map((one) => ({ ...one, trips: one.trips.slice(3) })), flushed, toFlush },
    first({ taken: "unsure", message: "time-out" }),
    first({ after: { is: "odd", text: '{"seconds":1}' } }),
    first({ before: { is: "unread", text: "time-out" } }),
    {
      types: types.map((one, at) => (at === 0 ? { ...one, isOffered: false, unanswered: "reset" } : one)),
      flushed,
      toFlush,
    },
    { types, flushed: flushed.slice(1), toFlush },
    { types, flushed: [], toFlush: 0 },
    { types, flushed: flushed.map((one) => ({ ...one, status: "running" })), toFlush },
    {
      types,
      flushed: flushed.map((one) => ({ ...one, said: no("X", "no", "rule"), job: null, status: null })),
      toFlush,
    },
  ],
  breaks: {
    changed: {
      seen: first({ after: { is: "null", text: "" } }),
      fault: changeRows("takeEmptyTextForNull", /^SELECT n, v FROM \S+\.t_text ORDER BY/, (rows) =>
        rows.map(([n, v]) => [n ?? null, v === "" ? null : (v ?? null)]),
      ),
    },
    lostDigits: {
      seen: first({ before: { is: "value", text: "9007199254740992" } }),
      fault: changeRows("putIntegersThroughADouble", /^SELECT n, v FROM \S+\.t_bigint ORDER BY/, (rows) =>
        rows.map(([n, v]) => [n ?? null, typeof v === "string" ? BigInt(Number(v)).toString() : (v ?? null)]),
      ),
    },
    unreadable: {
      seen: first({ after: { is: "unreadable", text: "cut" } }),
      fault: sqlFault("breakOffAtASmallDouble", (sql) =>
        /^SELECT (n, )?v FROM \S+\.t_double (ORDER BY|WHERE n = 4 )/.test(sql) ? Promise.resolve("lost") : undefined,
      ),
    },
    refused: {
      seen: first({ taken: "refused", message: "out of range" }),
      fault: refuseIt("refuseTheSmallestInteger", /INTO \S+\.t_int .*-2147483648/),
    },
  },
  mayBeLost: [{ what: /^SELECT n, v FROM/, because: "the rows are then read one by one" }],
});
