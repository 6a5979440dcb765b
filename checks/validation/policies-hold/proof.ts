import { frameFault } from "../../../src/faults/live.ts";
import { actAs, changeRows, sqlFault } from "../../../src/faults/sql.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { isRecord, type Json } from "../../../src/wire/json.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { policiesHold } from "./index.ts";
import { reads, writes, type Seen } from "./attempts.ts";

const denied = no("PERMISSION_DENIED", "The row violates a policy", "permission", 403);
const rows = ["1", "2", "3"].map((id) => ({ id, v: `mine-${id}`, n: `30${id}` }));
const others = ["71", "72"].map((id) => ({ id, v: `other-${id}`, n: `90${id}` }));
const place = {
  t: "kr_a1b2c_1.guarded",
  s: "kr_a1b2c_1.beside",
  namespace: "kr_a1b2c_1",
  name: "guarded",
  quoted: '"kr_a1b2c_1"."guarded"',
  version: "_version",
  myValue: "mine-1",
  theirKey: "71",
  theirValue: "other-71",
  me: "kr_a1b2c_user_1",
  them: "kr_a1b2c_user_2",
};
const sound: Seen = {
  rows,
  others,
  place,
  reads: reads.map((way) => ({
    way: way.name,
    said: yes(),
    rows: way.shows?.(rows, place) ?? null,
    count: null,
    foreign: [],
  })),
  writes: writes.map(({ name, moves }) => ({ way: name, said: moves === true ? denied : yes(), others: "same" })),
  listened: {
    opening: { kind: "ready", code: "", message: "", reason: "", exchange: 1 },
    why: "",
    keys: ["1", "2", "3"],
    ownArrived: true,
    foreign: [],
    exchange: 1,
  },
  closed: ["user", "service", "service"].map((role) => ({
    table: "unguarded",
    role,
    said: yes(),
    rows: 0,
    snapshot: 0,
  })),
  dba: { count: 5, of: 5, wrote: yes() },
};
const withRead = (name: string, change: Partial<Seen["reads"][number]>): Seen => ({
  ...sound,
  reads: sound.reads.map((one) => (one.way === name ? { ...one, ...change } : one)),
});
const withWrite = (name: string, change: Partial<Seen["writes"][number]>): Seen => ({
  ...sound,
  writes: sound.writes.map((one) => (one.way === name ? { ...one, ...change } : one)),
});
const listening = (change: Partial<Seen["listened"]>): Seen => ({
  ...sound,
  listened: { ...sound.listened, ...change },
});
const closedIs = (change: Partial<Seen["closed"][number]>): Seen => ({
  ...sound,
  closed: sound.closed.map((one, at) => (at === 0 ? { ...one, ...change } : one)),
});
const dbaIs = (change: Partial<Seen["dba"]>): Seen => ({ ...sound, dba: { ...sound.dba, ...change } });
const changed = [["71", "other-71", "1", "kr_a1b2c_user_2"]];
const tooFast = no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429);

/** As a server that shows the old row of an update that brings it within reach. */
function showTheOldRow(): Fault {
  return {
    name: "showTheOldRow",
    wrap(wire, fired) {
      let old = "";
      const watched = sqlFault("", (sql) => {
        old = /\.guarded .*VALUES \(\d+, '(other-\d+)'/.exec(sql)?.[1] ?? old;
        return undefined;
      }).wrap(wire, () => {});
      return frameFault("", () => (message, { pass, fired: fires }) => {
        const [first]: readonly Json[] = Array.isArray(message["rows"]) ? (message["rows"] as readonly Json[]) : [];
        if (message["type"] !== "change" || !isRecord(first) || first["v"] !== "given") return pass(message);
        fires();
        pass({ ...message, change_type: "update", old_values: [{ ...first, v: old }] });
      }).wrap(watched, fired);
    },
  };
}

export default proveCheck(policiesHold, {
  holds: [
    sound,
    // A policy may hide the rows from a statement, or refuse it.
    withWrite("DELETE by the other's key", { said: denied }),
    closedIs({ said: denied, rows: null }),
    withRead("window function", { said: no("SQL_EXECUTION_ERROR", "not supported", "rule"), rows: null }),
  ],
  cannotTell: [
    { ...sound, reads: sound.reads.slice(1) },
    { ...sound, writes: sound.writes.slice(1) },
    { ...sound, closed: sound.closed.slice(1) },
    withRead("by key", { said: nothing(), rows: null }),
    withRead("by key", { rows: [] }),
    withRead("by key", { said: tooFast, rows: null }),
    withWrite("giving a row away", { said: nothing() }),
    withWrite("giving a row away", { said: yes() }),
    withWrite("taking a row", { others: "unread" }),
    listening({ why: "no live connection" }),
    listening({ ownArrived: false }),
    listening({ keys: [] }),
    closedIs({ said: nothing(), rows: null }),
    closedIs({ snapshot: null }),
    dbaIs({ count: null }),
    dbaIs({ wrote: nothing() }),
  ],
  breaks: {
    foreignRows: {
      seen: withRead("COUNT(*)", { rows: [["5"]] }),
      fault: actAs("countAsDba", /^INSERT INTO \S+\.beside /, /^SELECT COUNT\(\*\) AS c FROM \S+\.guarded$/),
    },
    foreignChange: {
      seen: withWrite("DELETE by the other's key", { others: changed }),
      fault: actAs("deleteAsDba", /^INSERT INTO \S+\.beside /, /^DELETE FROM \S+\.guarded WHERE owner = '\S+'$/),
    },
    movedAway: {
      seen: withWrite("giving a row away", { said: yes(), others: [...changed, ["1", "mine-1", "301", "bob"]] }),
      // As a server that applies WITH CHECK to INSERT only.
      fault: actAs(
        "moveRowsAsDba",
        /^INSERT INTO \S+\.beside /,
        /^UPDATE \S+\.guarded SET owner = '\S+' WHERE id = 1$/,
      ),
    },
    foreignEvents: {
      seen: listening({ foreign: ["other-71"] }),
      fault: showTheOldRow(),
    },
    openWithoutPolicy: {
      seen: closedIs({ rows: 4 }),
      fault: changeRows("openWithoutAPolicy", /^SELECT COUNT\(\*\) AS n FROM \S+\.unguarded$/, () => [["4"]]),
    },
    boundDba: {
      seen: dbaIs({ count: 3 }),
      fault: changeRows("bindDbas", /^SELECT COUNT\(\*\) AS n FROM \S+\.guarded$/, (cells) =>
        cells[0]?.[0] === "0" ? undefined : [["3"]],
      ),
    },
  },
});
