import { describe, expect, test } from "vitest";
import { causeOf, type Cause } from "./refusal.ts";

const failed = (message: string, status = 400): Cause | undefined => causeOf(status, "SQL_EXECUTION_ERROR", message);

describe("a failure of Raft is sent as 400, and leaves open whether it was done", () => {
  const commit = "Invalid operation: failed to commit transaction '01a203e5-7645': Raft error: ";
  test.for([
    "Execution error: Raft error: Replication timeout for group data:shared:00: committed at T1-N1.57 but not all nodes applied within 5000ms",
    `${commit}Replication timeout for group data:shared:00: committed at T1-N1.57 but not all nodes applied within 5000ms`,
    `${commit}Command timed out after 5s`,
    `${commit}Network error: gRPC ForwardSql to node 2 failed: status: Unavailable`,
    "Execution error: Raft error: Not leader for group data:shared:00: leader is node Some(2)",
    "Execution error: Raft error: Raft group not found: data:user:07",
    "Execution error: Raft error: Raft group not started: data:user:07",
    "Execution error: Raft error: Proposal rejected: ForwardToLeader { leader_id: None } not found",
    "Execution error: Raft error: Raft is shutting down",
    "Execution error: Raft error: Failed to apply command: invalid operation",
    "Execution error: Raft error: Storage error: file not found, size exceeded",
    "Invalid operation: failed to commit transaction '01a203e5-7645': the disk is full",
  ])("%s", (message) => {
    expect(failed(`Statement 1 failed: ${message}`)).toBeUndefined();
  });

  test.for<[Cause, string]>([
    ["constraint", "Already exists: Primary key violation: value '1' already exists in column 'id'"],
    ["constraint", "Constraint violation: Execution error: NOT NULL constraint violation: column 's' cannot be NULL"],
    ["type", "Invalid operation: Schema coercion failed: Unable to cast value Utf8 to Int32 for column 'i'"],
  ])("but a %s violation comes from the data, whatever it came through", ([cause, message]) => {
    expect(failed(`Statement 1 failed: Raft error: Provider error: Failed to insert batch: ${message}`)).toBe(cause);
  });
});

describe("in a batch", () => {
  test("a failure after the first statement leaves the ones before it done, whatever it was", () => {
    expect(failed("Statement 3 failed: Already exists: Primary key violation: value '1'")).toBe("batchPart");
    expect(causeOf(403, "PERMISSION_DENIED", "Statement 2 failed: Access denied")).toBe("batchPart");
    expect(failed("Statement 12 failed: words that nobody knows")).toBe("batchPart");
  });

  test("a failure of the first statement is what its words say", () => {
    expect(failed("Statement 1 failed: Table not found: krv.nope")).toBe("missing");
    expect(failed("Statement 1 failed: words that nobody knows")).toBeUndefined();
  });

  test("the number counts only at the beginning: a text of the user's may say the same", () => {
    expect(failed("Statement 1 failed: Not found: Table 'Statement 2 failed' not found")).toBe("missing");
  });
});

test.for<[Cause, number, string, string]>([
  ["rate", 429, "", ""],
  ["rate", 429, "SQL_EXECUTION_ERROR", "Statement 2 failed: too fast"],
  ["rate", 403, "IP_BANNED", "banned for 300 s"],
  ["rate", 400, "TOO_MANY_CONNECTIONS", ""],
  ["limit", 413, "BODY_TOO_LARGE", ""],
  ["limit", 400, "INVALID_SQL", "SQL query too long: 1048585 bytes (maximum 1048576 bytes)"],
  ["parse", 400, "INVALID_SQL", "SQL statement is invalid or not allowed"],
  ["parse", 400, "EMPTY_SQL", ""],
  ["constraint", 400, "NOT_NULL_VIOLATION", "in words of a newer version"],
  ["missing", 400, "MISSING_COLUMN", "in words of a newer version"],
  ["login", 401, "A_NEW_CODE", "in words of a newer version"],
  ["permission", 403, "A_NEW_CODE", "in words of a newer version"],
])("%s: status %d %s %s", ([cause, status, code, message]) => {
  expect(causeOf(status, code, message)).toBe(cause);
});

test.for([
  [400, "SQL_EXECUTION_ERROR", "SQL statement failed"],
  [400, "A_NEW_CODE", "in words of a newer version"],
  [404, "not_found", ""],
  [409, "CONFLICT", "try again"],
  [400, "", ""],
  [400, "toString", ""],
] as const)("what is in no list has no cause: %d %s %s", ([status, code, message]) => {
  expect(causeOf(status, code, message)).toBeUndefined();
});

test.for(["privileges ", "primary key ", "multiple ", "Raft error", "Statement 1"])(
  "a message of 8 MB that begins like a known cause over and over is read in one pass: %s",
  { timeout: 60_000 },
  (words) => {
    expect(() => failed(words.repeat((8 * 1024 * 1024) / words.length))).not.toThrow();
  },
);
