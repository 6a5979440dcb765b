/** Faults in who may do and see what. */
import type { RawAnswer, Wire } from "../../wire/wire.ts";
import type { Fault } from "../../proof.ts";
import { rewordRefusal } from "../sql.ts";
import { member, type Member } from "./member.ts";
import { ownSelect } from "./shapes.ts";

const sqlPath = /\/api\/sql$/;
const sqlOf = (body: unknown): string => {
  try {
    const { sql } = JSON.parse(typeof body === "string" ? body : "{}") as { sql?: unknown };
    return typeof sql === "string" ? sql : "";
  } catch {
    return "";
  }
};

/** Two SQL requests of different accounts that are in flight together get each other's answer, every n-th time. */
function swapAnswers(every: number): Fault {
  return {
    name: "swapAnswersOfTwoUsers",
    wrap(wire, fired) {
      let waiting:
        | { readonly token: string; readonly give: (other: RawAnswer) => void; readonly own: RawAnswer }
        | undefined;
      let pairs = 0;
      return {
        ...wire,
        async exchange(request) {
          const own = await wire.exchange(request);
          const token = request.headers["authorization"];
          if (token === undefined || own.kind !== "answered" || !/^SELECT/i.test(sqlOf(request.body))) return own;
          if (waiting !== undefined && waiting.token !== token) {
            const other = waiting;
            waiting = undefined;
            pairs += 1;
            if (pairs % every !== 0) {
              other.give(other.own);
              return own;
            }
            fired();
            other.give({ ...own, sentAt: other.own.sentAt });
            return { ...other.own, sentAt: own.sentAt, doneAt: own.doneAt };
          }
          if (waiting !== undefined) return own;
          return await new Promise<RawAnswer>((resolve) => {
            const mine = { token, own, give: resolve };
            waiting = mine;
            setTimeout(() => {
              if (waiting === mine) waiting = undefined;
              resolve(own);
            }, 5);
          });
        },
      };
    },
  };
}

/** Every n-th read is answered for the account that asked before. */
function readAsAnother(every: number): Fault {
  return {
    name: "readAsAnotherUser",
    wrap(wire, fired) {
      let last: string | undefined;
      let reads = 0;
      return {
        ...wire,
        async exchange(request) {
          const own = request.headers["authorization"];
          const other = last;
          if (own === undefined || !ownSelect.test(sqlOf(request.body))) return await wire.exchange(request);
          last = own;
          if (other === undefined || other === own || (reads += 1) % every !== 0) return await wire.exchange(request);
          fired();
          return await wire.exchange({ ...request, headers: { ...request.headers, authorization: other } });
        },
      };
    },
  };
}

/** What only a dba is served. */
const onlyForDbas = /^CREATE (USER|TABLE .*SHARED|NAMESPACE)|\bsystem\.(users|settings|jobs)\b/is;

/** The tokens seen, and for each whether something was permitted that only a dba may. */
function withDba(name: string, meddle: (wire: Wire, dba: () => string | undefined, fired: () => void) => Wire): Fault {
  return {
    name,
    wrap(wire, fired) {
      let dba: string | undefined;
      const inner = meddle(wire, () => dba, fired);
      return {
        ...inner,
        async exchange(request) {
          const own = request.headers["authorization"];
          const answer = await inner.exchange(request);
          const isDbas = onlyForDbas.test(sqlOf(request.body));
          if (own !== undefined && isDbas && answer.kind === "answered" && answer.status === 200) dba ??= own;
          return answer;
        },
      };
    },
  };
}

/** What is denied to an account is done with the rights of a dba, where the statement matches. */
function escalate(name: string, pattern: RegExp): Fault {
  return withDba(name, (wire, dba, fired) => ({
    ...wire,
    async exchange(request) {
      const answer = await wire.exchange(request);
      const token = dba();
      const denied =
        answer.kind === "answered" &&
        (answer.status === 403 || (answer.status === 400 && request.headers["authorization"] !== token));
      if (!denied || token === undefined || token === request.headers["authorization"]) return answer;
      if (!sqlPath.test(request.path) || request.headers["authorization"] === undefined) return answer;
      if (!pattern.test(sqlOf(request.body))) return answer;
      fired();
      return await wire.exchange({ ...request, headers: { ...request.headers, authorization: token } });
    },
  }));
}

/** Requests that are refused for their token are answered as if nothing were wrong. */
function letIn(name: string, who: (token: string | undefined) => boolean): Fault {
  return {
    name,
    wrap: (wire, fired) => ({
      ...wire,
      async exchange(request) {
        const answer = await wire.exchange(request);
        const isRefused = answer.kind === "answered" && answer.status === 401;
        if (!sqlPath.test(request.path) || !isRefused || !who(request.headers["authorization"])) return answer;
        fired();
        const body = { status: "success", results: [{ row_count: 0, message: "done" }], took: 1 };
        return { ...answer, status: 200, body: new TextEncoder().encode(JSON.stringify(body)) };
      },
    }),
  };
}

export const rightsFaults: readonly Member[] = [
  member(
    "rights",
    "Answers of two users are swapped",
    ["configuration/parallel-answers-not-mixed/mixedUp", "validation/own-rows-only/foreignRows"],
    swapAnswers(2),
  ),
  member(
    "rights",
    "One read in thirty shows the rows of another user",
    ["configuration/parallel-answers-not-mixed/mixedUp", "validation/own-rows-only/foreignRows"],
    readAsAnother(30),
  ),
  member(
    "rights",
    "Users may administer accounts",
    ["validation/user-administration-guarded/escalated", "validation/user-administration-guarded/accepted"],
    escalate("letUsersAdministrate", /\b(CREATE|ALTER|DROP)\s+USER\b/i),
  ),
  member(
    "rights",
    "Users may write shared tables",
    ["validation/shared-access-levels-hold/tooOpen"],
    escalate("letUsersWriteSharedTables", /^(INSERT|UPDATE|DELETE)\b/i),
  ),
  member(
    "rights",
    "Users may read private shared tables",
    ["validation/shared-access-levels-hold/tooOpen"],
    escalate("letUsersReadPrivateTables", /^SELECT (?!.*\bsystem\.)/is),
  ),
  member(
    "rights",
    "Users may read the system's tables",
    ["configuration/catalogue-columns-stable/openToUsers"],
    escalate("letUsersReadTheSystem", /^SELECT .*\bsystem\./is),
  ),
  member(
    "rights",
    "Users may act as other users",
    ["validation/own-rows-only/actedAs"],
    escalate("letUsersActAsOthers", /EXECUTE AS USER/i),
  ),
  member(
    "rights",
    "A request without a token is answered",
    ["validation/login-required/accepted"],
    letIn("needNoToken", (token) => token === undefined),
  ),
  member(
    "rights",
    "A token with a wrong signature is accepted",
    ["validation/login-required/accepted"],
    letIn("trustAnyToken", (token) => token?.startsWith("Bearer ey") === true),
  ),
  member(
    "rights",
    "Errors name files of the server",
    ["validation/errors-tell-no-secrets/leaks"],
    rewordRefusal(
      "nameFilesInErrors",
      /./s,
      (message) => `${message} at /var/lib/kalamdb/data/user/root/segment-0.parquet`,
    ),
  ),
];
