import { loseWrites } from "../../../src/faults/races.ts";
import { actAs, changeRows } from "../../../src/faults/sql.ts";
import type { Operation, Values } from "../../../src/history/history.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { sentBy } from "../evidence.ts";
import { sharedTableManyWriters } from "./index.ts";

const inserts = Array.from({ length: 15 }, (_, n): Operation => ({
  ...sentBy(n % 5, n, 10 * Math.floor(n / 5), 8),
  kind: "insert",
  key: String(n),
  values: { author: `author ${n % 5}` },
}));
const rows: readonly Values[] = inserts.map((_, n) => ({ id: String(n), author: `author ${n % 5}` }));
const keys = rows.map((_, n) => String(n));
const final = (shown: readonly Values[] | null): Operation => ({
  ...sentBy(99, 100, 100, 5),
  kind: "read",
  key: null,
  rows: shown,
});
const denied = no("PERMISSION_DENIED", "insufficient privileges", "permission", 403);
const attempts = [5, 6, 7, 8, 9].map((user) => ({ user, said: denied }));
const view = { said: yes(), keys };
const views = attempts.map(() => view);
const seenOf = (change: object = {}) => ({ operations: [...inserts, final(rows)], attempts, views, ...change });
const [, ...others] = attempts;

export default proveCheck(sharedTableManyWriters, {
  holds: [seenOf()],
  cannotTell: [
    seenOf({ operations: inserts }),
    seenOf({
      operations: [...inserts.map((one, n) => (n === 3 ? { ...one, outcome: "unsure" as const } : one)), final(rows)],
    }),
    seenOf({ operations: [final([])] }),
    seenOf({ attempts: others }),
    seenOf({ attempts: [{ user: 5, said: nothing() }, ...others] }),
    seenOf({ attempts: [{ user: 5, said: no("INVALID_SQL", "syntax", "parse") }, ...others] }),
    seenOf({ views: [{ said: nothing(), keys: null }, ...views.slice(1)] }),
    seenOf({
      operations: [
        ...inserts.map((one, n) => ({ ...one, invokedAt: 10 * n, returnedAt: 10 * n + 8 })),
        { ...final(rows), invokedAt: 500, returnedAt: 501 },
      ],
    }),
  ],
  breaks: {
    lostRows: {
      seen: seenOf({
        operations: [...inserts, final(rows.map((row) => (row["id"] === "3" ? { ...row, author: "author 1" } : row)))],
      }),
      fault: loseWrites("loseOneServicesRow", /^INSERT INTO \S+\.published .*'author 3'/, 3),
    },
    userWrote: {
      seen: seenOf({ attempts: [{ user: 5, said: yes() }, ...others] }),
      fault: actAs(
        "letUsersWrite",
        /^INSERT INTO \S+\.published .*'author 0'/,
        /^INSERT INTO \S+\.published .*'author [5-9]'/,
      ),
    },
    userCannotRead: {
      seen: seenOf({ views: [{ said: yes(), keys: keys.slice(1) }, ...views.slice(1)] }),
      fault: hideFromSomeReads(),
    },
  },
});

/** The first read is the operator's, the others are the users'. */
function hideFromSomeReads() {
  let reads = 0;
  return changeRows("hideNewRowsFromUsers", /^SELECT id, author FROM \S+\.published /, (all) => {
    reads += 1;
    return reads === 1 ? undefined : all.slice(0, -1);
  });
}
