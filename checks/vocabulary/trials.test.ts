import { expect, test } from "vitest";
import { controlFailure, sortAttempts, whyInconclusive } from "./attempts.ts";
import { no, nothing, yes } from "./evidence.ts";
import { forgedToken, unsignedToken } from "./forged-tokens.ts";
import { hasEnded, whyNotFlushed } from "./jobs.ts";
import { learn } from "../../src/server/dialect.ts";
import { need } from "../../src/server/need.ts";
import type { Target } from "../../src/server/target.ts";
import { changeReaders, createSharedTable, createTable, sharedTable } from "./tables.ts";
import { isPermissionDenied, sortTried, whyUnclear } from "./trials.ts";

const denied = no("PERMISSION_DENIED", "no right", "permission", 403);
const wrong = no("INVALID_SQL", "wrong", "parse");
const slower = no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429);
const tried = (said: ReturnType<typeof no>) => ({ case: said.message, role: "dba", sql: "", said });

test("missing privileges are a refusal only where they may be", () => {
  // Accepted, whatever else it says; and a failure that only looks like one for missing privileges.
  const odd = { ...yes("odd"), code: "X", status: 400, why: "permission" };
  const unsure = { ...nothing("permission"), message: "unsure" };
  const all = [yes(), wrong, denied, slower, nothing(), odd, unsure].map((said) => tried(said));
  const names = (list: readonly { case: string }[]) => list.map((one) => one.case);
  const sorted = (noRight?: boolean) => {
    const { accepted, refused, unclear } = sortTried(all, noRight);
    return { accepted: names(accepted), refused: names(refused), unclear: names(unclear) };
  };
  const late = "no answer within 15000 ms";
  const never = { accepted: ["done", "odd"], refused: ["wrong"], unclear: ["no right", "slower", late, "unsure"] };
  expect(sorted()).toEqual(never);
  expect(sorted(false)).toEqual(never);
  expect(sorted(true)).toEqual({
    accepted: ["done", "odd"],
    refused: ["wrong", "no right"],
    unclear: ["slower", late, "unsure"],
  });
  expect(whyUnclear(sortTried([tried(nothing())]))).toBe(`${late}: neither accepted nor rejected: ${late}`);
  expect(whyUnclear(sortTried([tried(wrong)]))).toBeUndefined();
});

test("an accepted statement is not refused as well", () => {
  const said = { ...yes("odd"), code: "X", status: 400 };
  expect(sortTried([tried(said)])).toEqual({ accepted: [tried(said)], refused: [], unclear: [] });
});

test("in a batch the status shows missing privileges, alone it does not", () => {
  const said = (why: string, status: number) => isPermissionDenied(no("X", "no", why, status));
  expect([said("permission", 400), said("batchPart", 403)]).toEqual([true, true]);
  expect([said("batchPart", 400), said("rule", 403)]).toEqual([false, false]);
});

test("a refused table that is listed was made by halves", () => {
  const made = { ...tried(wrong), made: "{}" };
  const not = { ...tried(wrong), made: null };
  const accepted = { ...tried(yes()), made: null };
  expect(sortAttempts([made, not, accepted])).toMatchObject({
    refused: [not],
    halfDone: [made],
    created: [accepted, made],
  });
});

test("what is wrong with the valid table", () => {
  const control = (said: ReturnType<typeof no>, made: string | null, unread: string | null = null) =>
    controlFailure({ bad: [], control: { ...tried(said), made }, unread }, /SHARED/);
  expect(control(yes(), "TYPE=SHARED")).toBeUndefined();
  expect(control(yes(), "TYPE=USER")).toBe("the catalogue shows its options as TYPE=USER");
  expect(control(yes(), null)).toBe("it was accepted, but the table is not listed");
  // Without the catalogue nothing is known of the options.
  expect(control(yes(), null, "no right")).toBeUndefined();
  expect(control(yes(), "TYPE=USER", "no right")).toBeUndefined();
  expect(control(wrong, null)).toBe("wrong");
  expect(control(slower, null)).toBeUndefined();
  expect(control(nothing(), "TYPE=SHARED")).toBeUndefined();
  expect(controlFailure({ bad: [], control: null, unread: null }, /SHARED/)).toBeUndefined();
  expect(whyInconclusive({ bad: [], control: { ...tried(yes()), made: "{}" }, unread: "no right" }, 0)).toBe(
    "the catalogue could not be read: no right",
  );
});

test("the statements that make tables", () => {
  const columns = "id BIGINT PRIMARY KEY";
  expect(createTable("a.b", { columns })).toBe(`CREATE TABLE a.b (${columns}) WITH (TYPE='USER')`);
  expect(createTable("a.b", { type: "STREAM", columns, options: { TTL_SECONDS: 60, STORAGE_ID: "local" } })).toBe(
    `CREATE TABLE a.b (${columns}) WITH (TYPE='STREAM', TTL_SECONDS=60, STORAGE_ID='local')`,
  );
  const shared = (level: string) => `CREATE TABLE a.b (${columns}) WITH (TYPE='SHARED', ACCESS_LEVEL='${level}')`;
  const { dialect: levels } = learn("0.4.3-rc.4", {});
  expect(createSharedTable(levels, "a.b", { columns })).toEqual([shared("PRIVATE")]);
  expect(createSharedTable(levels, "a.b", { columns, readers: ["service"], writers: ["service"] })).toEqual([
    shared("PRIVATE"),
  ]);
  expect(createSharedTable(levels, "a.b", { columns, readers: ["service", "user"] })).toEqual([shared("PUBLIC")]);
  expect(() => createSharedTable(levels, "a.b", { columns, writers: ["user"] })).toThrow(
    "no access level lets users write",
  );
});

test("where there are policies in place of levels, they open a table to the same accounts", async () => {
  const columns = "id BIGINT PRIMARY KEY";
  const { dialect } = learn("0.8.0", {});
  const create = `CREATE TABLE a.b (${columns}) WITH (TYPE='SHARED')`;
  const services = "CREATE POLICY kr_services ON a.b FOR ALL TO service USING (true) WITH CHECK (true)";
  const readers = "CREATE POLICY kr_readers ON a.b FOR SELECT TO user USING (true)";
  expect(createSharedTable(dialect, "a.b", { columns, readers: ["service"] })).toEqual([create, services]);
  expect(createSharedTable(dialect, "a.b", { columns, readers: ["user"] })).toEqual([create, services, readers]);
  expect(changeReaders(dialect, "a.b", { open: true })).toBe(readers);
  expect(changeReaders(dialect, "a.b", { open: false })).toBe("DROP POLICY kr_readers ON a.b");

  const { dialect: neither } = learn("0.9.0", {});
  expect(createSharedTable(neither, "a.b", { columns })).toEqual([]);
  const target = { dialect: neither } as Target;
  await expect(sharedTable(target, { need }, { name: "a", role: "dba" }, "a.b", { columns })).rejects.toThrow(
    "not known for this version: how shared tables are opened to other accounts",
  );
});

test("why a flush shows nothing, and which jobs have not ended", () => {
  expect(whyNotFlushed({ said: yes(), job: "FL-1", status: "completed" })).toBeUndefined();
  expect(whyNotFlushed({ said: yes(), job: "FL-1", status: "failed" })).toBe("the flush FL-1 did not complete: failed");
  expect(whyNotFlushed({ said: yes(), job: "FL-1", status: null })).toBe(
    "the flush FL-1 did not complete: it is not listed",
  );
  expect(whyNotFlushed({ said: wrong, job: null, status: null })).toBe(
    "the flush could not be started: 400 INVALID_SQL wrong",
  );
  expect(whyNotFlushed({ said: nothing(), job: null, status: null })).toBe(
    "the flush could not be started: no answer no answer within 15000 ms",
  );
  const waiting = ["new", "queued", "pending", "running", "retrying", "completed", "failed"].filter(
    (status) => !hasEnded({ status }),
  );
  expect(waiting).toEqual(["new", "queued", "pending", "running", "retrying"]);
});

test("a forged token says who it is for, and that it is not expired", () => {
  const partsOf = (token: string) => token.split(".").map((part) => Buffer.from(part, "base64url").toString());
  const claims = '{"sub":"root","iss":"kalamdb","role":"system","exp":4102444800}';
  expect(partsOf(forgedToken)).toEqual(['{"alg":"HS256","typ":"JWT"}', claims, "no"]);
  expect(partsOf(unsignedToken)).toEqual(['{"alg":"none","typ":"JWT"}', claims, ""]);
});
