import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { isNoAnswer } from "../../vocabulary/second-look.ts";
import { saidOf, type Account, type Said } from "../../../src/server/target.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { bad, good, type Case } from "./cases.ts";

type Tried = { readonly case: string; readonly wanted: "good" | "bad"; readonly said: Said };

export const statusMatchesBody = defineCheck({
  id: "cli/status-matches-body",
  title: "HTTP status, status field and error agree in every answer",
  failureTitle: "HTTP status, status field and error contradict each other",
  description: `Sends ${good.length} statements that work and ${bad.length} that do not: queries, writes, batches, transactions, errors of every kind, a missing privilege, a missing login. Success must come with HTTP 200, the status success and no error; a rejection with HTTP 400 or above, an error with a code and a message, and never the status success.`,
  blindTo: "It does not check whether the result itself is correct, only whether the parts of the answer agree.",
  risk: "A script that looks at the HTTP status alone takes a failure for a success, or the reverse.",
  remedy: "Until this passes, check the HTTP status, the status field and the error field of every answer.",
  covers: ["CLI-01", "CLI-02"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_200,
  estimateRequests: good.length + bad.length + 2,
  findings: {
    disagree: { say: (d: { case: string; outcome: string }) => `${d.case}: ${d.outcome}` },
    codeMissing: {
      say: (d: { case: string; status: number; message: string }) =>
        `${d.case}: rejected with ${d.status} but without ${d.message === "" ? "a message" : `a code: ${d.message}`}`,
      risk: "A script cannot tell what went wrong, so it cannot decide whether to retry.",
      remedy: "Until this passes, decide by the HTTP status and log the whole answer.",
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const user = await target.account("user");
    const table = await makeTable(target, context, op, `${context.scratch}.t`, {
      type: "SHARED",
      columns: "id BIGINT PRIMARY KEY, v TEXT NOT NULL, n INT",
    });
    const first = `INSERT INTO ${table} (id, v) VALUES (1, 'one')`;
    context.need(await target.sql(op, first), "the first row could not be written");
    const senders: Readonly<Record<string, Account | null>> = { user, nobody: null };
    const tryAll = async (wanted: "good" | "bad", cases: readonly Case[]): Promise<Tried[]> => {
      const tried: Tried[] = [];
      for (const { name, sql, params, as } of cases) {
        const sender = as === undefined ? op : (senders[as] ?? null);
        const answer = await target.sql(sender, sql(table, context.scratch), params === undefined ? {} : { params });
        tried.push({ case: name, wanted, said: saidOf(answer) });
      }
      return tried;
    };
    // The good ones first, so that no failure is caused by an earlier error.
    return { tried: [...(await tryAll("good", good)), ...(await tryAll("bad", bad))] };
  },
  judge({ tried }, { found }) {
    const contradicting = tried.filter(({ said }) => said.why === "malformed" && said.status !== null);
    for (const { case: name, said } of contradicting)
      found.disagree({ case: name, outcome: said.message }, { case: name, sent: said });
    for (const one of tried) {
      const { case: name, said } = one;
      if (
        said.status !== null &&
        isClientError(said) &&
        !isNoAnswer(said) &&
        !contradicting.includes(one) &&
        !(said.code && said.message)
      )
        found.codeMissing({ case: name, status: said.status, message: said.message }, { case: name, sent: said });
    }
    // An answer whose parts agree shows nothing if the statement did not do what it was sent for.
    const other = tried.find(({ wanted, said }) =>
      wanted === "good" ? said.kind !== "ok" : !isClientError(said) || isNoAnswer(said) || said.why === "rate",
    );
    if (other !== undefined) {
      const { wanted, said } = other;
      const got = `${said.status ?? "no answer"} ${said.code} ${said.message}`.replace(/ {2,}/g, " ");
      return unknown(`${other.case} should have ${wanted === "good" ? "worked" : "been rejected"}, but got ${got}`);
    }
    const count = (wanted: string): number => tried.filter((one) => one.wanted === wanted).length;
    if (count("good") < good.length || count("bad") < bad.length)
      return unknown(`only ${tried.length} of ${good.length + bad.length} statements were tried`);
    return pass(
      `${count("good")} successes and ${count("bad")} rejections, all internally consistent; every rejection has a code`,
    );
  },
});

function isClientError({ status }: Said): boolean {
  return status !== null && status >= 400 && status < 500;
}
