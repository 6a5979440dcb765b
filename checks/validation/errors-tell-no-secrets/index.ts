import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { provocations, provoke, type Provoked } from "./provocations.ts";

/** Fewer errors than these show too little. */
const provokedMin = 18;

export const errorsTellNoSecrets = defineCheck({
  id: "validation/errors-tell-no-secrets",
  title: "Errors tell a user nothing about the server or about others",
  failureTitle: "Errors tell a user what is not for users",
  description: `As a plain user provokes ${provocations.length} errors: bad SQL, missing and private tables, casts, files of the server's, missing rights, bad requests. Head and body of each answer are searched for paths, stacks, places in source, memory addresses, hashes, tokens, for texts, keys and names of another account, and for a password that stood in the statement.`,
  blindTo:
    "Errors that it does not provoke, errors of live queries, what a dba is told, and what is written into logs.",
  risk: "Error texts show an attacker the server's inside, or a customer another one's data.",
  remedy: "Do not pass the server's error texts on to users before this passes; the finding names the error.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 700,
  estimateRequests: provocations.length + 8,
  findings: {
    leaks: {
      say: (d: { case: string; what: string; words: string }) =>
        `the error for ${d.case} tells ${d.what}${d.words === "" ? "" : `: ${d.words}`}`,
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const alice = await target.account("user", "alice");
    const bob = await target.account("user", "bob");
    const digits = (): string => String(Math.floor(context.random("values")() * 1e12)).padStart(12, "0");
    const secret = `canary-${digits()}${digits()}`;
    const key = `7${digits()}`;
    const { scratch: ns } = context;
    const names = {
      ns,
      key,
      other: bob.name,
      password: target.password(bob),
      planted: context.accountName("planted"),
    };
    const setUp: boolean[] = [];
    for (const [as, sql] of [
      [op, `CREATE TABLE ${ns}.own (id BIGINT PRIMARY KEY, v TEXT) WITH (TYPE='USER')`],
      [op, `CREATE TABLE ${ns}.closed (id BIGINT PRIMARY KEY, v TEXT) WITH (TYPE='SHARED', ACCESS_LEVEL='PRIVATE')`],
      [op, `INSERT INTO ${ns}.closed (id, v) VALUES (1, '${secret}'), (${key}, '${secret}')`],
      [bob, `INSERT INTO ${ns}.own (id, v) VALUES (1, '${secret}'), (${key}, '${secret}')`],
      [alice, `INSERT INTO ${ns}.own (id, v) VALUES (1, 'mine')`],
    ] as const)
      setUp.push((await target.sql(as, sql)).kind === "ok");
    const provoked: Provoked[] = [];
    for (const one of provocations) provoked.push(await provoke(target, alice, one, names, secret));
    const control = (await target.sql(alice, `SELECT v FROM ${ns}.own WHERE id = 1`)).kind;
    return { provoked, control, setUp };
  },
  judge({ provoked, control, setUp }) {
    const leaking = provoked.flatMap((one) =>
      one.leaks.map(({ what, words }) => ({
        name: "leaks" as const,
        case: `${one.case}: ${what}`,
        data: { case: one.case, what, words },
        sent: [one.exchange],
      })),
    );
    if (leaking.length > 0) return fail(...leaking);
    if (setUp.length === 0 || setUp.includes(false))
      return unknown("the set-up did not work, so there were no secrets to tell");
    if (control !== "ok") return unknown("the user could not read an own row either, so the errors show nothing");
    const errors = provoked.filter(({ status }) => status !== null && status >= 400 && status !== 429);
    const other = provoked.filter((one) => !errors.includes(one));
    if (errors.length < provokedMin)
      return unknown(
        `only ${errors.length} of ${provocations.length} errors came about: ${other.map((one) => `${one.case} got ${one.status ?? "no answer"}`).join(", ")}`,
      );
    return pass(
      `${errors.length} of ${provocations.length} errors provoked, none tells paths, stacks, secrets or anything of another's`,
    );
  },
});
