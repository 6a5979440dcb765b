import { changeRows, claimSuccess } from "../../../src/faults/sql.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { cellText } from "../../../src/server/target.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { systemColumnsLocked } from "./index.ts";

const columns = ["_seq", "_deleted"];
const reserved = no("SQL_EXECUTION_ERROR", "Column name '_seq' is reserved and cannot be used", "rule");
const times = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));
const row = { row: { version: "382955128155377664", deleted: "false" } as { version: string; deleted: string } | null };
const declared = {
  attempts: times(10, (at) => ({
    case: `declare ${at}`,
    role: "dba",
    sql: "CREATE",
    said: reserved,
    made: null as string | null,
  })),
  unread: null as string | null,
};
const altered = times(10, (at) => ({ case: `alter ${at}`, role: "dba", sql: "ALTER", said: reserved }));
const assigned = times(20, (at) => ({
  case: `assign ${at}`,
  role: "dba",
  sql: "UPDATE",
  said: at % 2 === 0 ? yes() : reserved,
  column: at < 10 ? "_seq" : "_deleted",
  before: row as typeof row | null,
  after: row as typeof row | null,
}));
const sound = {
  columns,
  declared,
  altered,
  columnsAfter: ["id", "v", ...columns, "kr_y"] as string[] | null,
  assigned,
  kinds: 10,
  controls: [yes(), yes()],
};
const assigning = (at: number, change: object) => ({
  ...sound,
  assigned: assigned.map((one, index) => (index === at ? { ...one, ...change } : one)),
});

/** Lets a forged version through: acknowledges the UPDATE, and shows the version that it asked for. */
const keepTheForgedVersion: Fault = {
  name: "keepTheForgedVersion",
  wrap(wire, fired) {
    const update = claimSuccess("", /^UPDATE \S+\.s SET _seq = 77 WHERE id = 13$/, 1);
    let updated = false;
    const show = changeRows("", /^SELECT \* FROM \S+\.s WHERE id > 10 /, (rows, names) => {
      const isForged = (cells: (typeof rows)[number]): boolean =>
        updated && cells.some((cell, at) => names[at] === "id" && cellText(cell) === "13");
      return rows.map((cells) =>
        isForged(cells) ? cells.map((cell, at) => (names[at] === "_seq" ? "77" : cell)) : cells,
      );
    });
    const noteUpdate = (): void => {
      updated = true;
      fired();
    };
    return show.wrap(update.wrap(wire, noteUpdate), () => undefined);
  },
};

export default proveCheck(systemColumnsLocked, {
  holds: [sound, assigning(1, { before: { row: null }, after: { row: null } })],
  cannotTell: [
    { ...sound, columns: [] },
    { ...sound, columns: ["_seq"] },
    { ...sound, controls: [nothing()] },
    { ...sound, columnsAfter: null },
    { ...sound, columnsAfter: ["id", "v"] },
    { ...sound, declared: { ...declared, unread: "no right" } },
    { ...sound, declared: { ...declared, attempts: declared.attempts.slice(1) } },
    { ...sound, altered: altered.slice(1) },
    { ...sound, altered: altered.map((one, at) => (at === 0 ? { ...one, said: nothing() } : one)) },
    { ...sound, assigned: assigned.slice(1) },
    assigning(0, { said: nothing() }),
    assigning(0, { after: null }),
  ],
  breaks: {
    accepted: {
      seen: { ...sound, altered: altered.map((one, at) => (at === 0 ? { ...one, said: yes() } : one)) },
      fault: claimSuccess("dropTheVersions", /^ALTER TABLE \S+ DROP COLUMN _seq$/),
    },
    forged: {
      seen: assigning(0, { after: { row: { version: "77", deleted: "false" } } }),
      fault: keepTheForgedVersion,
    },
  },
});
