import { defineCheck, pass, unknown } from "../../../src/check.ts";
import {
  saidOf,
  type Account,
  type Answer,
  type Reply,
  type Said,
  type Target,
  truncated,
} from "../../../src/server/target.ts";
import { createTable } from "../../vocabulary/tables.ts";
import { askedTwice, isPassing, isServerError } from "../../vocabulary/second-look.ts";
import { cases, type Sent } from "./cases.ts";

type Tried = {
  readonly place: string;
  readonly case: string;
  readonly role: string;
  readonly sent: string;
  readonly said: Said;
  /** A simple query on a new connection right after it, asked again if it was not answered. */
  readonly next: Said;
};
/** A valid name in one of the places, before any hostile one. */
type Control = { readonly place: string; readonly said: Said };
/** The first case of a place, and how many cases of that place show the same. */
type Data = {
  readonly place: string;
  readonly as: string;
  readonly sent: string;
  readonly outcome: string;
  readonly of: number;
};

/** A hostile request may hang the server: all of this together must end within the check's time limit. */
const answerWithinMs = 10_000;
const aliveWithinMs = 5_000;
const aliveTries = 3;

export const hostileNamesHarmless = defineCheck({
  id: "validation/hostile-names-harmless",
  title: "Path-like names are rejected and do not crash the server",
  failureTitle: "A path-like name is accepted or breaks the server",
  description: `On a server that kalam-ready started, sends ${cases.length} requests with names that contain a slash, "..", a backslash or NUL, or are empty: namespaces, users, tables, namespace_id, EXECUTE AS USER, file URLs; as a plain user wherever possible. Each must be rejected with a 4xx status, and a simple query on a new connection must be answered after it. Valid names in the same places must work, or a rejection shows nothing; a server that breaks is reported all the same.`,
  blindTo:
    "A debug build may only drop the connection where a release build crashes; the check reports what it saw. It does not look for files written elsewhere; the security category does.",
  risk: "Anyone who can send a query can stop the server for all users.",
  remedy: "Let only trusted clients reach the SQL interface, or validate names in a proxy, until this is fixed.",
  covers: [],
  touches: "process",
  needs: ["dba", "own-server"],
  alone: true,
  level: "block",
  estimateMs: 1_500,
  estimateRequests: 2 * cases.length + 5,
  findings: {
    crashed: { say: (d: Data) => `${whereText(d)} ${d.outcome}${moreText(d)}` },
    accepted: {
      say: (d: Data) => `${whereText(d)} was accepted: ${d.outcome}${moreText(d)}`,
      risk: "A name that becomes part of a path can reach the files of other users or of the server.",
    },
  },
  async observe(target, context) {
    const { scratch } = context;
    const [op, user] = await Promise.all([target.account("dba"), target.account("user")]);
    const own = context.name("h");
    // A refusal is kept for the judge: the server may break at hostile names all the same.
    const controls: Control[] = [];
    const control = async (place: string, asked: Promise<Answer>): Promise<void> => {
      const answer = await asked;
      if (answer.kind === "unsure") context.need(answer, `${place}: the server did not answer before any hostile name`);
      controls.push({ place, said: saidOf(answer) });
    };
    await control("CREATE NAMESPACE", target.sql(op, `CREATE NAMESPACE ${context.name("proper")}`));
    const table = createTable(`${scratch}.t`, { columns: "id BIGINT PRIMARY KEY" });
    await control("CREATE TABLE", target.sql(user, table));
    await control("namespace_id", target.sql(user, "SELECT id FROM t LIMIT 1", { namespace: scratch }));
    await control("EXECUTE AS USER", target.sql(op, `EXECUTE AS USER '${user.name}' (SELECT 1)`));
    const tried: Tried[] = [];
    for (const { place, name, as, send: make } of cases) {
      const what = make(own, scratch);
      const alive = async (): Promise<Said> => await isAlive(target, op);
      const attempt = async (): Promise<Said> => await send(target, as === "dba" ? op : user, what);
      // A connection that breaks once may have broken by chance.
      const { first, last: again } = await askedTwice(attempt, isBroken, alive);
      // If it ended the server, the second attempt finds none.
      const said = again.why === "unreachable" ? first : again;
      const last = tried.at(-1);
      if (said.why === "unreachable" && last !== undefined) {
        // This one never arrived: the server ended after it had answered the one before.
        tried.splice(-1, 1, { ...last, next: said });
        break;
      }
      const next = await alive();
      tried.push({ place, case: name, role: as, sent: textOf(what), said, next });
      // The server is gone: there is nothing to send the rest to.
      if (next.why === "unreachable" || next.why === "timeout") break;
    }
    return { controls, tried };
  },
  judge({ controls, tried }, { found }) {
    for (const { data, sent } of byPlace(tried, breakage)) found.crashed(data, { case: data.place, sent });
    for (const { data, sent } of byPlace(tried, ({ said }) => (said.kind === "ok" ? said.message : undefined)))
      found.accepted(data, { case: data.place, sent });
    for (const { place, said } of controls)
      if (said.kind !== "ok") return unknown(`${place}: a valid name does not work either: ${said.message}`);
    for (const { case: name, said, next } of tried) {
      if (isRefusal(said) && next.kind === "ok") continue;
      const { status, why, message } = isRefusal(said) ? next : said;
      return unknown(`${name}: neither rejected nor broken: ${status ?? why} ${message}`);
    }
    if (tried.length < cases.length) return unknown(`only ${tried.length} of ${cases.length} names were tried`);
    return pass(`${tried.length} of ${tried.length} names rejected, and a simple query was answered after each`);
  },
});

async function send(target: Target, as: Account, what: Sent): Promise<Said> {
  const timeoutMs = answerWithinMs;
  if ("path" in what) return saidOfReply(await target.request(as, { method: "GET", path: what.path, timeoutMs }));
  const { sql, namespace } = what;
  return saidOf(await target.sql(as, sql, { timeoutMs, ...(namespace === undefined ? {} : { namespace }) }));
}

async function isAlive(target: Target, op: Account): Promise<Said> {
  for (let tries = 1; ; tries += 1) {
    const ask = { ownConnection: true, timeoutMs: aliveWithinMs };
    const said = saidOf(await target.sql(op, "SELECT 1 AS alive", ask));
    if (said.why !== "timeout" || tries === aliveTries) return said;
  }
}

function saidOfReply(reply: Reply): Said {
  const { exchange } = reply;
  if (reply.kind === "broken") {
    const { status = null, detail: message, because: why } = reply;
    return { kind: "unsure", status, code: "", message, why, exchange };
  }
  const kind = reply.status < 400 ? "ok" : "refused";
  return { kind, status: reply.status, code: "", message: truncated(reply.text, 200), why: "", exchange };
}

function textOf(what: Sent): string {
  const text =
    "path" in what
      ? `GET ${what.path}`
      : what.sql + (what.namespace === undefined ? "" : ` in ${JSON.stringify(what.namespace)}`);
  return text.replaceAll("\u0000", "<NUL>");
}

function whereText({ place, as, sent }: Data): string {
  return `${place}, as a ${as}: ${sent}`;
}

function moreText({ of }: Data): string {
  return of > 1 ? ` (and ${of - 1} more there)` : "";
}

/** For each place the first case for which `show` has a text, those of a plain user before those of a dba. */
function byPlace(tried: readonly Tried[], show: (one: Tried) => string | undefined) {
  const places = [...new Set(tried.map(({ place }) => place))];
  const all = places.flatMap((place) => {
    const showing = tried.filter((one) => one.place === place && show(one) !== undefined);
    const [first] = showing;
    if (first === undefined) return [];
    const data = { place, as: first.role, sent: first.sent, outcome: show(first) ?? "", of: showing.length };
    return [{ data, sent: showing.map(({ said }) => said) }];
  });
  return all.toSorted((one, two) => two.data.as.localeCompare(one.data.as));
}

/** What broke; undefined if nothing did. */
function breakage({ said, next }: Tried): string | undefined {
  if (next.why === "unreachable" || next.why === "reset") return "stopped the server: it is unreachable";
  if (next.why === "timeout") return `stopped the server: it answers no simple query, asked ${aliveTries} times`;
  if (isBroken(said)) return `broke the connection (${said.why}), twice`;
  return isServerError(said.status) ? `got ${said.status} ${said.message}` : undefined;
}

function isBroken({ why, status }: Said): boolean {
  return ["reset", "cut", "malformed"].includes(why) && !isPassing(status);
}

function isRefusal({ status }: Said): boolean {
  return status !== null && status >= 400 && status <= 499 && status !== 429;
}
