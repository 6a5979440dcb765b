import { changeColumn, changeRows } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { nothing, yes } from "../../vocabulary/evidence.ts";
import { usersListed } from "./index.ts";

const row = (user: string, role: string, change: object = {}) => ({
  user,
  role,
  kind: "password",
  lastLogin: "1000" as string | null,
  failed: "0" as string | null,
  ...change,
});
const others = [row("kr_a1b2c_service_2", "service"), row("kr_a1b2c_dba_1", "dba")];
const user = "kr_a1b2c_user_3";
const look = (change: object = {}) => ({ said: yes(), rows: [row(user, "user", change), ...others] });
const unread = { said: nothing(), rows: null };
const login = (kind: "in" | "refused" | "unsure") => ({
  kind,
  status: kind === "in" ? 200 : 401,
  outcome: kind,
  exchange: 1,
});
const sound = {
  accounts: look().rows.map(({ user: name, role }) => ({ user: name, role })),
  before: look(),
  entered: login("in"),
  afterLogin: look({ lastLogin: "2000" }),
  wrong: [login("refused"), login("refused")],
  afterWrong: look({ lastLogin: "2000", failed: "2" }),
};

export default proveCheck(usersListed, {
  holds: [sound, { ...sound, before: look({ lastLogin: null }) }],
  cannotTell: [
    { ...sound, before: unread },
    { ...sound, afterLogin: unread },
    { ...sound, entered: login("unsure") },
    { ...sound, wrong: [login("refused"), login("unsure")] },
    { ...sound, wrong: [] },
    { ...sound, afterWrong: look({ lastLogin: "2000", failed: null }) },
  ],
  breaks: {
    missing: {
      seen: { ...sound, before: { said: yes(), rows: others } },
      fault: changeRows("leaveOneOut", /FROM system\.users WHERE user_id IN/, (rows) => rows.slice(1)),
    },
    wrong: {
      seen: { ...sound, before: look({ role: "dba" }) },
      fault: changeColumn("showAllAsDba", /FROM system\.users WHERE user_id IN/, "role", () => "dba"),
    },
    frozen: {
      seen: { ...sound, afterLogin: look() },
      fault: changeColumn("hideTheLastLogin", /FROM system\.users WHERE user_id IN/, "last_login_at", () => null),
    },
  },
});
