import { keepOldPasswords, loseNewPasswords } from "../../../src/faults/gallery/passwords.ts";
import { actAs } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import type { LoginSaid } from "../../vocabulary/logins.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { powers, powersOverSystem } from "./administration.ts";
import { userAdministrationGuarded } from "./index.ts";

const denied = no("PERMISSION_DENIED", "Admin privileges required", "permission", 403);
const tried = ["user", "service", "dba"].flatMap((role) =>
  (role === "dba" ? powersOverSystem : powers)
    .filter(({ serviceMay }) => role === "user" || serviceMay !== true)
    .map(({ name, finding }) => ({
      case: name,
      role,
      finding,
      alsoRefusedBy: name === "create a topic" ? ("parse" as const) : ("none" as const),
      said: denied,
    })),
);
const looks = ["start", "user", "service", "dba"].map((after) => ({ after, shown: "[[]]" as string | null }));
const logged = (kind: LoginSaid["kind"]): LoginSaid => ({ kind, status: 200, outcome: kind, exchange: 1 });
const always = (kind: LoginSaid["kind"]) => ({ first: logged(kind), last: logged(kind) });
const change = {
  user: "kr_a1b2c_user_5",
  changed: yes(),
  newOne: always("in"),
  oldOne: always("refused"),
};
const withChange = (other: Partial<typeof change>) => ({ ...sound, change: { ...change, ...other } });
const sound = {
  tried,
  looks,
  wanted: tried.filter(({ role }) => role !== "dba").length,
  controls: ["CREATE USER", "ALTER USER", "DROP USER", "CREATE NAMESPACE", "DROP NAMESPACE"].map((name) => ({
    name,
    works: true,
    message: "",
  })),
  change,
  login: 200 as number | null,
  production: false,
};
const withAnswer = (name: string, said: (typeof tried)[number]["said"], role = "user") => ({
  ...sound,
  tried: tried.map((one) => (one.case === name && one.role === role ? { ...one, said } : one)),
});
/** Only the administrator sends this. */
const administrator = /^SELECT user_id, role, email, deleted_at FROM system\.users/;
const lower = tried.filter(({ role }) => role !== "dba");

export default proveCheck(userAdministrationGuarded, {
  holds: [
    sound,
    { ...sound, tried: lower, looks: looks.slice(0, 3), production: true },
    withAnswer("create a topic", no("INVALID_SQL", "not a statement", "parse")),
    withAnswer("create a dba after a query", { ...denied, why: "batchPart" }),
  ],
  cannotTell: [
    withAnswer("create an account", nothing()),
    withAnswer("create an account", no("INVALID_SQL", "not a statement", "parse")),
    withAnswer("create a dba after a query", no("SQL_EXECUTION_ERROR", "Statement 2 failed", "batchPart")),
    { ...sound, tried: tried.slice(1) },
    { ...sound, tried: lower },
    { ...sound, looks: looks.map((one) => ({ ...one, shown: null })) },
    { ...sound, looks: looks.slice(0, 2) },
    { ...sound, login: null },
    { ...sound, login: 429 },
    withChange({ changed: nothing(), newOne: always("refused"), oldOne: always("in") }),
    withChange({ newOne: always("unsure") }),
    withChange({ newOne: { first: logged("refused"), last: logged("in") } }),
    withChange({ newOne: { first: logged("refused"), last: logged("unsure") } }),
    withChange({ oldOne: always("unsure") }),
    withChange({ oldOne: { first: logged("in"), last: logged("refused") } }),
    withChange({ oldOne: { first: logged("in"), last: logged("unsure") } }),
    { ...sound, controls: [] },
    { ...sound, controls: sound.controls.map((one) => ({ ...one, works: false })) },
  ],
  breaks: {
    escalated: {
      also: ["accepted", "smuggled"],
      seen: withAnswer("create a system account", yes(), "dba"),
      fault: actAs("raiseRoleAsAdministrator", administrator, /^ALTER USER '\w+' SET ROLE dba$/),
    },
    smuggled: {
      seen: withAnswer("create a dba after a comment", yes()),
      fault: actAs("skipPermissionCheckAfterComment", administrator, /^\/\*.*\*\/ CREATE USER/),
    },
    accepted: {
      seen: { ...sound, looks: looks.map((one, at) => (at === 0 ? one : { ...one, shown: "[[1]]" })) },
      fault: actAs("createNamespaceAsAdministrator", administrator, /^CREATE NAMESPACE \w+_planted$/),
    },
    oldPasswordWorks: {
      seen: withChange({ oldOne: always("in") }),
      fault: keepOldPasswords("acceptOldPasswordsToo"),
    },
    newPasswordFails: {
      seen: withChange({ newOne: always("refused") }),
      also: ["oldPasswordWorks"],
      fault: loseNewPasswords,
    },
  },
  mayBeLost: [
    {
      what: /_system'/,
      because: "the sentence tells how many were tried by a dba; an account that is left is removed with the run",
    },
  ],
});
