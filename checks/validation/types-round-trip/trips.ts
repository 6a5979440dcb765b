/** Round trips of values: written as a literal and as a parameter, read back immediately and after a flush. */
import type { Context } from "../../../src/check.ts";
import type { Json } from "../../../src/wire/json.ts";
import {
  integerText,
  outcomeOf,
  saidOf,
  isCleanRefusal,
  type Account,
  type Answer,
  type Target,
  truncated,
} from "../../../src/server/target.ts";
import { flushAll, type Flushed } from "../../vocabulary/jobs.ts";
import { askedTwice } from "../../vocabulary/second-look.ts";
import { createTable } from "../../vocabulary/tables.ts";
import { edgeTypes, type EdgeType, type EdgeValue } from "./edge-values.ts";

const accountCount = 3;
/** Flushed at light effort, too; durability/flush-changes-nothing compares values of all types before and after a flush. */
const flushedAtLight = new Set(["BIGINT", "DECIMAL(18, 4)", "TEXT"]);
/** Left out at light effort: types that are much like others. */
const likeOthers = new Set(["SMALLINT", "DATETIME"]);
/** A value is to blame for a broken connection only if each of so many looks at it breaks. */
const looksMax = 4;

/** What was read for a value. `odd`: in an unknown format; `unread`: no answer, perhaps for unrelated reasons. */
export type Got = { readonly is: "value" | "null" | "gone" | "unreadable" | "odd" | "unread"; readonly text: string };
export type Trip = {
  readonly value: string;
  readonly way: "literal" | "parameter";
  readonly wrote: string;
  readonly want: readonly string[] | null;
  readonly mayRefuse: boolean;
  /** What became of the INSERT. */
  readonly taken: "ok" | "refused" | "unsure";
  readonly message: string;
  readonly before: Got;
  readonly after: Got;
  readonly exchange: number;
};
export type TypeSeen = {
  readonly type: string;
  readonly hasDigits: boolean;
  readonly isOffered: boolean;
  /** Why nobody knows whether it is offered; null if that is known. */
  readonly unanswered: string | null;
  readonly trips: readonly Trip[];
};

interface Written {
  readonly n: number;
  readonly value: EdgeValue;
  readonly way: Trip["way"];
  readonly answer: Answer;
}
const nullValue: EdgeValue = { name: "NULL", literal: "NULL", param: null, want: [] };

/** The table of one type, used by one account. */
class TypeTable {
  readonly table: string;
  readonly type: EdgeType;
  readonly as: Account;
  written: readonly Written[] = [];
  isOffered = false;
  unanswered: string | null = null;
  readonly #target: Target;

  constructor(target: Target, as: Account, namespace: string, type: EdgeType) {
    this.#target = target;
    this.as = as;
    this.type = type;
    this.table = `${namespace}.t_${type.type
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, "_")
      .replace(/_$/, "")}`;
  }

  async write(): Promise<void> {
    const { type, isKey } = this.type;
    const columns = isKey === true ? `n INT, v ${type}` : `n INT PRIMARY KEY, v ${type}`;
    const made = await this.#target.sql(this.as, createTable(this.table, { type: "SHARED", columns }));
    this.isOffered = made.kind === "ok";
    this.unanswered = made.kind === "unsure" && made.because !== "unrecognised" ? outcomeOf(made) : null;
    if (!this.isOffered) return;
    const values = isKey === true ? this.type.values : [...this.type.values, nullValue];
    const literals = values.filter(({ literal }) => literal !== undefined).map((value, at) => ({ n: at + 1, value }));
    const params = values.filter(({ param }) => param !== undefined).map((value, at) => ({ n: at + 101, value }));
    this.written = [
      ...(await this.#insert(literals, "literal", (some) => ({
        rows: some.map(({ n, value }) => `(${n}, ${value.literal ?? "NULL"})`),
      }))),
      ...(await this.#insert(params, "parameter", (some) => ({
        rows: some.map((_, at) => `($${2 * at + 1}, $${2 * at + 2})`),
        params: some.flatMap(({ n, value }) => [n, value.param ?? null]),
      }))),
    ];
  }

  /** All in one statement; if the server refuses it, each by itself. */
  async #insert(
    all: readonly { readonly n: number; readonly value: EdgeValue }[],
    way: Trip["way"],
    put: (some: typeof all) => { readonly rows: readonly string[]; readonly params?: readonly Json[] },
  ): Promise<Written[]> {
    const send = async (some: typeof all): Promise<Answer> => {
      const { rows, params } = put(some);
      return await this.#target.sql(
        this.as,
        `INSERT INTO ${this.table} (n, v) VALUES ${rows.join(", ")}`,
        params === undefined ? {} : { params },
      );
    };
    const common = all.filter(({ value }) => value.mayRefuse !== true);
    const alone = all.filter(({ value }) => value.mayRefuse === true);
    const together = common.length === 0 ? undefined : await send(common);
    // Refused as a whole: send each by itself. If it may have been executed, do not send it again.
    const isDone = together === undefined || together.kind === "ok" || !isCleanRefusal(saidOf(together));
    const written: Written[] =
      isDone && together !== undefined ? common.map(({ n, value }) => ({ n, value, way, answer: together })) : [];
    for (const one of isDone ? alone : all) written.push({ ...one, way, answer: await send([one]) });
    return written;
  }

  async read(): Promise<ReadonlyMap<number, Got>> {
    const ask = async (): Promise<Answer> =>
      await this.#target.sql(this.as, `SELECT n, v FROM ${this.table} ORDER BY n LIMIT 500`);
    const { last: answer } = await askedTwice(ask, ({ kind }) => kind === "unsure");
    const got = new Map<number, Got>();
    if (answer.kind === "ok") {
      for (const [n, cell] of answer.results[0]?.rows ?? []) got.set(Number(integerText(n)), this.#got(cell ?? null));
      for (const { n } of this.written) if (!got.has(n)) got.set(n, { is: "gone", text: "" });
      return got;
    }
    // One value may make the whole result unreadable: find it.
    for (const { n, answer: taken } of this.written) if (taken.kind === "ok") got.set(n, await this.#readOne(n));
    return got;
  }

  async #readOne(n: number): Promise<Got> {
    const sql = `SELECT v FROM ${this.table} WHERE n = ${n} LIMIT 1`;
    let answer = await this.#target.sql(this.as, sql);
    // Of many rows on a bad line, some are lost twice.
    for (let look = 2; look <= looksMax && answer.kind === "unsure"; look += 1)
      answer = await this.#target.sql(this.as, sql);
    if (answer.kind === "ok") {
      const [row] = answer.results[0]?.rows ?? [];
      return row === undefined ? { is: "gone", text: "" } : this.#got(row[0] ?? null);
    }
    const isBroken =
      answer.kind === "unsure"
        ? ["reset", "cut", "malformed"].includes(answer.because)
        : isCleanRefusal(saidOf(answer));
    const got = { is: "unread", text: outcomeOf(answer) } as const;
    if (!isBroken) return got;
    // The value is to blame only if the row can be read without it.
    const beside = await this.#target.sql(this.as, `SELECT n FROM ${this.table} WHERE n = ${n} LIMIT 1`);
    const isThere = beside.kind === "ok" && beside.results[0]?.rows.length === 1;
    return isThere ? { ...got, is: "unreadable" } : got;
  }

  #got(cell: Json): Got {
    if (cell === null) return { is: "null", text: "" };
    const text = this.type.form(cell);
    return text === undefined ? { is: "odd", text: truncated(JSON.stringify(cell), 200) } : { is: "value", text };
  }
}

const unread: Got = { is: "unread", text: "it was not read" };

function seenOf(table: TypeTable, before: ReadonlyMap<number, Got>, after: ReadonlyMap<number, Got>): TypeSeen {
  const trips = table.written.map(({ n, value, way, answer }): Trip => {
    const written = way === "literal" ? value.literal : JSON.stringify(value.param);
    return {
      value: value.name,
      way,
      wrote: written ?? "",
      want: value === nullValue ? null : value.want,
      mayRefuse: value.mayRefuse === true,
      taken: answer.kind === "ok" ? "ok" : isCleanRefusal(saidOf(answer)) ? "refused" : "unsure",
      message: answer.kind === "ok" ? "" : truncated(answer.message, 300),
      before: before.get(n) ?? unread,
      after: after.get(n) ?? unread,
      exchange: answer.exchange,
    };
  });
  return {
    type: table.type.type,
    hasDigits: table.type.hasDigits === true,
    isOffered: table.isOffered,
    unanswered: table.unanswered,
    trips,
  };
}

export async function observeTypes(
  target: Target,
  context: Context,
): Promise<{ types: readonly TypeSeen[]; flushed: readonly Flushed[]; toFlush: number }> {
  const accounts = await Promise.all(
    Array.from({ length: accountCount }, async (_, at) => await target.account("dba", String(at))),
  );
  const tried = edgeTypes.filter(({ type }) => context.effort !== "light" || !likeOthers.has(type));
  const shares = accounts.map((as, share) =>
    tried
      .filter((_, at) => at % accountCount === share)
      .map((type) => new TypeTable(target, as, context.scratch, type)),
  );
  const seen = await Promise.all(
    shares.map(async (share) => {
      for (const table of share) await table.write();
      const offered = share.filter(({ isOffered }) => isOffered);
      const before = new Map<TypeTable, ReadonlyMap<number, Got>>();
      for (const table of offered) before.set(table, await table.read());
      const [first] = share;
      const toFlush = offered.filter(({ type }) => context.effort !== "light" || flushedAtLight.has(type.type));
      const flushed =
        first === undefined
          ? []
          : await flushAll(
              target,
              context,
              first.as,
              toFlush.map(({ table }) => table),
            );
      const types: TypeSeen[] = [];
      for (const table of share) {
        const read = before.get(table) ?? new Map<number, Got>();
        types.push(seenOf(table, read, toFlush.includes(table) ? await table.read() : read));
      }
      return { types, flushed, toFlush: toFlush.length };
    }),
  );
  return {
    types: seen.flatMap(({ types }) => types),
    flushed: seen.flatMap(({ flushed }) => flushed),
    toFlush: seen.reduce((sum, { toFlush }) => sum + toFlush, 0),
  };
}
