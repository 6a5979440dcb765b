import { changeRows, claimSuccess, sqlFault } from "../../../src/faults/sql.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { no } from "../../vocabulary/evidence.ts";
import { rapidUpdatesExact } from "./index.ts";

const look = (when: string, acknowledged: number, change: object = {}) => ({
  when,
  byKey: [String(acknowledged)] as string[] | null,
  scanned: [String(acknowledged)] as string[] | null,
  counted: "1" as string | null,
  exchanges: [5],
  acknowledged,
  unsure: 0,
  ...change,
});
const looks = [
  look("before a flush", 30),
  look("after a flush", 30),
  look("with old versions in cold storage", 60),
  look("after a flush again", 60),
];
const refused = null as ReturnType<typeof no> | null;
const table = (kind: string, change: object = {}) => ({
  kind,
  looks,
  unflushed: null as string | null,
  refused,
  ...change,
});
const seen = (change: object) => ({ tables: [table("USER", change), table("SHARED")] });
const last = (change: object) => seen({ looks: [...looks.slice(0, 3), look("after a flush again", 60, change)] });

/** The second time only: the version in cold storage is there beside the new one. */
const oldVersionToo = (name: string, pattern: RegExp): Fault => {
  let updates = 0;
  const count = sqlFault("count", (sql) => {
    if (/^UPDATE \S+_counter/.test(sql)) updates += 1;
    return undefined;
  });
  const add = changeRows(name, pattern, (rows) => (updates > 20 && rows.length === 1 ? [...rows, ["7"]] : undefined));
  return { name, wrap: (wire, fired) => add.wrap(count.wrap(wire, fired), fired) };
};

export default proveCheck(rapidUpdatesExact, {
  holds: [
    seen({}),
    // An update without an answer may have been done.
    last({ acknowledged: 59, unsure: 2 }),
  ],
  cannotTell: [
    { tables: [] },
    { tables: [table("USER")] },
    seen({ looks: [] }),
    seen({ looks: looks.slice(2) }),
    seen({ unflushed: "no row is listed in cold storage" }),
    seen({ refused: no("SQL_EXECUTION_ERROR", "UPDATE not supported", "rule") }),
    last({ scanned: null }),
    last({ counted: null }),
    seen({ looks: looks.map((one) => ({ ...one, byKey: ["3"], scanned: ["3"], acknowledged: 3 })) }),
  ],
  breaks: {
    wrongValue: {
      seen: last({ byKey: ["59"], scanned: ["59"] }),
      fault: oneInSeventeen(),
    },
    extraVersions: {
      seen: last({ scanned: ["60", "30"] }),
      // The version that should not be there has a value that should not be there.
      also: ["wrongValue"],
      fault: oldVersionToo("showTheColdVersionToo", /^SELECT n FROM \S+_counter LIMIT/),
    },
  },
});

/** Acknowledged, and not done. */
function oneInSeventeen(): Fault {
  let updates = 0;
  return sqlFault("acknowledgeOneInSeventeenWithoutDoingIt", (sql) => {
    if (!/^UPDATE \S+_counter/.test(sql)) return undefined;
    updates += 1;
    if (updates % 17 !== 0) return undefined;
    const result = { row_count: 1, message: "Updated 1 row(s)" };
    return Promise.resolve({ status: 200, body: { status: "success", results: [result], took: 1 } });
  });
}

/** Further faults, by the finding that they must cause (faults.test.ts). */
export const alsoFound: Readonly<Record<string, readonly Fault[]>> = {
  extraVersions: [
    oldVersionToo("countTheColdVersionToo", /^SELECT n FROM \S+_counter WHERE id = 1/),
    changeRows("countVersions", /^SELECT COUNT\(\*\) AS n FROM \S+_counter/, () => [["2"]]),
  ],
  wrongValue: [
    changeRows("readTheColdVersion", /^SELECT n FROM \S+_counter WHERE id = 1/, (rows) =>
      rows.map(([n]) => (Number(n) > 10 ? ["10"] : [n ?? null])),
    ),
    claimSuccess("updateNothing", /^UPDATE \S+user_counter/, 1),
  ],
};
