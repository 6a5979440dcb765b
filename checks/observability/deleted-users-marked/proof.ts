import { changeColumn, sqlFault } from "../../../src/faults/sql.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { deletedUsersMarked } from "./index.ts";

const refused = {
  kind: "refused" as "in" | "refused" | "unsure",
  status: 401,
  outcome: "401 unauthorized",
  exchange: 1,
};
const denied = no("INVALID_CREDENTIALS", "Invalid credentials", "login", 401);
const taken = no("SQL_EXECUTION_ERROR", "Already exists: User already exists", "exists");
const first = {
  user: "kr_a1b2c_user_1",
  wrote: yes(),
  dropped: yes(),
  shown: "marked" as "marked" | "active" | "gone" | "unread",
  login: { atOnce: refused, refusedAfterMs: 0 as number | null },
  token: { atOnce: denied, refusedAfterMs: 0 as number | null },
  heir: { made: taken, rows: null as number | null },
};
const second = {
  user: "kr_a1b2c_user_2",
  dropped: yes(),
  before: "marked" as "marked" | "active" | "gone" | "unread",
  wrong: refused,
  after: "marked" as "marked" | "active" | "gone" | "unread",
};
const sound = { made: yes(), first, second };
const withFirst = (change: Partial<typeof first>) => ({ ...sound, first: { ...first, ...change } });
const withSecond = (change: Partial<typeof second>) => ({ ...sound, second: { ...second, ...change } });
const unsure = { kind: "unsure" as const, status: 429, outcome: "429", exchange: 1 };
const stillIn = { atOnce: { ...refused, kind: "in" as const, status: 200, outcome: "200" }, refusedAfterMs: 5_200 };

/** Answers a login that is refused as if it had been right, from a moment on. */
const letIn = (name: string, from: () => boolean): Fault => ({
  name,
  wrap: (wire, fired) => ({
    ...wire,
    async exchange(request) {
      const answer = await wire.exchange(request);
      const outside = request.path.endsWith("/auth/login") && answer.kind === "answered" && answer.status === 401;
      if (!outside || !from()) return answer;
      fired();
      return { ...answer, status: 200, body: new TextEncoder().encode('{"access_token":"of-a-ghost"}') };
    },
  }),
});
/** Lets a dropped account's name be taken again, with all that was its. */
let given = false;
const giveTheName = sqlFault("giveTheName", async (sql, _, exchange) => {
  if (!sql.startsWith("CREATE USER") && !/FROM \S+\.own_rows/.test(sql)) return undefined;
  const said = await exchange();
  if (said === undefined || said.status < 400) return undefined;
  given = true;
  const rows = { schema: [{ name: "id", data_type: "BigInt", index: 0 }], rows: [["1"]], row_count: 1 };
  return { status: 200, body: { status: "success", results: [rows], took: 1 } };
});
const letTheHeirIn = letIn("letTheHeirIn", () => given);
/** How often each account was looked at. */
const looks = new Map<string, number>();

export default proveCheck(deletedUsersMarked, {
  holds: [
    sound,
    withFirst({ shown: "gone", heir: { made: yes(), rows: 0 } }),
    withSecond({ before: "gone", after: "gone" }),
  ],
  cannotTell: [
    { ...sound, made: nothing() },
    withFirst({ wrote: nothing() }),
    withFirst({ dropped: nothing(), shown: "active", login: stillIn }),
    withFirst({ shown: "unread" }),
    withFirst({ login: { atOnce: unsure, refusedAfterMs: 0 } }),
    withFirst({ token: { atOnce: nothing(), refusedAfterMs: 0 } }),
    withFirst({ token: { atOnce: no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429), refusedAfterMs: 0 } }),
    withFirst({ heir: { made: nothing(), rows: null } }),
    withFirst({ heir: { made: yes(), rows: null } }),
    withSecond({ after: "unread" }),
    withSecond({ wrong: unsure }),
  ],
  breaks: {
    looksActive: {
      seen: withFirst({ shown: "active" }),
      fault: changeColumn("hideTheMark", /FROM system\.users WHERE user_id = /, "deleted_at", () => null),
    },
    loginStillWorks: { seen: withFirst({ login: stillIn }), fault: letIn("letEverybodyIn", () => true) },
    tokenStillWorks: {
      seen: withFirst({ token: { atOnce: yes(), refusedAfterMs: null } }),
      fault: sqlFault("trustEveryToken", async (sql, _, exchange) => {
        const said = sql === "SELECT 1 AS still_in" ? await exchange() : undefined;
        if (said?.status !== 401) return undefined;
        return {
          status: 200,
          body: {
            status: "success",
            results: [{ schema: [{ name: "still_in", data_type: "BigInt", index: 0 }], rows: [["1"]], row_count: 1 }],
            took: 1,
          },
        };
      }),
    },
    inheritsRows: {
      seen: withFirst({ heir: { made: yes(), rows: 1 } }),
      fault: {
        name: "giveTheNameAway",
        wrap: (wire, fired) => letTheHeirIn.wrap(giveTheName.wrap(wire, fired), fired),
      },
    },
    cameBack: {
      seen: withSecond({ after: "active" }),
      // The second look at the same account finds it unmarked.
      fault: changeColumn(
        "bringBackAfterAWrongPassword",
        /FROM system\.users WHERE user_id = /,
        "deleted_at",
        (cell, sql) => {
          looks.set(sql, (looks.get(sql) ?? 0) + 1);
          return looks.get(sql) === 1 ? cell : null;
        },
      ),
    },
  },
});
