/** Faults that show when many statements are in flight, and what a table keeps of its past. */
import type { Fault } from "../../proof.ts";
import { cellText, integerText, writeExact } from "../../wire/json.ts";
import { sqlFault, type Said } from "../sql.ts";
import { member, type Member } from "./member.ts";
import { acknowledged, errorIn, ownSelect, rowsIn } from "./shapes.ts";

/** While so many that match are in flight, further ones are acknowledged and lost. */
function loseWhenBusy(name: string, pattern: RegExp, inFlight: number): Fault {
  let open = 0;
  return sqlFault(name, async (sql, _, exchange) => {
    if (!pattern.test(sql)) return undefined;
    if (open >= inFlight) return acknowledged(1, "done");
    open += 1;
    await exchange();
    open -= 1;
    return undefined;
  });
}

/** Equal queries in flight share one answer, whoever asks. */
function shareAnswers(name: string): Fault {
  const open = new Map<string, Promise<Said | undefined>>();
  return sqlFault(name, async (sql, body, exchange) => {
    if (!ownSelect.test(sql)) return undefined;
    const key = writeExact(body);
    const running = open.get(key);
    if (running !== undefined) return await running;
    const own = exchange();
    open.set(key, own);
    await own;
    open.delete(key);
    return undefined;
  });
}

/** A SELECT that was asked some seconds ago is answered as it was then. */
function answerLate(name: string, afterMs: number): Fault {
  const known = new Map<string, { readonly said: Said; readonly at: number }>();
  return sqlFault(name, async (sql, body, exchange, headers) => {
    if (!ownSelect.test(sql)) return undefined;
    const key = `${headers["authorization"] ?? ""} ${writeExact(body)}`;
    const old = known.get(key);
    if (old !== undefined && performance.now() - old.at > afterMs) return old.said;
    const said = await exchange();
    if (said !== undefined && old === undefined) known.set(key, { said, at: performance.now() });
    return undefined;
  });
}

/** A column that is dropped and added again has the numbers and texts that it had before. */
const bringColumnsBack: Fault = {
  name: "bringColumnsBack",
  wrap(wire, fired) {
    const known = new Map<string, readonly (readonly [key: string, text: string])[]>();
    return sqlFault("", async (sql, _, exchange) => {
      const [, table = "", verb = "", column = ""] = /^ALTER TABLE (\S+) (DROP|ADD) COLUMN (\w+)/i.exec(sql) ?? [];
      const name = `${table}.${column}`;
      if (verb.toUpperCase() === "DROP") {
        const rows = rowsIn(await exchange(`SELECT id, ${column} FROM ${table} WHERE ${column} IS NOT NULL LIMIT 20`));
        known.set(
          name,
          (rows ?? []).map(([key, cell]) => [cellText(key ?? null), cellText(cell ?? null)] as const),
        );
        await exchange();
        return undefined;
      }
      const old = known.get(name) ?? [];
      if (verb === "" || old.length === 0) return undefined;
      const said = await exchange();
      if (errorIn(said) !== undefined) return undefined;
      for (const [key, text] of old)
        await exchange(
          `UPDATE ${table} SET ${column} = ${integerText(text) === undefined ? `'${text}'` : text} WHERE id = ${key}`,
        );
      return said;
    }).wrap(wire, fired);
  },
};

export const busyFaults: readonly Member[] = [
  member(
    "data",
    "INSERTs are lost while four are in flight",
    ["backpressure/many-clients-all-served/lostRows", "concurrency/parallel-inserts-all-land/lostRows"],
    loseWhenBusy("loseInsertsWhenBusy", /^INSERT/i, 3),
  ),
  member(
    "rights",
    "Equal queries in flight share one answer, whoever asks",
    ["configuration/parallel-answers-not-mixed/mixedUp", "validation/own-rows-only/foreignRows"],
    shareAnswers("shareAnswersInFlight"),
  ),
  member(
    "time",
    "Reads are answered as five seconds ago, if they were asked then",
    ["validation/reads-are-fresh/lostWrite"],
    answerLate("answerAsFiveSecondsAgo", 5_000),
    "standard",
  ),
  member(
    "data",
    "A column that is dropped and added again has its old values",
    ["durability/altered-rows-keep-values/lostValues"],
    bringColumnsBack,
  ),
];
