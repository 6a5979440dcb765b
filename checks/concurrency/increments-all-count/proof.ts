import { loseWrites, readThenWrite, repeatWrites } from "../../../src/faults/races.ts";
import type { Operation, OperationOutcome } from "../../../src/history/history.ts";
import { proveCheck } from "../../../src/proof.ts";
import { sentBy } from "../evidence.ts";
import { incrementsAllCount } from "./index.ts";

const update = (n: number, client: number, outcome: OperationOutcome = "ok"): Operation => ({
  ...sentBy(client, n, client === 0 ? 10 * n : n, 8, outcome),
  kind: "update",
  key: "2",
  values: {},
});
const read = (n: number | null): Operation => ({
  ...sentBy(0, 900, 900, 5),
  kind: "read",
  key: "2",
  rows: n === null ? null : [{ n: String(n) }],
});
const control = [...Array.from({ length: 5 }, (_, n) => update(n, 0)), read(5)];
const many = (outcome: OperationOutcome = "ok"): Operation[] =>
  Array.from({ length: 20 }, (_, n) => update(n, 1 + (n % 5), n === 3 ? outcome : "ok"));

export default proveCheck(incrementsAllCount, {
  holds: [
    { control, raced: [...many(), read(20)] },
    { control, raced: [...many("unsure"), read(20)] },
    { control, raced: [...many("unsure"), read(19)] },
    { control, raced: [...many("refused"), read(19)] },
    // Late, and then there.
    { control, raced: [...many(), { ...read(18), returnedAt: 904 }, read(20)] },
  ],
  cannotTell: [
    { control, raced: many() },
    { control: [], raced: [...many(), read(20)] },
    { control, raced: [...many().slice(0, 5), read(5)] },
    { control, raced: [...many().map((one, n) => ({ ...one, invokedAt: 10 * n, returnedAt: 10 * n + 5 })), read(20)] },
    { control, raced: [...many(), read(null)] },
  ],
  breaks: {
    lostUpdates: {
      seen: { control, raced: [...many(), read(17)] },
      fault: readThenWrite("incrementWithoutLock", /SET n = n \+ 1 WHERE id = 2$/, {
        read: (sql) => sql.replace(/^UPDATE (\S+) SET n = n \+ 1/, "SELECT n FROM $1"),
        write: (sql, value) => sql.replace("n + 1", String(value + 1)),
      }),
    },
    extraUpdates: {
      seen: { control, raced: [...many("refused"), read(20)] },
      fault: repeatWrites("sendOneUpdateAgain", /SET n = n \+ 1 WHERE id = 2$/, 10),
    },
    controlWrong: {
      seen: { control: [...control.slice(0, 5), read(4)], raced: [...many(), read(20)] },
      fault: loseWrites("loseEveryThirdUpdate", /SET n = n \+ 1 WHERE id = 1$/, 3),
    },
  },
  mayBeLost: [{ what: /^UPDATE /, because: "one of many, and the sentence tells how many were not answered" }],
});
