import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { isPassing } from "../../vocabulary/second-look.ts";
import { makeTable, sharedTable } from "../../vocabulary/tables.ts";
import { provocations, provoke, type Provoked } from "./provocations.ts";

/** Fewer errors than these prove too little. */
const provokedMin = 18;

export const errorsTellNoSecrets = defineCheck({
  id: "validation/errors-tell-no-secrets",
  title: "Errors reveal no server internals and no data of others",
  failureTitle: "An error reveals server internals or data of others",
  description: `Provokes ${provocations.length} errors as a plain user: invalid SQL, missing and private tables, casts, files on the server, missing privileges, malformed requests. Headers and body of each answer are searched for file paths, stack traces, source locations, memory addresses, hashes and tokens, for texts, keys and names of another account, and for a password that was part of the statement.`,
  blindTo: "Errors that it does not provoke, errors of live queries, errors shown to a dba, and the server's logs.",
  risk: "Error messages show an attacker the server's internals, or a customer another customer's data.",
  remedy: "Do not pass the server's error messages on to users until this passes; the finding names the error.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  uses: { user: 2, dba: 1 },
  estimateMs: 700,
  estimateRequests: provocations.length + 8,
  findings: {
    leaks: {
      say: (d: { case: string; what: string; words: string }) =>
        `the error for ${d.case} reveals ${d.what}${d.words === "" ? "" : `: ${d.words}`}`,
    },
  },
  async observe(target, context) {
    const { scratch: ns, need } = context;
    const op = await target.account("dba");
    const alice = await target.account("user", "alice");
    const bob = await target.account("user", "bob");
    const random = context.random("values");
    const digits = (): string => String(Math.floor(random() * 1e12)).padStart(12, "0");
    const secret = `canary-${digits()}${digits()}`;
    const key = `7${digits()}`;
    const columns = "id BIGINT PRIMARY KEY, v TEXT";
    const own = await makeTable(target, context, op, `${ns}.own`, { columns });
    const closed = await sharedTable(target, context, op, `${ns}.closed`, { columns });
    const secrets = `(1, '${secret}'), (${key}, '${secret}')`;
    for (const [as, table, rows] of [
      [op, closed, secrets],
      [bob, own, secrets],
      [alice, own, "(1, 'mine')"],
    ] as const)
      need(await target.sql(as, `INSERT INTO ${table} (id, v) VALUES ${rows}`), "the rows could not be written");

    const password = target.password(bob);
    const names = { ns, key, other: bob.name, password, planted: context.accountName("planted") };
    const provoked: Provoked[] = [];
    for (const one of provocations) provoked.push(await provoke(target, alice, one, names, secret));
    const control = (await target.sql(alice, `SELECT v FROM ${own} WHERE id = 1`)).kind;
    return { provoked, control };
  },
  judge({ provoked, control }, { found }) {
    for (const one of provoked)
      for (const { what, words } of one.leaks)
        found.leaks({ case: one.case, what, words }, { case: `${one.case}: ${what}`, sent: one });

    if (control !== "ok") return unknown("the user could not read its own row either, so the errors prove nothing");
    const unanswered = provoked.find(({ status }) => status === null || status === 429 || isPassing(status));
    if (unanswered !== undefined)
      return unknown(`${unanswered.case}: it was not answered by the server: ${unanswered.status ?? unanswered.text}`);
    const errors = provoked.filter(({ status }) => status !== null && status >= 400);
    const others = provoked.filter((one) => !errors.includes(one));
    if (errors.length < provokedMin) {
      const outcomes = others.map((one) => `${one.case} got ${one.status ?? "no answer"}`).join(", ");
      return unknown(`only ${errors.length} of ${provocations.length} errors were provoked: ${outcomes}`);
    }
    return pass(
      `${errors.length} of ${provocations.length} errors provoked; none reveals paths, stack traces, secrets or another account's data`,
    );
  },
});
