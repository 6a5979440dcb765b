/** A shared table is closed to users while a user is subscribed to it. */
import { rowsOf, saidOf, type Account, type Live, type Said, type Target } from "../../../src/server/target.ts";
import { fenceArrives, textsIn } from "../../vocabulary/following.ts";
import { tryToSubscribe } from "../../vocabulary/opening.ts";
import { changeReaders } from "../../vocabulary/tables.ts";

const secrets = 2;

export type Tightened = {
  readonly said: Said;
  /** The user's SELECT afterwards: only its refusal, or that it shows no rows, shows that the table is closed to users. */
  readonly select: Said;
  readonly selected: number;
  /** Rows written after that, and how many of them the service account and the user received. */
  readonly written: number;
  readonly insiders: number;
  readonly leaked: number;
  /** Whether rows of another table, open to the user, arrived after them on the same connection. */
  readonly fenced: boolean;
  /** The code with which that connection was closed after the table was closed; null if it stayed open. */
  readonly ended: number | null;
  /** Whether the user's subscription delivered changes before. */
  readonly alive: boolean;
  readonly exchange: number;
};

interface Parties {
  readonly op: Account;
  readonly user: Account;
  readonly service: Account;
  readonly userLive: Live;
  readonly serviceLive: Live;
  readonly scratch: string;
}

/** Null where one of the subscriptions did not begin. */
export async function tighten(
  target: Target,
  { op, user, service, userLive, serviceLive, scratch }: Parties,
): Promise<Tightened | null> {
  const table = `${scratch}.shown`;
  const write = async (name: string, id: number, v: string) =>
    await target.sql(service, `INSERT INTO ${scratch}.${name} (id, v) VALUES (${id}, '${v}')`);
  const opened = [
    await tryToSubscribe(userLive, `SELECT * FROM ${table}`),
    await tryToSubscribe(serviceLive, `SELECT * FROM ${table}`),
    await tryToSubscribe(userLive, `SELECT * FROM ${scratch}.calm`),
  ] as const;
  if (opened.some(({ opening }) => opening.kind !== "ready")) return null;
  const [users, services, calm] = [opened[0].subscription, opened[1].subscription, opened[2].subscription];
  await write("shown", 2, "for all");
  const alive = await fenceArrives(users, "v", "for all");
  const said = saidOf(await target.sql(op, changeReaders(target.dialect, table, { open: false })));
  const read = await target.sql(user, `SELECT id FROM ${table} LIMIT 10`);
  let insiders = 0;
  let fenced = true;
  for (let n = 1; n <= secrets; n += 1) {
    await write("shown", 10 + n, `secret ${n}`);
    if (await fenceArrives(services, "v", `secret ${n}`)) insiders += 1;
    // Another table, so in no order with the secret; but by the second of these the first secret has had a full round trip.
    await write("calm", 10 + n, `calm ${n}`);
    fenced = (await fenceArrives(calm, "v", `calm ${n}`)) && fenced;
  }
  const leaked = textsIn(users, "v").filter((text) => text.startsWith("secret")).length;
  const ended = userLive.closed()?.code ?? null;
  const select = { select: saidOf(read), selected: rowsOf(read)?.length ?? 0 };
  return { said, ...select, written: secrets, insiders, leaked, fenced, ended, alive, exchange: users.exchange };
}

/** Closed for lack of permission, as opposed to a connection that broke. */
export function isClosedForPermission({ ended }: Tightened): boolean {
  return ended === 1008 || (ended !== null && ended >= 3000);
}
