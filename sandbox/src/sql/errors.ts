import { PostgresError } from "../store/engine.ts";

type Code =
  | "SQL_EXECUTION_ERROR"
  | "INVALID_SQL"
  | "INVALID_INPUT"
  | "INVALID_PARAMETER"
  | "INVALID_CREDENTIALS"
  | "PARAMS_WITH_BATCH"
  | "PERMISSION_DENIED"
  | "EMPTY_SQL"
  | SpecificCode;

/** More specific than the SQL_EXECUTION_ERROR that KalamDB gives for all of these. */
type SpecificCode = "UNIQUE_VIOLATION" | "NOT_NULL_VIOLATION" | "MISSING_COLUMN" | "TABLE_NOT_FOUND" | "TYPE_MISMATCH";

const statusCodes: Partial<Readonly<Record<Code, number>>> = { PERMISSION_DENIED: 403, INVALID_CREDENTIALS: 401 };

/** A refused statement, as KalamDB reports it. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: Code;
  /** Whether plain users see the message: it is about their own data and privileges, not about the server. */
  readonly open: boolean;

  constructor(code: Code, message: string, open = false) {
    super(message);
    this.code = code;
    this.status = statusCodes[code] ?? 400;
    this.open = open || code === "PERMISSION_DENIED";
  }

  /** The message that this account sees. */
  messageFor(privileged: boolean): string {
    if (privileged || this.open) return this.message;
    if (this.code === "INVALID_SQL") return "SQL statement is invalid or not allowed";
    return this.code === "SQL_EXECUTION_ERROR" || this.code === "TABLE_NOT_FOUND"
      ? "SQL statement failed"
      : this.message;
  }
}

/** The statement cannot be parsed: its whole request is refused before anything runs. */
export const invalid = (message: string): Refusal => new Refusal("INVALID_SQL", message);
export const failed = (message: string): Refusal => new Refusal("SQL_EXECUTION_ERROR", message);
/** Failed for a reason that plain users may see. */
export const wrong = (message: string, code: Code = "SQL_EXECUTION_ERROR"): Refusal => new Refusal(code, message, true);
export const noColumn = (message: string): Refusal => wrong(message, "MISSING_COLUMN");
export const noTable = (message: string): Refusal => new Refusal("TABLE_NOT_FOUND", message);
export const denied = (message: string): Refusal => new Refusal("PERMISSION_DENIED", message);

/** What a statement is about, to word PostgreSQL's errors. */
export interface Subject {
  /** The names of all columns in scope. */
  readonly columns: readonly string[];
  /** The key column of the written table. */
  readonly key: string;
  readonly user: string;
}

/** PostgreSQL's error in KalamDB's words. The SQLSTATE decides; PostgreSQL's message is used only where it adds something. */
export function translate(error: PostgresError, subject: Subject): Refusal {
  const { code, column, detail, message } = error;
  switch (code) {
    case "23505":
      return wrong(
        `Execution error: Already exists: Primary key violation: ${duplicate(detail, subject.user)}already exists in column '${subject.key}'`,
        "UNIQUE_VIOLATION",
      );
    case "23502":
      return wrong(
        `Execution error: Constraint violation: NOT NULL constraint violation: column '${column}' cannot be NULL`,
        "NOT_NULL_VIOLATION",
      );
    case "42703": {
      const name = /column "?(?:\w+\.)*(\w+)/.exec(message)?.[1] ?? "";
      return noColumn(
        `Invalid operation: Schema error: No field named ${name}. Valid fields are ${subject.columns.join(", ")}.`,
      );
    }
    case "2BP01":
      return failed("Invalid operation: The column is used by a policy; drop the policy first");
    case "3B001":
      return wrong(`Invalid operation: ${message} (SQLSTATE 3B001)`);
    case "21000":
      return wrong(`Invalid operation: ${message}`);
    case "22012":
      return failed("Execution error: Arrow error: Divide by zero error");
    case "42883":
    case "42501": {
      if (message.includes("row-level security policy"))
        return denied("Permission denied: The row violates the row-level policies of the table");
      const name = /function (?:\w+\.)?(\w+)/.exec(message)?.[1];
      return failed(
        `Execution error: Error during planning: ${name === undefined ? message : `Invalid function '${name}'.`}`,
      );
    }
    case "42601":
      return failed(`Execution error: SQL error: ParserError("${message}")`);
    case "57014":
    case "54001":
      return failed(`Execution error: SQL error: RecursionLimitExceeded (${message})`);
    case "23514":
      return typeMismatch("the value does not fit its column");
    default:
      return /^22|^42804|^42846/.test(code) ? typeMismatch(message) : failed(`Execution error: ${message}`);
  }
}

const typeMismatch = (why: string): Refusal =>
  wrong(`Invalid operation: Schema coercion failed: Cast error: ${why}`, "TYPE_MISMATCH");

/** The key in "Key (_user, id)=(alice, 5) already exists."; PostgreSQL does not name one to a user under policies. */
function duplicate(detail: string, user: string): string {
  const pair = /=\(([\s\S]*)\) already exists\.$/.exec(detail)?.[1];
  if (pair === undefined) return "the value ";
  return `value '${pair.startsWith(`${user}, `) ? pair.slice(user.length + 2) : pair.replace(/^, /, "")}' `;
}

/** Translates an error of PostgreSQL's and passes any other through. */
export function asRefusal(error: unknown, subject: Subject): unknown {
  return error instanceof PostgresError ? translate(error, subject) : error;
}
