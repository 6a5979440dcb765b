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
  | Telling;

/** Where the recorded server says SQL_EXECUTION_ERROR for everything, these tell a program what it was. */
type Telling = "UNIQUE_VIOLATION" | "NOT_NULL_VIOLATION" | "MISSING_COLUMN" | "TABLE_NOT_FOUND" | "TYPE_MISMATCH";

const statusCodes: Partial<Readonly<Record<Code, number>>> = { PERMISSION_DENIED: 403, INVALID_CREDENTIALS: 401 };

/** A statement that is refused: as KalamDB answers it. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: Code;
  /** Plain users may read why: their own data, columns and rights, nothing about the server. */
  readonly open: boolean;

  constructor(code: Code, message: string, open = false) {
    super(message);
    this.code = code;
    this.status = statusCodes[code] ?? 400;
    this.open = open || code === "PERMISSION_DENIED";
  }

  /** What this account gets to read of it. */
  messageFor(privileged: boolean): string {
    if (privileged || this.open) return this.message;
    if (this.code === "INVALID_SQL") return "SQL statement is invalid or not allowed";
    return this.code === "SQL_EXECUTION_ERROR" || this.code === "TABLE_NOT_FOUND"
      ? "SQL statement failed"
      : this.message;
  }
}

/** The statement cannot be read: it and whatever was sent with it is refused before anything runs. */
export const invalid = (message: string): Refusal => new Refusal("INVALID_SQL", message);
export const failed = (message: string): Refusal => new Refusal("SQL_EXECUTION_ERROR", message);
/** Failed for a reason that its sender may know. */
export const wrong = (message: string, code: Code = "SQL_EXECUTION_ERROR"): Refusal => new Refusal(code, message, true);
export const noColumn = (message: string): Refusal => wrong(message, "MISSING_COLUMN");
export const noTable = (message: string): Refusal => new Refusal("TABLE_NOT_FOUND", message);
export const denied = (message: string): Refusal => new Refusal("PERMISSION_DENIED", message);

/** What a statement touches, to put into words what PostgreSQL reports about it. */
export interface Subject {
  /** Names of all columns that the statement could have meant. */
  readonly columns: readonly string[];
  /** The key column of the table that is written. */
  readonly key: string;
  readonly user: string;
}

/** PostgreSQL's error as KalamDB would put it. Its SQLSTATE decides; its own words are used only where they say more. */
export function translate(error: PostgresError, subject: Subject): Refusal {
  const { code, column, detail, message } = error;
  switch (code) {
    case "23505":
      return wrong(
        `Execution error: Already exists: Primary key violation: value '${duplicate(detail, subject.user)}' already exists in column '${subject.key}'`,
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
    case "22012":
      return failed("Execution error: Arrow error: Divide by zero error");
    case "42883":
    case "42501": {
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
      return misfit("the value does not fit its column");
    default:
      return /^22|^42804|^42846/.test(code) ? misfit(message) : failed(`Execution error: ${message}`);
  }
}

const misfit = (why: string): Refusal =>
  wrong(`Invalid operation: Schema coercion failed: Cast error: ${why}`, "TYPE_MISMATCH");

/** The key in "Key (_user, id)=(alice, 5) already exists.". */
function duplicate(detail: string, user: string): string {
  const pair = /=\(([\s\S]*)\) already exists\.$/.exec(detail)?.[1] ?? "";
  return pair.startsWith(`${user}, `) ? pair.slice(user.length + 2) : pair.replace(/^, /, "");
}

/** A statement of ours that PostgreSQL refuses is our fault, unless the caller says which table it was about. */
export function asRefusal(error: unknown, subject: Subject): unknown {
  return error instanceof PostgresError ? translate(error, subject) : error;
}
