import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { saidOf, type Account, type Reply, type Said, type Target } from "../../../src/server/target.ts";
import { quoted } from "../../vocabulary/values.ts";

/** What leads elsewhere where a name becomes part of a path, put behind one of the run's own. */
const signs = { slash: "/x", dots: "/../x", "two dots": "..x", backslash: "\\x", NUL: "\u0000x" } as const;

type Sent = { readonly sql: string; readonly namespace?: string } | { readonly path: string };
interface Case {
  /** Where the name stands; cases of one place make one finding. */
  readonly place: string;
  readonly name: string;
  /** Where a plain user can do it, it is tried as one: that is who may want to. */
  readonly as: "dba" | "user";
  readonly send: (own: string, scratch: string) => Sent;
}

const inName = (value: string): string => `"${value.replaceAll('"', '""')}"`;
const each = (make: (sign: string, word: string) => Case): Case[] =>
  Object.entries(signs).map(([word, sign]) => make(sign, word));
const asUser = (name: string, sql: (own: string, scratch: string) => string): Case => ({
  place: name,
  name,
  as: "user",
  send: (own, scratch) => ({ sql: sql(`${own}/../x`, scratch) }),
});
const file = (name: string, path: (own: string, scratch: string) => string): Case => ({
  place: "address of a file",
  name,
  as: "user",
  send: (own, scratch) => ({ path: `/v1/files/${path(own, scratch)}` }),
});

const cases: readonly Case[] = [
  ...each((sign, word) => ({
    place: "CREATE NAMESPACE",
    name: `namespace with ${word}`,
    as: "dba",
    send: (own) => ({ sql: `CREATE NAMESPACE ${own}${sign}` }),
  })),
  ...each((sign, word) => ({
    place: "CREATE USER",
    name: `user with ${word}`,
    as: "dba",
    send: (own) => ({ sql: `CREATE USER ${quoted(own + sign)} WITH PASSWORD 'Kr1-Never-used-9' ROLE user` }),
  })),
  ...each((sign, word) => ({
    place: "CREATE TABLE",
    name: `table with ${word}`,
    as: "user",
    send: (own, scratch) => ({
      sql: `CREATE TABLE ${scratch}.${inName(`${own}${sign}`)} (id BIGINT PRIMARY KEY) WITH (TYPE='USER')`,
    }),
  })),
  ...each((sign, word) => ({
    place: "namespace_id",
    name: `namespace_id with ${word}`,
    as: "user",
    send: (own) => ({ sql: "SELECT id FROM t LIMIT 1", namespace: own + sign }),
  })),
  {
    place: "namespace_id",
    name: "namespace_id empty",
    as: "user",
    send: () => ({ sql: "SELECT id FROM t LIMIT 1", namespace: "" }),
  },
  {
    place: "CREATE USER",
    name: "user without a name",
    as: "dba",
    send: () => ({ sql: "CREATE USER '' WITH PASSWORD 'Kr1-Never-used-9' ROLE user" }),
  },
  {
    place: "ALTER USER",
    name: "ALTER USER",
    as: "dba",
    send: (own) => ({ sql: `ALTER USER ${quoted(`${own}/x`)} SET ROLE user` }),
  },
  { place: "DROP USER", name: "DROP USER", as: "dba", send: (own) => ({ sql: `DROP USER ${quoted(`${own}/x`)}` }) },
  {
    place: "DROP NAMESPACE",
    name: "DROP NAMESPACE",
    as: "dba",
    send: (own) => ({ sql: `DROP NAMESPACE ${inName(`${own}/x`)}` }),
  },
  asUser("EXECUTE AS USER", (bad) => `EXECUTE AS USER ${quoted(bad)} (SELECT 1)`),
  asUser("SELECT", (bad) => `SELECT id FROM ${inName(bad)}.t LIMIT 1`),
  asUser("INSERT", (bad) => `INSERT INTO ${inName(bad)}.t (id) VALUES (1)`),
  asUser("CREATE TABLE", (bad) => `CREATE TABLE ${inName(bad)}.t (id BIGINT PRIMARY KEY) WITH (TYPE='USER')`),
  asUser("DROP TABLE", (bad) => `DROP TABLE ${inName(bad)}.t`),
  asUser("DESCRIBE TABLE", (bad) => `DESCRIBE TABLE ${inName(bad)}.t`),
  asUser("USE", (bad) => `USE ${inName(bad)}`),
  file("file of a namespace", (own) => `${own}%2F..%2Fx/t/s/f`),
  file("file of a table", (_, scratch) => `${scratch}/..%2F..%2Ft/s/f`),
  file("file of a folder", (_, scratch) => `${scratch}/t/..%2F..%2Fs/f`),
  file("file id", (_, scratch) => `${scratch}/t/s/..%2F..%2F..%2Ff`),
  file("file id with NUL", (_, scratch) => `${scratch}/t/s/a%00b`),
  file("file of a user", (_, scratch) => `${scratch}/t/s/f?user_id=a%2F..%2Fb`),
];

type Tried = {
  readonly place: string;
  readonly case: string;
  readonly role: string;
  readonly sent: string;
  readonly said: Said;
  /** A plain query on a new connection just after it. */
  readonly next: Said;
};

function saidOfReply(reply: Reply): Said {
  const { exchange } = reply;
  if (reply.kind === "broken")
    return {
      kind: "unsure",
      status: reply.status ?? null,
      code: "",
      message: reply.detail,
      why: reply.because,
      exchange,
    };
  const kind = reply.status < 400 ? "ok" : "refused";
  return { kind, status: reply.status, code: "", message: reply.text.slice(0, 200), why: "", exchange };
}

async function send(target: Target, as: Account, what: Sent): Promise<Said> {
  if ("path" in what) return saidOfReply(await target.request(as, { method: "GET", path: what.path }));
  const { sql, namespace } = what;
  return saidOf(await target.sql(as, sql, namespace === undefined ? {} : { namespace }));
}

export const hostileNamesHarmless = defineCheck({
  id: "validation/hostile-names-harmless",
  title: "Names that lead elsewhere are refused and end nothing",
  failureTitle: "A name with a slash, dots or NUL breaks the server, or is taken",
  description: `On a server of our own, uses names with a slash, "..", a backslash or NUL, and empty ones, in ${cases.length} places: namespaces, users, tables, namespace_id, EXECUTE AS USER, file addresses; as a plain user wherever one may. Each must be refused with a status from 400 to 499, and a plain query on a new connection must be answered after it. Proper names in the same places must work.`,
  blindTo:
    "A debug build may only cut the connection where a release build ends as a whole; the check says what it saw. It does not look for files written elsewhere; security/paths-stay-inside does.",
  risk: "Anybody who may send one query can end the server for all, or reach another one's files.",
  remedy: "Let nobody you do not trust reach the SQL interface, and check names in a proxy, until this passes.",
  covers: [],
  touches: "process",
  needs: ["dba", "own-server"],
  alone: true,
  level: "block",
  estimateMs: 1_500,
  estimateRequests: 2 * cases.length + 5,
  findings: {
    crashed: {
      say: (d: { place: string; as: string; sent: string; outcome: string; of: number }) =>
        `${d.place}, as a ${d.as}: ${d.sent} ${d.outcome}${d.of > 1 ? ` (and ${d.of - 1} more there)` : ""}`,
    },
    accepted: {
      say: (d: { place: string; as: string; sent: string; outcome: string; of: number }) =>
        `${d.place}, as a ${d.as}: ${d.sent} was accepted: ${d.outcome}${d.of > 1 ? ` (and ${d.of - 1} more there)` : ""}`,
    },
  },
  async observe(target, context) {
    const { scratch } = context;
    const [op, user] = await Promise.all([target.account("dba"), target.account("user")]);
    const own = context.name("h");
    // What these names do wrongly must be the names' doing: proper ones in the same places work.
    const proper = [
      await target.sql(op, `CREATE NAMESPACE ${context.name("proper")}`),
      await target.sql(user, `CREATE TABLE ${scratch}.t (id BIGINT PRIMARY KEY) WITH (TYPE='USER')`),
      await target.sql(user, "SELECT id FROM t LIMIT 1", { namespace: scratch }),
      await target.sql(op, `EXECUTE AS USER '${user.name}' (SELECT 1)`),
    ].map(saidOf);
    const tried: Tried[] = [];
    for (const one of cases) {
      const as = one.as === "dba" ? op : user;
      const what = one.send(own, scratch);
      const said = await send(target, as, what);
      const next = saidOf(await target.sql(op, "SELECT 1 AS alive", { ownConnection: true }));
      const shown =
        "path" in what
          ? `GET ${what.path}`
          : what.sql + ("namespace" in what ? ` in ${JSON.stringify(what.namespace)}` : "");
      tried.push({
        place: one.place,
        case: one.name,
        role: one.as,
        sent: shown.replaceAll("\u0000", "<NUL>"),
        said,
        next,
      });
      // Nobody is there any more to ask for the rest.
      if (next.why === "unreachable") break;
    }
    return { proper, tried };
  },
  judge({ proper, tried }) {
    const crashed = byPlace(tried, ({ said, next }) => outcomeOf(said, next));
    const accepted = byPlace(tried, ({ said }) => (said.kind === "ok" ? said.message : undefined));
    const found = [
      ...crashed.map((one) => ({ name: "crashed" as const, ...one })),
      ...accepted.map((one) => ({ name: "accepted" as const, ...one })),
    ];
    const dead = proper.find(({ kind }) => kind !== "ok");
    if (dead !== undefined || proper.length < 4)
      return unknown(`a proper name does not work either: ${dead?.message ?? "it was not tried"}`);
    if (found.length > 0) return fail(...found);
    const vague = tried.find(({ said, next }) => !isRefusal(said) || next.kind !== "ok");
    if (vague !== undefined) {
      const { said, next } = vague;
      const which = isRefusal(said) ? next : said;
      return unknown(`${vague.case}: neither refused nor broken, but ${which.status ?? which.why} ${which.message}`);
    }
    if (tried.length < cases.length) return unknown(`only ${tried.length} of ${cases.length} names were tried`);
    return pass(`${tried.length} of ${tried.length} names refused, and each time a plain query was answered after it`);
  },
});

/** One finding for each place, with the first of its cases that shows it. What a plain user can do comes first. */
function byPlace(tried: readonly Tried[], shows: (one: Tried) => string | undefined) {
  const places = [...new Set(tried.map(({ place }) => place))];
  const found = places.flatMap((place) => {
    const showing = tried.filter((one) => one.place === place && shows(one) !== undefined);
    const [first] = showing;
    if (first === undefined) return [];
    const data = { place, as: first.role, sent: first.sent, outcome: shows(first) ?? "", of: showing.length };
    return [{ case: place, data, sent: showing.map(({ said }) => said.exchange) }];
  });
  return found.toSorted((one, two) => two.data.as.localeCompare(one.data.as));
}

/** What broke; undefined if nothing did. */
function outcomeOf(said: Said, next: Said): string | undefined {
  const isCut = ["reset", "cut", "malformed"].includes(said.why);
  if (next.why === "unreachable" || next.why === "reset") return "ended the server: nobody answers any more";
  if (isCut) return `cut the connection (${said.why})`;
  return said.status !== null && said.status >= 500 && said.status !== 503
    ? `got ${said.status} ${said.message}`
    : undefined;
}

function isRefusal({ status }: Said): boolean {
  return status !== null && status >= 400 && status <= 499 && status !== 429;
}
