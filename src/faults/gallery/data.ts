/** Faults in what is stored and counted. */
import { changeResult, changeRows, sendInstead, sqlFault, type Said } from "../sql.ts";
import type { Fault } from "../../proof.ts";
import { member, type Member } from "./member.ts";
import { acknowledged, countIn, errorIn, mapTexts, ownSelect } from "./shapes.ts";

const counting = /^SELECT COUNT\(\*\)( AS \w+)? FROM (\S+)$/i;

/** A count from statistics that deletes do not lower. */
const countDeletedRows: Fault = {
  name: "countDeletedRows",
  wrap(wire, fired) {
    const deleted = new Map<string, number>();
    return sqlFault("", async (sql, body, exchange) => {
      const from = /^DELETE FROM (\S+)/i.exec(sql)?.[1];
      if (from !== undefined) {
        const said = await exchange();
        deleted.set(from, (deleted.get(from) ?? 0) + countIn(said));
        return undefined;
      }
      const more = deleted.get(counting.exec(sql)?.[2] ?? "") ?? 0;
      if (more === 0 || body["sql"] !== sql) return undefined;
      return await exchange(sql.replace(/COUNT\(\*\)/i, `COUNT(*) + ${more}`));
    }).wrap(wire, fired);
  },
};

/** A refusal that matches is answered as success. */
function acceptRefused(name: string, statement: RegExp, refusal: RegExp): Fault {
  return sqlFault(name, async (sql, _, exchange) => {
    if (!statement.test(sql)) return undefined;
    const message = errorIn(await exchange());
    return message !== undefined && refusal.test(message) ? acknowledged(1, "Inserted 1 row(s)") : undefined;
  });
}

/** Acknowledges every n-th matching statement without sending it. */
function forgetEvery(name: string, every: number, pattern: RegExp): Fault {
  let count = 0;
  return sqlFault(name, (sql) => {
    if (!pattern.test(sql) || (count += 1) % every !== 0) return undefined;
    return Promise.resolve(acknowledged(1, "done"));
  });
}

/** A refused INSERT of several rows leaves the first. */
const keepTheFirstOfARefusedInsert = sqlFault("keepTheFirstOfARefusedInsert", async (sql, _, exchange) => {
  const first = /^(INSERT INTO .*? VALUES \([^()]*\)), \(/is.exec(sql)?.[1];
  if (first === undefined) return undefined;
  const said = await exchange();
  if (errorIn(said) === undefined) return undefined;
  await exchange(first);
  return said;
});

/** Statements of a batch are run one by one, the later ones whatever became of the earlier. */
const runABatchToTheEnd = sqlFault("runABatchToTheEnd", async (sql, body, exchange) => {
  const parts = sql.split(/;\s+/).filter((part) => part.trim() !== "");
  if (parts.length < 3 || !/^INSERT/i.test(sql) || body["params"] !== undefined) return undefined;
  let failed: Said | undefined;
  let last: Said | undefined;
  for (const part of parts) {
    last = await exchange(part);
    if (errorIn(last) !== undefined) failed ??= last;
  }
  return failed ?? last;
});

/** Each flush loses what was written to a table last. */
const loseTheLastRowInAFlush: Fault = {
  name: "loseTheLastRowInAFlush",
  wrap(wire, fired) {
    const last = new Map<string, string>();
    return sqlFault("", async (sql, _, exchange) => {
      const inserted = /^INSERT INTO (\S+) \(id,.* VALUES .*\((-?\d+),/is.exec(sql);
      if (inserted !== null) last.set(inserted[1] ?? "", inserted[2] ?? "");
      const table = /^STORAGE FLUSH TABLE (\S+)/i.exec(sql)?.[1] ?? "";
      const id = last.get(table);
      if (id === undefined) return undefined;
      await exchange(`DELETE FROM ${table} WHERE id = ${id}`);
      return await exchange();
    }).wrap(wire, fired);
  },
};

const hits = [
  "validation/writes-hit-their-rows/otherRowChanged",
  "validation/writes-hit-their-rows/notAsWritten",
] as const;

export const dataFaults: readonly Member[] = [
  member(
    "data",
    "COUNT(*) without WHERE counts deleted rows as well",
    ["validation/counts-are-right/wrongCount"],
    countDeletedRows,
  ),
  member(
    "data",
    "UPDATE and DELETE always report one changed row",
    ["validation/counts-are-right/wrongRowCount"],
    changeResult("alwaysReportOneRow", /^(UPDATE|DELETE) /i, (result) => ({ ...result, row_count: 1 })),
  ),
  member(
    "data",
    "An INSERT of an existing key is acknowledged and not stored",
    ["validation/duplicate-key-refused/accepted", "validation/duplicate-key-refused/severalWinners"],
    acceptRefused("acknowledgeDuplicateKeys", /^INSERT/i, /primary key violation/i),
  ),
  member(
    "data",
    "An UPDATE by key changes the row with the next key",
    hits,
    sendInstead("updateTheNextRow", /^UPDATE [\s\S]* WHERE id = -?\d+$/i, (sql) =>
      sql.replace(/-?\d+$/, (id) => String(BigInt(id) + 1n)),
    ),
  ),
  member(
    "data",
    "A DELETE by key takes the row with the next key, too",
    hits,
    sendInstead("deleteTheNextRowToo", /^DELETE FROM \S+ WHERE id = -?\d+$/i, (sql) =>
      sql.replace(/id = (-?\d+)$/, (_, id: string) => `id IN (${id}, ${BigInt(id) + 1n})`),
    ),
  ),
  member(
    "data",
    "An UPDATE of a range leaves out its upper end",
    hits,
    sendInstead("leaveOutTheUpperEnd", /^UPDATE [\s\S]*BETWEEN \S+ AND \S+/i, (sql) =>
      sql.replace(/(\w+) BETWEEN (\S+) AND (\S+)/i, "$1 >= $2 AND $1 < $3"),
    ),
  ),
  member(
    "data",
    "A DELETE of text is acknowledged and does nothing",
    hits,
    sqlFault("ignoreDeletesByText", (sql) =>
      /^DELETE FROM \S+ WHERE \w+ = '/i.test(sql) ? Promise.resolve(acknowledged(1, "Deleted 1 row(s)")) : undefined,
    ),
  ),
  member(
    "data",
    "Every twelfth UPDATE is acknowledged and lost",
    ["subscriptions/every-change-arrives/lostInData", "validation/writes-hit-their-rows/notAsWritten"],
    forgetEvery("loseEveryTwelfthUpdate", 12, /^UPDATE/i),
  ),
  member(
    "data",
    "An UPDATE to NULL stores an empty text",
    ["validation/writes-hit-their-rows/notAsWritten"],
    sendInstead("storeEmptyTextForNull", /^UPDATE \S+ SET \w+ = NULL/i, (sql) => sql.replace(/= NULL/i, "= ''")),
  ),
  member(
    "data",
    "A flush loses the row that was inserted last",
    ["validation/writes-hit-their-rows/changedByFlush", "validation/clauses-answer-right/wrongAnswer"],
    loseTheLastRowInAFlush,
  ),
  member(
    "data",
    "A refused INSERT of several rows leaves the first",
    ["validation/duplicate-key-refused/changed", "validation/not-null-holds/partial"],
    keepTheFirstOfARefusedInsert,
  ),
  member(
    "data",
    "NULL in a NOT NULL column is acknowledged",
    ["validation/not-null-holds/accepted"],
    acceptRefused("acceptNullAnywhere", /^(INSERT|UPDATE)/i, /not null|null value/i),
  ),
  member(
    "data",
    "A value of the wrong type is acknowledged and dropped",
    ["validation/wrong-types-refused/accepted", "validation/wrong-types-refused/coerced"],
    acceptRefused("acceptWrongTypes", /^(INSERT|UPDATE)/i, /cast|coerc|pars|type/i),
  ),
  member("data", "A batch goes on after a failing statement", ["cli/batch-stops-at-failure/ranOn"], runABatchToTheEnd),
  member(
    "data",
    "Transactions are run as plain batches",
    [
      "cli/batch-stops-at-failure/keptRows",
      "validation/duplicate-key-refused/changed",
      "validation/not-null-holds/partial",
    ],
    sendInstead("forgetTransactions", /^BEGIN; [\s\S]*; COMMIT;?$/i, (sql) =>
      sql.replace(/^BEGIN; /i, "").replace(/; COMMIT;?$/i, ""),
    ),
  ),
  member(
    "data",
    "Spaces at the end of a text are cut when it is read",
    ["validation/types-round-trip/changed", "validation/injection-stays-data/changed"],
    changeRows("cutSpacesAtTheEnd", ownSelect, (rows) => {
      const cut = mapTexts(rows, (text) => text.replace(/ +$/, "")) as typeof rows;
      return JSON.stringify(cut) === JSON.stringify(rows) ? undefined : cut;
    }),
  ),
];
