import { defineCheck, fail, pass, unknown, type FoundOf } from "../../../src/check.ts";
import { saidOf, type Account, type Live, type Said, type Target } from "../../../src/server/target.ts";
import { connect, fenceArrives, textsIn } from "../../vocabulary/following.ts";
import { openingOf, openingText, type Opening } from "../../vocabulary/opening.ts";

/** One account and one table: what SELECT says, and what a subscription. */
type Access = {
  readonly who: string;
  readonly table: "PUBLIC" | "PRIVATE" | "tightened";
  readonly select: Said;
  readonly opening: Opening;
};

type Tightened = {
  readonly said: Said;
  /** What the user's SELECT says afterwards: only then is it known that the table is closed to users. */
  readonly select: Said;
  /** Rows written after that, as those with the right were told, and as the user was. */
  readonly written: number;
  readonly insiders: number;
  readonly leaked: number;
  /** Whether rows that were for the user, in another table, came after those on the same connection. */
  readonly fenced: boolean;
  /** The code with which that connection ended, after the table was closed; null where it went on. */
  readonly ended: number | null;
  /** Before: whether the user's subscription was alive. */
  readonly alive: boolean;
  readonly exchange: number;
};

const secrets = 2;

type Seen = {
  readonly why: string | null;
  readonly access: readonly Access[];
  /** Null where somebody did not get to listen. */
  readonly tightened: Tightened | null;
};

const findings = {
  tooOpen: {
    say: (d: { who: string; table: string; select: string }) =>
      `a ${d.who} may subscribe to a ${d.table} table, and SELECT says ${d.select}`,
  },
  tooClosed: {
    say: (d: { who: string; table: string; refusal: string }) =>
      `a ${d.who} may SELECT from a ${d.table} table and not subscribe to it: ${d.refusal}`,
  },
  lateRevoke: {
    say: (d: { leaked: number; of: number }) =>
      `${d.leaked} of ${d.of} rows written after the table was made PRIVATE were told to a user whose SELECT is refused`,
  },
};

export const sharedTablesLive = defineCheck({
  id: "subscriptions/shared-tables-live",
  title: "Live queries on shared tables heed the access level",
  failureTitle: "Live queries on shared tables do not heed access levels",
  description:
    "A user and a service account read and subscribe to a PUBLIC and a PRIVATE table: who may SELECT may subscribe, who may not may not. Then the PUBLIC table is made PRIVATE while the user listens: once his SELECT is refused, he must be told nothing more.",
  blindTo:
    "RESTRICTED tables and other roles are for validation/shared-access-levels-hold; row policies of newer versions.",
  risk: "Somebody whose right was taken away goes on reading along, for as long as the connection lasts.",
  remedy: "After tightening a table, kill the live queries on it (KILL LIVE QUERY) or restart the server.",
  covers: ["SUB-05"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_000,
  estimateRequests: 24,
  findings,
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const user = await target.account("user", "reader");
    const service = await target.account("service", "writer");
    const { scratch } = context;
    const nothing = { access: [], tightened: null };
    for (const [name, level] of [
      ["shown", "PUBLIC"],
      ["hidden", "PRIVATE"],
      ["calm", "PUBLIC"],
    ] as const) {
      const made = await target.sql(
        op,
        `CREATE TABLE ${scratch}.${name} (id BIGINT PRIMARY KEY, v TEXT) WITH (TYPE='SHARED', ACCESS_LEVEL='${level}')`,
      );
      if (made.kind !== "ok") return { ...nothing, why: `the ${level} table could not be made: ${made.message}` };
      await target.sql(service, `INSERT INTO ${scratch}.${name} (id, v) VALUES (1, 'first')`);
    }
    const outside = await connect(target, user);
    const inside = await connect(target, service);
    if ("why" in outside) return { ...nothing, why: outside.why };
    if ("why" in inside) return { ...nothing, why: inside.why };
    const access: Access[] = [];
    for (const [live, as] of [
      [outside, user],
      [inside, service],
    ] as const) {
      access.push(await tryAccess(target, live, as, `${scratch}.shown`, "PUBLIC"));
      access.push(await tryAccess(target, live, as, `${scratch}.hidden`, "PRIVATE"));
    }
    const tightened = await tighten(target, { op, user, service, outside, inside, scratch });
    if (tightened !== null) {
      const again = outside.closed() === undefined ? outside : await connect(target, user);
      if ("why" in again) return { access, tightened, why: again.why };
      access.push(await tryAccess(target, again, user, `${scratch}.shown`, "tightened"));
    }
    return { why: null, access, tightened };
  },
  judge({ why, access, tightened }) {
    if (why !== null) return unknown(why);
    const found: FoundOf<typeof findings>[] = [];
    for (const { who, table, select, opening } of access) {
      const common = { case: `${who} ${table}`, sent: [select.exchange, opening.exchange] };
      const select403 = select.kind === "refused" && select.why === "permission";
      if (opening.kind === "ready" && (select403 || (who === "user" && table !== "PUBLIC")))
        found.push({ name: "tooOpen", ...common, data: { who, table, select: select403 ? "no" : select.kind } });
      if (opening.kind === "refused" && opening.reason === "right" && select.kind === "ok")
        found.push({ name: "tooClosed", ...common, data: { who, table, refusal: openingText(opening) } });
    }
    const closed = tightened?.select.kind === "refused" && tightened.select.why === "permission";
    if (tightened !== null && closed && tightened.leaked > 0) {
      const data = { leaked: tightened.leaked, of: tightened.written };
      found.push({ name: "lateRevoke", data, sent: [tightened.exchange, tightened.said.exchange] });
    }
    if (found.length > 0) return fail(...found);
    const odd = access.find(
      ({ opening, select }) =>
        (opening.kind !== "ready" && opening.reason !== "right") ||
        (select.kind !== "ok" && select.why !== "permission"),
    );
    if (odd !== undefined)
      return unknown(`${odd.who}, ${odd.table}: SELECT ${odd.select.kind}, subscription ${openingText(odd.opening)}`);
    if (tightened === null || tightened.said.kind !== "ok" || !closed)
      return unknown(
        `the PUBLIC table could not be made PRIVATE: ${tightened?.said.message ?? "nobody listened to it"}`,
      );
    if (!tightened.alive) return unknown("the user's subscription told nothing even before the table was closed");
    if (tightened.insiders < tightened.written)
      return unknown(`even the service account was told only ${tightened.insiders} of ${tightened.written} rows`);
    const { ended } = tightened;
    // To be sent away for want of a right is as good as to be told nothing; a connection that breaks shows nothing.
    const sentAway = ended === 1008 || (ended !== null && ended >= 3000);
    if (!tightened.fenced && !sentAway)
      return unknown("the user's connection did not bring what was written for it afterwards");
    return pass(
      `${access.length} of ${access.length} accesses as SELECT has them; none of ${tightened.written} rows told after the table was closed${sentAway ? `, the user's connection ended with ${ended}` : ""}`,
    );
  },
});

async function tryAccess(
  target: Target,
  live: Live,
  as: Account,
  name: string,
  table: Access["table"],
): Promise<Access> {
  const select = saidOf(await target.sql(as, `SELECT id FROM ${name} LIMIT 10`));
  const subscription = await live.subscribe(`SELECT * FROM ${name}`);
  return { who: as.role, table, select, opening: openingOf(await subscription.begin(), subscription) };
}

interface Parties {
  readonly op: Account;
  readonly user: Account;
  readonly service: Account;
  readonly outside: Live;
  readonly inside: Live;
  readonly scratch: string;
}

/** Closes the table under the user's eyes; null where the user, or nobody, was listening. */
async function tighten(
  target: Target,
  { op, user, service, outside, inside, scratch }: Parties,
): Promise<Tightened | null> {
  const write = async (table: string, id: number, v: string) =>
    await target.sql(service, `INSERT INTO ${scratch}.${table} (id, v) VALUES (${id}, '${v}')`);
  const [his, ours, calm] = [
    await outside.subscribe(`SELECT * FROM ${scratch}.shown`),
    await inside.subscribe(`SELECT * FROM ${scratch}.shown`),
    await outside.subscribe(`SELECT * FROM ${scratch}.calm`),
  ];
  const begun = [await his.begin(), await ours.begin(), await calm.begin()];
  if (begun.some(({ kind }) => kind !== "ready")) return null;
  await write("shown", 2, "for all");
  const alive = await fenceArrives(his, "v", "for all");
  const said = saidOf(
    await target.sql(op, `ALTER TABLE ${scratch}.shown SET TBLPROPERTIES (ACCESS_LEVEL = 'PRIVATE')`),
  );
  const select = saidOf(await target.sql(user, `SELECT id FROM ${scratch}.shown LIMIT 10`));
  let insiders = 0;
  let fenced = true;
  for (let n = 1; n <= secrets; n += 1) {
    await write("shown", 10 + n, `secret ${n}`);
    if (await fenceArrives(ours, "v", `secret ${n}`)) insiders += 1;
    // Another table, so in no order with the secret; but by the second of these the first secret had a whole round.
    await write("calm", 10 + n, `calm ${n}`);
    fenced = (await fenceArrives(calm, "v", `calm ${n}`)) && fenced;
  }
  const leaked = textsIn(his, "v").filter((text) => text.startsWith("secret")).length;
  const ended = outside.closed()?.code ?? null;
  return { said, select, written: secrets, insiders, leaked, fenced, ended, alive, exchange: his.exchange };
}
