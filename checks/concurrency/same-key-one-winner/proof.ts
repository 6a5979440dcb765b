import { acknowledgeLosers, refuseWhatWasDone } from "../../../src/faults/races.ts";
import { errorBody, sqlFault } from "../../../src/faults/sql.ts";
import type { Operation, Values } from "../../../src/history/history.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing } from "../../vocabulary/evidence.ts";
import { sentBy } from "../evidence.ts";
import { sameKeyOneWinner } from "./index.ts";

const keys = 5;
const coldSince = 1_000;
/** Four clients for each key; the second one wins. */
const round = (base: number, wins: (client: number) => boolean): Operation[] =>
  Array.from({ length: 4 * keys }, (_, n): Operation => {
    const [key, client] = [String(Math.floor(n / 4)), n % 4];
    const at = base + 20 * Math.floor(n / 4) + client;
    return {
      ...sentBy(client, base + n, at, 10, wins(client) ? "ok" : "refused"),
      kind: "insert",
      key,
      values: { mark: `${base}-${client}-${key}` },
    };
  });
const hot = round(0, (client) => client === 1);
const cold = round(coldSince, () => false);
const stored: readonly Values[] = Array.from({ length: keys }, (_, key) => ({ id: key, mark: `0-1-${key}` }));
const read = (at: number, rows = stored): Operation => ({ ...sentBy(9, at, at, 5), kind: "read", key: null, rows });
const duplicate = no("SQL_EXECUTION_ERROR", "Already exists: Primary key violation", "constraint");
const seenOf = (change: object = {}) => ({
  operations: [...hot, read(200), read(300), ...cold, read(2_000)],
  refusals: [duplicate],
  apart: [],
  cold: { shared: keys },
  coldSince,
  ...change,
});
const unsureInserts = hot.map((one) => (one.client === 3 ? { ...one, outcome: "unsure" as const } : one));
const insert = /^INSERT INTO \S+\.won /;

export default proveCheck(sameKeyOneWinner, {
  holds: [
    seenOf(),
    // One that was not answered may have won.
    seenOf({
      operations: [
        ...hot.map((one) => (one.key === "2" && one.outcome === "ok" ? { ...one, outcome: "unsure" as const } : one)),
        read(200),
        read(300),
        ...cold,
        read(2_000),
      ],
    }),
    seenOf({ refusals: [duplicate, no("SQL_EXECUTION_ERROR", "write conflict, try again", "unrecognised", 409)] }),
  ],
  cannotTell: [
    seenOf({ operations: [...hot, read(200)] }),
    seenOf({ operations: [...hot.filter(({ client }) => client === 1), read(200), read(300), ...cold, read(2_000)] }),
    seenOf({ operations: [...hot, read(200), read(300), ...cold] }),
    seenOf({ operations: [...hot, read(200), read(300), read(2_000)] }),
    seenOf({ operations: [...unsureInserts, read(200), read(300), ...cold, read(2_000)], refusals: [nothing()] }),
    seenOf({ apart: hot.filter(({ client }) => client === 3).map(({ statement }) => statement) }),
    seenOf({ cold: "system.manifest could not be read" }),
    seenOf({ cold: { shared: 0 } }),
  ],
  breaks: {
    severalWinners: {
      seen: seenOf({
        operations: [
          ...hot,
          read(200),
          read(300),
          ...cold.map((one, n) => (n === 5 ? { ...one, outcome: "ok" as const } : one)),
          read(2_000),
        ],
      }),
      fault: acknowledgeLosers("twoWinnersOnceInTwenty", insert, 20),
    },
    noWinner: {
      seen: seenOf({
        operations: [
          ...hot.map((one) => (one.key === "3" ? { ...one, outcome: "refused" as const } : one)),
          read(200, stored.slice(0, 3)),
          read(300),
          ...cold,
          read(2_000),
        ],
      }),
      // What was done and refused is stored all the same.
      also: ["wrongSurvivor"],
      fault: refuseWhatWasDone("everybodyLoses", /^INSERT INTO \S+\.won .*VALUES \(3, /, 1),
    },
    wrongSurvivor: {
      seen: seenOf({
        operations: [
          ...hot,
          read(200),
          read(
            300,
            stored.map((row) => (row["id"] === 4 ? { ...row, mark: "0-2-4" } : row)),
          ),
          ...cold,
          read(2_000),
        ],
      }),
      fault: sqlFault("theLastOneOverwrites", async (sql, _, exchange) => {
        const [, table, key, mark] = /^INSERT INTO (\S+\.won) .*VALUES \((3), '(.*)'\)$/.exec(sql) ?? [];
        if (mark === undefined) return undefined;
        const said = await exchange();
        if (said === undefined || said.status < 400) return undefined;
        await exchange(`UPDATE ${table} SET mark = '${mark}' WHERE id = ${key}`);
        return said;
      }),
    },
    unclearRefusal: {
      seen: seenOf({ refusals: [no("SQL_EXECUTION_ERROR", "Invalid operation: no", "rule")] }),
      fault: sqlFault("refuseWithoutReason", async (sql, _, exchange) => {
        const said = insert.test(sql) ? await exchange() : undefined;
        if (said === undefined || said.status < 400) return undefined;
        return { status: 400, body: errorBody("SQL_EXECUTION_ERROR", "Statement 1 failed: Invalid operation: no") };
      }),
    },
  },
  mayBeLost: [
    {
      what: /^INSERT INTO \S+\.won /,
      because: "one of several clients that want the same key, and those in flight together are counted",
    },
  ],
});
