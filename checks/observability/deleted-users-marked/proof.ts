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
const used = {
  wrong: refused,
  right: { ...refused, kind: "in" as "in" | "refused" | "unsure", status: 200, outcome: "200" },
  query: yes(),
};
const first = {
  used,
  user: "kr_a1b2c_user_1",
  dropped: yes(),
  shown: "marked" as "marked" | "active" | "gone" | "unread",
  login: { first: refused, refusedAfterMs: 0 as number | null },
  token: { first: denied, refusedAfterMs: 0 as number | null },
  recreated: { said: taken, rows: null as number | null },
};
const second = {
  used,
  user: "kr_a1b2c_user_2",
  dropped: yes(),
  before: "marked" as "marked" | "active" | "gone" | "unread",
  wrong: refused,
  after: "marked" as "marked" | "active" | "gone" | "unread",
};
const sound = { first, second };
const withFirst = (change: Partial<typeof first>) => ({ ...sound, first: { ...first, ...change } });
const withSecond = (change: Partial<typeof second>) => ({ ...sound, second: { ...second, ...change } });
const unsure = { kind: "unsure" as const, status: 429, outcome: "429", exchange: 1 };
const stillIn = { first: { ...refused, kind: "in" as const, status: 200, outcome: "200" }, refusedAfterMs: 5_200 };

/** Turns refused logins into successful ones as soon as `from` is true. */
const letIn = (name: string, from: () => boolean): Fault => ({
  name,
  wrap: (wire, fired) => ({
    ...wire,
    async exchange(request) {
      const answer = await wire.exchange(request);
      const refusedLogin = request.path.endsWith("/auth/login") && answer.kind === "answered" && answer.status === 401;
      if (!refusedLogin || !from()) return answer;
      fired();
      return { ...answer, status: 200, body: new TextEncoder().encode('{"access_token":"of-a-dropped-user"}') };
    },
  }),
});
/** Lets a new account take a dropped name, together with its rows. */
let nameTaken = false;
const acceptTheName = sqlFault("acceptTheName", async (sql, _, exchange) => {
  if (!sql.startsWith("CREATE USER") && !/FROM \S+\.own_rows/.test(sql)) return undefined;
  const said = await exchange();
  if (said === undefined || said.status < 400) return undefined;
  nameTaken = true;
  const rows = { schema: [{ name: "id", data_type: "BigInt", index: 0 }], rows: [["1"]], row_count: 1 };
  return { status: 200, body: { status: "success", results: [rows], took: 1 } };
});
const acceptLogins = letIn("acceptLogins", () => nameTaken);
/** How often each account was looked up. */
const looks = new Map<string, number>();

export default proveCheck(deletedUsersMarked, {
  holds: [
    sound,
    withFirst({ shown: "gone", recreated: { said: yes(), rows: 0 } }),
    withSecond({ before: "gone", after: "gone" }),
  ],
  cannotTell: [
    // Not in use before the drop: nothing was cached.
    withFirst({ used: { ...used, right: refused } }),
    withSecond({ used: { ...used, right: refused } }),
    withSecond({ used: { ...used, query: nothing() } }),
    withSecond({ used: { ...used, wrong: unsure } }),
    withFirst({ dropped: nothing(), shown: "active", login: stillIn }),
    withFirst({ shown: "unread" }),
    withFirst({ login: { first: unsure, refusedAfterMs: 0 } }),
    withFirst({ token: { first: nothing(), refusedAfterMs: 0 } }),
    withFirst({ token: { first: no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429), refusedAfterMs: 0 } }),
    withFirst({ recreated: { said: nothing(), rows: null } }),
    withFirst({ recreated: { said: yes(), rows: null } }),
    withSecond({ after: "unread" }),
    withSecond({ wrong: unsure }),
  ],
  breaks: {
    looksActive: {
      seen: withFirst({ shown: "active" }),
      fault: changeColumn("hideTheMark", /FROM system\.users WHERE user_id = /, "deleted_at", () => null),
    },
    loginStillWorks: { seen: withFirst({ login: stillIn }), fault: letIn("acceptAnyPassword", () => true) },
    tokenStillWorks: {
      seen: withFirst({ token: { first: yes(), refusedAfterMs: null } }),
      fault: sqlFault("acceptAnyToken", async (sql, _, exchange) => {
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
      seen: withFirst({ recreated: { said: yes(), rows: 1 } }),
      fault: {
        name: "reuseTheName",
        wrap: (wire, fired) => acceptLogins.wrap(acceptTheName.wrap(wire, fired), fired),
      },
    },
    cameBack: {
      seen: withSecond({ after: "active" }),
      // The second look-up of an account shows it unmarked.
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
