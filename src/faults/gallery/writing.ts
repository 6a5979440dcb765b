/** Faults in which rows a statement changes, and to what. */
import type { Fault } from "../../proof.ts";
import { cellText } from "../../wire/json.ts";
import { changeRows, sendInstead, sqlFault } from "../sql.ts";
import { member, type Member } from "./member.ts";
import { rowsIn } from "./shapes.ts";

/** An UPDATE or DELETE of many rows that stops after the first of them, and says so in its count only. */
function stopAfter(name: string, verb: "UPDATE" | "DELETE", rowsMax: number): Fault {
  return sqlFault(name, async (sql, body, exchange) => {
    const [, start = "", where] = /^((?:UPDATE|DELETE FROM) \S+[\s\S]*?) WHERE ([\s\S]*)$/i.exec(sql) ?? [];
    if (!sql.startsWith(verb) || where === undefined || body["params"] !== undefined || sql.includes(";"))
      return undefined;
    const table = /^(?:UPDATE|DELETE FROM) (\S+)/i.exec(sql)?.[1] ?? "";
    const rows = rowsIn(await exchange(`SELECT id FROM ${table} WHERE ${where} ORDER BY id LIMIT 900`));
    if (rows === undefined || rows.length <= rowsMax) return undefined;
    const ids = rows.slice(0, rowsMax).map(([id]) => cellText(id ?? null));
    return await exchange(`${start} WHERE id IN (${ids.join(", ")})`);
  });
}

const hits = [
  "validation/writes-hit-their-rows/otherRowChanged",
  "validation/writes-hit-their-rows/notAsWritten",
] as const;

export const writingFaults: readonly Member[] = [
  member(
    "data",
    "UPDATE and DELETE with OR use only the first condition",
    hits,
    sendInstead("forgetOrInWrites", /^(UPDATE|DELETE)[^;]* WHERE [^;]* OR /i, (sql) => sql.replace(/ OR .*$/is, "")),
  ),
  member(
    "data",
    "UPDATE and DELETE of five or more keys in a list leave out the last",
    hits,
    sendInstead("leaveOutTheLastOfALongList", /^(UPDATE|DELETE)[^;]* IN \((?:[^,()]*,){4,}[^,()]*\)$/i, (sql) =>
      sql.replace(/,[^,()]*\)$/, ")"),
    ),
  ),
  member(
    "data",
    "NOT in an UPDATE is ignored",
    hits,
    sendInstead("forgetNotInWrites", /^(UPDATE|DELETE)[^;]* WHERE NOT /i, (sql) =>
      sql.replace(/ WHERE NOT /i, " WHERE "),
    ),
  ),
  member(
    "data",
    "IS NULL in an UPDATE finds no row",
    hits,
    sendInstead("findNoNullsInWrites", /^(UPDATE|DELETE)[^;]* WHERE [^;]* IS NULL/i, (sql) =>
      sql.replace(/ IS NULL/gi, " = NULL"),
    ),
  ),
  member(
    "data",
    "An UPDATE that swaps two columns assigns one after the other",
    hits,
    sendInstead("assignInTurns", /^UPDATE \S+ SET (\w+) = (\w+), \2 = \1 /i, (sql) =>
      sql.replace(/ SET (\w+) = (\w+), \2 = \1 /i, " SET $1 = $2 "),
    ),
  ),
  member(
    "data",
    "Of two assignments of literals the last is lost",
    hits,
    sendInstead("loseTheLastAssignment", /^UPDATE \S+ SET \w+ = '[^']*', \w+ = \d+ WHERE/i, (sql) =>
      sql.replace(/, \w+ = \d+ WHERE/i, " WHERE"),
    ),
  ),
  member(
    "data",
    "An UPDATE stops after twenty rows",
    ["validation/writes-hit-their-rows/notAsWritten"],
    stopAfter("updateTwentyRows", "UPDATE", 20),
  ),
  member(
    "data",
    "A DELETE stops after twenty rows",
    ["validation/writes-hit-their-rows/notAsWritten"],
    stopAfter("deleteTwentyRows", "DELETE", 20),
  ),
  member(
    "numbers",
    "COUNT is an estimate above 100 rows",
    ["validation/counts-are-right/wrongCount"],
    changeRows("estimateLargeCounts", /^SELECT COUNT\(\*\)[^()]*$/i, (rows) => {
      const [[count = 0] = []] = rows;
      const number = Number(cellText(count));
      return rows.length === 1 && number > 100 ? [[String(number - (number % 7))]] : undefined;
    }),
  ),
];
