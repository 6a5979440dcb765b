import type { Settings } from "../settings.ts";
import { dialect } from "../dialect.ts";
import { recordAction } from "../store/audit.ts";
import type { Engine } from "../store/engine.ts";
import { hash, matches, passwordProblem } from "../store/passwords.ts";
import { isAdmin, titled, type Account, type Role } from "../store/roles.ts";
import { denied, failed, invalid, Refusal } from "./errors.ts";
import { refuseRest } from "./names.ts";
import { done, type Outcome, type Session } from "./session.ts";
import { valueOf, type Reader } from "./tokens.ts";

const roles: Readonly<Record<string, Role>> = {
  dba: "dba",
  admin: "dba",
  developer: "user",
  analyst: "user",
  viewer: "user",
  user: "user",
  service: "service",
  system: "system",
};

/** An account as the login endpoints show it; times as ISO text. */
export interface Profile {
  readonly id: string;
  readonly role: Role;
  readonly email: string | null;
  readonly created_at: string;
  readonly updated_at: string;
}

/** Roles from the lowest up. */
const ranks: readonly Role[] = ["user", "service", "dba", "system"];

const wrongPasswordsMax = 5;
const lockMinutes = 15;

const isoTime = `to_char(%s, 'YYYY-MM-DD"T"HH24:MI:SS.MS"+00:00"')`;
const profileColumns = `user_id, role, email, ${isoTime.replace("%s", "created_at")}, ${isoTime.replace("%s", "updated_at")}`;

/** The account with that name, unless it was dropped. */
export function findProfile(engine: Engine, name: string): Profile | undefined {
  const [row] = engine.query(`SELECT ${profileColumns} FROM system.users WHERE user_id = $1 AND deleted_at IS NULL`, [
    name,
  ]);
  if (row === undefined) return undefined;
  const [id = "", role, email = null, created_at = "", updated_at = ""] = row;
  return { id: id ?? "", role: role as Role, email, created_at: created_at ?? "", updated_at: updated_at ?? "" };
}

export type Login =
  | { readonly kind: "in"; readonly profile: Profile }
  | { readonly kind: "wrong" }
  | { readonly kind: "locked"; readonly minutes: number }
  | { readonly kind: "unset" };

export function logIn(engine: Engine, name: string, password: string, address: string, settings: Settings): Login {
  const [row] = engine.query(
    `SELECT password_hash, ceil(extract(epoch FROM locked_until - now()) / 60) FROM system.users WHERE user_id = $1 AND deleted_at IS NULL`,
    [name],
  );
  const [stored = "", minutes] = row ?? [];
  if (Number(minutes ?? 0) > 0) return { kind: "locked", minutes: Number(minutes) };
  if (row !== undefined && stored === "" && password === "") return { kind: "unset" };
  const right = matches(password, stored ?? "", settings["auth.bcrypt_cost"]);
  if (row === undefined) return { kind: "wrong" };
  const act = { engine, account: { user: name }, address };
  if (!right) {
    engine.query(
      `UPDATE system.users SET failed_login_attempts = failed_login_attempts + 1, locked_until = CASE
         WHEN failed_login_attempts + 1 >= ${wrongPasswordsMax} THEN now() + interval '${lockMinutes} minutes' END WHERE user_id = $1`,
      [name],
    );
    recordAction(act, "LOGIN_FAILED", `user:${name}`);
    return { kind: "wrong" };
  }
  engine.query(
    "UPDATE system.users SET failed_login_attempts = 0, locked_until = NULL, last_login_at = now(), last_seen = now() WHERE user_id = $1",
    [name],
  );
  recordAction(act, "LOGIN", `user:${name}`);
  const profile = findProfile(engine, name);
  return profile === undefined ? { kind: "wrong" } : { kind: "in", profile };
}

export const needsSetup = (engine: Engine): boolean =>
  engine.query("SELECT 1 FROM system.users WHERE user_id = 'root' AND password_hash = ''").length > 0;

/** Sets root's password during setup. */
export function setRootPassword(engine: Engine, password: string, settings: Settings): void {
  engine.query("UPDATE system.users SET password_hash = $1, updated_at = now() WHERE user_id = 'root'", [
    hash(password, settings["auth.bcrypt_cost"]),
  ]);
}

interface NewAccount {
  readonly name: string;
  readonly password: string;
  readonly role: Role;
  readonly email: string | null;
}

export function addAccount(engine: Engine, { name, password, role, email }: NewAccount, settings: Settings): void {
  // The name becomes part of folder names, so it must not be a path.
  if (!dialect.userName.test(name) || /^\.|\.\./.test(name))
    throw failed(`Invalid operation: '${name}' cannot be the name of a user`);
  // The name of a dropped account stays taken: a new account with it would get the old rows.
  if (engine.query("SELECT 1 FROM system.users WHERE user_id = $1", [name]).length > 0) {
    throw failed(`Already exists: User '${name}' already exists`);
  }
  engine.query(
    `INSERT INTO system.users (user_id, password_hash, role, email, auth_type, storage_mode, failed_login_attempts, created_at, updated_at)
     VALUES ($1, $2, $3, $4, 'Password', 'Table', 0, now(), now())`,
    [name, hash(password, settings["auth.bcrypt_cost"]), role, email],
  );
}

function checkPassword(password: string, settings: Settings): void {
  const weak = passwordProblem(password, settings["auth.min_password_length"]);
  if (weak !== undefined) throw failed(`Invalid operation: ${weak}`);
}

/** Reads what follows `CREATE USER`. */
export function readCreateUser(reader: Reader): (session: Session) => Outcome {
  const ifNotExists = reader.accept("IF NOT EXISTS");
  const name = readUser(reader, "CREATE USER");
  if (!reader.accept("WITH PASSWORD")) throw invalid("Expected WITH PASSWORD after username");
  const password = readText(reader, "WITH PASSWORD");
  if (!reader.accept("ROLE")) throw invalid("Expected ROLE keyword");
  const role = readRole(reader);
  const email = reader.accept("EMAIL") ? readText(reader, "EMAIL") : null;
  refuseRest(reader, "CREATE USER");
  return (session) => {
    const { engine, catalogue, settings, account } = session;
    if (ifNotExists && catalogue.roleOf(name) !== undefined) return done(`User '${name}' already exists`);
    if (role === "system" && account.role !== "system") throw denied("Unauthorized: DBA cannot grant System role");
    checkPassword(password, settings);
    engine.atomically(() => {
      addAccount(engine, { name, password, role, email }, settings);
      recordAction(session, "CREATE_USER", name, `Role: ${titled(role)}`);
    });
    catalogue.reloadAccounts();
    return done(`User '${name}' created`);
  };
}

/** Reads what follows `ALTER USER`. */
export function readAlterUser(reader: Reader): (session: Session) => Outcome {
  const name = readUser(reader, "ALTER USER");
  const what = ["PASSWORD", "ROLE", "EMAIL"].find((word) => reader.accept(`SET ${word}`));
  if (what === undefined) throw invalid("Expected SET PASSWORD, SET ROLE or SET EMAIL");
  const value = what === "ROLE" ? readRole(reader) : readText(reader, `SET ${what}`);
  refuseRest(reader, "ALTER USER");
  return (session) => {
    const { engine, catalogue, settings, account } = session;
    if (!isAdmin(account)) throw denied("Unauthorized: ALTER USER requires DBA or System role");
    if (what === "ROLE" && value === "system" && account.role !== "system")
      throw denied("Unauthorized: DBA cannot grant System role");
    const role = catalogue.roleOf(name);
    if (role === undefined) throw failed(`Not found: User '${name}' not found`);
    if (role === "system" && account.role !== "system")
      throw denied("Unauthorized: only System may alter a System account");
    if (what === "PASSWORD") checkPassword(value, settings);
    const column = { PASSWORD: "password_hash", ROLE: "role", EMAIL: "email" }[what] ?? "email";
    engine.query(`UPDATE system.users SET ${column} = $2, updated_at = now() WHERE user_id = $1`, [
      name,
      what === "PASSWORD" ? hash(value, settings["auth.bcrypt_cost"]) : value,
    ]);
    recordAction(session, "ALTER_USER", name, what);
    catalogue.reloadAccounts();
    return done(`User '${name}' updated`);
  };
}

/** Reads what follows `DROP USER`. The account is kept and marked as dropped: neither it nor its name can be used again. */
export function readDropUser(reader: Reader): (session: Session) => Outcome {
  const ifExists = reader.accept("IF EXISTS");
  const name = readUser(reader, "DROP USER");
  refuseRest(reader, "DROP USER");
  return (session) => {
    const { engine, catalogue, account } = session;
    const role = catalogue.roleOf(name);
    if (role === undefined) {
      if (ifExists) return done(`User '${name}' does not exist (skipped)`);
      throw failed(`Not found: User '${name}' not found`);
    }
    if (name === "root") throw denied("Unauthorized: root cannot be dropped");
    if (role === "system" && account.role !== "system")
      throw denied("Unauthorized: only System may drop a System account");
    engine.query("UPDATE system.users SET deleted_at = now(), updated_at = now() WHERE user_id = $1", [name]);
    recordAction(session, "DROP_USER", name);
    catalogue.reloadAccounts();
    return done(`User '${name}' dropped (soft delete)`);
  };
}

/** The account that `EXECUTE AS USER` runs as. Only callers with the privilege learn whether it exists. */
export function impersonate(session: Session, name: string): Account {
  const { account, catalogue } = session;
  const role = catalogue.roleOf(name);
  const target = role ?? "user";
  const above = ranks.indexOf(target) - ranks.indexOf(account.role);
  const isAllowed = dialect.executeAs === "any" && account.role !== "user" ? above <= 0 : above < 0;
  if (name !== account.user && !isAllowed) {
    throw denied(
      `Unauthorized: EXECUTE AS USER is not authorized: actor '${account.user}' with role ${titled(account.role)} cannot target ` +
        `'${name}' with role ${titled(target)}`,
    );
  }
  if (role === undefined) throw new Refusal("SQL_EXECUTION_ERROR", `Not found: User '${name}' not found`, true);
  return { user: name, role };
}

function readUser(reader: Reader, after: string): string {
  const token = reader.next();
  if (token === undefined || token.kind === "symbol") throw invalid(`Missing argument after ${after}`);
  return valueOf(token);
}

function readText(reader: Reader, after: string): string {
  const token = reader.next();
  if (token?.kind !== "string") throw invalid(`Expected a quoted value after ${after}`);
  return valueOf(token);
}

function readRole(reader: Reader): Role {
  const token = reader.next();
  const word = token === undefined ? "" : valueOf(token);
  const role = roles[word.toLowerCase()];
  if (role === undefined) throw invalid(`Invalid role '${word}'. Hint: Valid roles: ${Object.keys(roles).join(", ")}`);
  return role;
}
