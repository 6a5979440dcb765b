import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { saidOf, isCleanRefusal, type Said } from "../../../src/server/target.ts";

/** `tells`: how a text for an administrator can say what is wrong. */
const cases: readonly { readonly name: string; readonly sql: string; readonly tells: RegExp }[] = [
  { name: "SELECT without a table", sql: "SELECT * FROM", tells: /expected|end of|eof|syntax/i },
  { name: "INSERT without values", sql: "INSERT INTO table", tells: /expected|end of|eof|syntax/i },
  { name: "CREATE TABLE without a name", sql: "CREATE TABLE (id INT)", tells: /expected|identifier|syntax|name/i },
  { name: "UPDATE without a table", sql: "UPDATE SET value = 1", tells: /expected|syntax/i },
  { name: "DELETE without a table", sql: "DELETE FROM WHERE id = 1", tells: /expected|syntax|not found/i },
  { name: "misspelt verb", sql: "SELEC 1", tells: /SELEC\b|expected|syntax/i },
  { name: "word too many", sql: "SELECT 1 FORM nowhere x", tells: /expected|syntax|FORM/i },
  { name: "dangling operator", sql: "SELECT 1 +", tells: /expected|end of|eof|syntax/i },
  { name: "open text", sql: "SELECT 'open", tells: /untermin|unclosed|close|end of|eof/i },
  { name: "open name", sql: 'SELECT "open', tells: /untermin|unclosed|close|end of|eof/i },
  { name: "open comment", sql: "SELECT 1 /* open", tells: /untermin|unclosed|close|end of|eof/i },
  { name: "open bracket", sql: "SELECT (((1)", tells: /expected|untermin|unclosed|close|end of|eof|syntax/i },
  {
    name: "2,000 brackets",
    sql: `SELECT ${"(".repeat(2_000)}1${")".repeat(2_000)}`,
    tells: /recursion|nest|depth|deep|complex|limit|expected/i,
  },
  { name: "unknown function", sql: "SELECT kr_no_such_function(1)", tells: /kr_no_such_function|function/i },
  { name: "unknown type", sql: "SELECT CAST(1 AS kr_no_such_type)", tells: /type|kr_no_such_type|unsupported/i },
  { name: "empty", sql: "", tells: /empty|no sql|no statement|expected/i },
  { name: "only blanks", sql: " \n\t ", tells: /empty|no sql|no statement|expected/i },
  { name: "only a comment", sql: "-- nothing else", tells: /empty|no sql|no statement|expected/i },
  { name: "only semicolons", sql: ";;;", tells: /empty|no sql|no statement|expected/i },
];

/** What tells more about the server's inside than anybody needs. */
const internals: readonly { readonly what: string; readonly pattern: RegExp }[] = [
  { what: "a panic", pattern: /panicked at|RUST_BACKTRACE|thread '[^']*' panicked/ },
  { what: "a backtrace", pattern: /stack backtrace|\n\s+at \S+:\d+|\n\s*\d+: \w+(::\w+)+/ },
  { what: "a source file", pattern: /\w+\.(rs|cpp|go|java|ts|js|py):\d+/ },
  { what: "a path", pattern: /(^|[\s"'(=])\/(home|root|usr|opt|var|etc|tmp|data|app|srv|mnt)\/[\w./-]+/ },
  { what: "an address in memory", pattern: /\b0x[0-9a-f]{8,16}\b/i },
];

type Attempt = {
  readonly case: string;
  readonly sql: string;
  readonly op: Said;
  readonly user: Said;
  /** The faster of two tries where the first was slow: the checker's own machine may have been busy. */
  readonly tookMs: number;
  /** A plain query just after it. */
  readonly next: Said;
};

export const syntaxErrorsClear = defineCheck({
  id: "validation/syntax-errors-clear",
  title: "SQL that cannot be read is refused, clearly and quickly",
  failureTitle: "SQL that cannot be read is not refused clearly",
  description: `Sends ${cases.length} statements that cannot be read or run (misspelt, cut, never closed, 2,000 brackets, unknown functions and types, empty), each as an administrator and as a plain user, and a plain query after each. Each must be refused with a status from 400 to 499, a code that is the same for both, no internals and, to the administrator, a text that tells what is wrong. It makes an account for the plain user; nothing else is written.`,
  blindTo: "It knows some forms of internals (panics, backtraces, source files, paths, addresses), not every one.",
  risk: "A typo costs hours instead of seconds, or tells a stranger how the server is built.",
  remedy:
    "Log statements in your programs, since the server does not say what was wrong with them; hide errors from end users.",
  covers: ["VAL-01"],
  // The statements change nothing, but the plain user has to be made.
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 700,
  estimateRequests: 3 * cases.length,
  limits: { refusalMsMax: 1_000 },
  findings: {
    accepted: { say: (d: { sql: string }) => `${d.sql} was accepted` },
    serverError: { say: (d: { sql: string; outcome: string }) => `${d.sql}: ${d.outcome}` },
    leaksInternals: {
      say: (d: { sql: string; what: string; message: string }) =>
        `the refusal of ${d.sql} shows ${d.what}: ${d.message}`,
    },
    unclear: { say: (d: { sql: string; why: string }) => `${d.sql}: ${d.why}`, level: "warn" },
    slow: { say: (d: { sql: string; tookMs: number }) => `the refusal of ${d.sql} took ${d.tookMs} ms`, level: "warn" },
  },
  async observe(target) {
    const [op, user] = await Promise.all([target.account("dba"), target.account("user")]);
    const attempts: Attempt[] = [];
    for (const { name, sql } of cases) {
      const [first, asUser] = await Promise.all([target.sql(op, sql), target.sql(user, sql)]);
      const next = await target.sql(op, "SELECT 1 AS alive");
      let tookMs = first.doneAt - first.sentAt;
      if (tookMs > secondTryMs && first.kind !== "unsure") {
        const second = await target.sql(op, sql);
        tookMs = Math.min(tookMs, second.doneAt - second.sentAt);
      }
      attempts.push({
        case: name,
        sql: sql.length > 60 ? `${sql.slice(0, 30)}…` : JSON.stringify(sql),
        op: saidOf(first),
        user: saidOf(asUser),
        tookMs: Math.round(tookMs),
        next: saidOf(next),
      });
    }
    return { attempts };
  },
  judge({ attempts }, { limits: { refusalMsMax } }) {
    const about = (one: Attempt, said: Said = one.op) => ({ case: one.case, sent: [said.exchange] });
    const both = (one: Attempt): readonly Said[] => [one.op, one.user];
    const accepted = attempts.flatMap((one) =>
      both(one)
        .filter(({ kind }) => kind === "ok")
        .slice(0, 1)
        .map((said) => ({ name: "accepted" as const, data: { sql: one.sql }, ...about(one, said) })),
    );
    const broken = attempts.flatMap((one) =>
      [...both(one), one.next]
        .filter(isBroken)
        .slice(0, 1)
        .map((said) => {
          const outcome = `${said === one.next ? "the next query: " : ""}${said.status ?? said.why} ${said.message}`;
          return { name: "serverError" as const, data: { sql: one.sql, outcome }, ...about(one, said) };
        }),
    );
    const leaks = attempts.flatMap((one) =>
      both(one).flatMap((said) => {
        const leak = internals.find(({ pattern }) => pattern.test(said.message));
        if (leak === undefined) return [];
        const data = { sql: one.sql, what: leak.what, message: said.message.slice(0, 300) };
        return [{ name: "leaksInternals" as const, data, ...about(one, said) }];
      }),
    );
    const refused = attempts.filter((one) => both(one).every(isCleanRefusal));
    const unclear = refused.flatMap((one) => {
      const tells = cases.find(({ name }) => name === one.case)?.tells;
      const silent =
        tells?.test(one.op.message) === false ? `it does not tell what is wrong: ${one.op.message}` : undefined;
      const apart = one.op.code === one.user.code ? undefined : `${one.op.code} for a dba, ${one.user.code} for a user`;
      const why = silent ?? apart;
      return why === undefined ? [] : [{ name: "unclear" as const, data: { sql: one.sql, why }, ...about(one) }];
    });
    const slow = refused
      .filter(({ tookMs }) => tookMs > refusalMsMax)
      .map((one) => ({ name: "slow" as const, data: { sql: one.sql, tookMs: one.tookMs }, ...about(one) }));
    const found = [...accepted, ...broken, ...leaks, ...unclear, ...slow];
    if (found.length > 0) return fail(...found);
    const vague = attempts.flatMap((one) =>
      both(one)
        .filter((said) => !isCleanRefusal(said))
        .map((said) => ({ one, said })),
    )[0];
    if (vague !== undefined)
      return unknown(
        `${vague.one.case}: not refused for its SQL, but ${vague.said.status ?? vague.said.why} ${vague.said.message}`,
      );
    const stuck = attempts.find(({ next }) => next.kind !== "ok");
    if (stuck !== undefined)
      return unknown(
        `after ${stuck.case} a plain query got ${stuck.next.status ?? stuck.next.why} ${stuck.next.message}`,
      );
    if (attempts.length < cases.length)
      return unknown(`only ${attempts.length} of ${cases.length} statements were tried`);
    const slowest = Math.max(...attempts.map(({ tookMs }) => tookMs));
    return pass(
      `${attempts.length} of ${attempts.length} refused for a dba and a user by the same codes, within ${slowest} ms; the query after each works`,
    );
  },
});

/** Slower than this is asked again: one slow answer may be the checker's own machine. */
const secondTryMs = 500;

/** An error of the server's own, or a connection that it broke. No answer in time and no room are neither. */
function isBroken(said: Said): boolean {
  return (said.status !== null && said.status >= 500 && said.status !== 503) || ["reset", "cut"].includes(said.why);
}
