/** The one look at the PostgreSQL port that three checks judge: who gets in, how, from where, and which rows it returns. */
import { defineObservation } from "../../../src/check.ts";
import { cellText, rowsOf, type Account, type PostgresSaid, type Target } from "../../../src/server/target.ts";
import { makeTable } from "../../vocabulary/tables.ts";

type Cells = readonly (string | null)[];

/** `again`: the second look at what should not happen; null where the first was as expected. */
export type WrongLogin = {
  readonly case: string;
  readonly user: string;
  readonly said: PostgresSaid;
  readonly again: PostgresSaid | null;
};

export type Seen = {
  /** `host:port`. */
  readonly name: string;
  /** The user or the server's settings say that the port is there. */
  readonly named: boolean;
  readonly isLoopback: boolean;
  /** A text that only this server has, in a row of the account that logs in. */
  readonly mark: string;
  /** A text in a row of another account. */
  readonly foreignMark: string;
  /** The account's rows over HTTP, before and after. */
  readonly http: { readonly before: readonly Cells[]; readonly after: readonly Cells[] };
  /** The account's own login, with the same query twice. */
  readonly right: PostgresSaid;
  readonly wrong: readonly WrongLogin[];
  /** A login of nobody at other addresses of this machine. */
  readonly elsewhere: readonly { readonly address: string; readonly said: PostgresSaid }[];
  /** What system.sessions shows; null where it cannot be read. */
  readonly sessions: { readonly shown: boolean; readonly left: readonly string[] } | null;
  /** The server counted the failed logins there as failures of the account. */
  readonly counted: boolean;
};

export const columns = ["id", "n", "flag", "amount", "note"] as const;
const addressesMax = 3;

export const wrongCases = ["a wrong password", "an empty password", "an unknown user"] as const;

export const postgresPort = defineObservation<Seen>({
  id: "validation/postgres-port",
  touches: "scratch",
  needs: ["dba", "postgres"],
  uses: { user: 2 },
  estimateMs: 2_500,
  estimateRequests: 25,
  async observe(target, context) {
    const port = context.need(target.postgres, "no PostgreSQL port was found");
    const [op, other, own] = [await target.account("dba"), await target.account("user"), await target.fresh("user")];
    const table = await makeTable(target, context, op, `${context.scratch}.read`, {
      columns: "id BIGINT PRIMARY KEY, n INT, flag BOOLEAN, amount DOUBLE, note TEXT",
    });
    const [mark, foreignMark] = [`${context.scratch} own`, `${context.scratch} foreign`];
    const insert = `INSERT INTO ${table} (${columns.join(", ")}) VALUES `;
    const values = [
      `(1, 7, true, 0.1, '${mark}')`,
      "(2, -2147483648, false, -2.5, 'it''s \"quoted\", ä 😀 \\ %')",
      "(3, NULL, NULL, NULL, NULL)",
      "(9007199254740993, 0, true, 1e15, '')",
    ];
    context.need(await target.sql(own, insert + values.join(", ")), "the rows could not be inserted");
    context.need(await target.sql(other, `${insert}(5, 5, true, 5, '${foreignMark}')`), "the row of another account");
    const select = `SELECT ${columns.join(", ")} FROM ${table} ORDER BY id`;
    const read = async (): Promise<readonly Cells[]> => {
      const answer = context.need(await target.sql(own, select), "the rows could not be read over HTTP");
      return (rowsOf(answer) ?? []).map((row) => columns.map((name) => textOf(row[name])));
    };
    const failures = async (): Promise<number> => {
      const answer = await target.sql(
        op,
        `SELECT failed_login_attempts FROM system.users WHERE user_id = '${own.name}'`,
      );
      if (answer.kind === "unsure") context.need(answer, "the failed logins could not be read");
      return Number(rowsOf(answer)?.[0]?.["failed_login_attempts"] ?? 0);
    };
    const sessions = async (): Promise<readonly Session[] | null> => {
      const answer = await target.sql(op, "SELECT session_id, authenticated_user_id FROM system.sessions LIMIT 500");
      if (answer.kind === "unsure") context.need(answer, "the sessions could not be read");
      const rows = rowsOf(answer);
      return (
        rows?.map((row) => ({ id: cellText(row["session_id"]), user: cellText(row["authenticated_user_id"]) })) ?? null
      );
    };

    const before = await read();
    let during: readonly Session[] | null = null;
    const right = await port.call(
      { account: own },
      { queries: [select, select], meanwhile: async () => void (during = await sessions()) },
    );
    const failedBefore = await failures();
    const nobody = `${context.scratch}_nobody`;
    const wrong: WrongLogin[] = [];
    for (const [name, user, wrongPassword] of [
      [wrongCases[0], own.name, "not-the-password-1"],
      [wrongCases[1], own.name, ""],
      [wrongCases[2], nobody, "not-a-password-1"],
    ] as const)
      wrong.push(await tryWrong(target, name, { user, wrongPassword }, select));
    const counted = (await failures()) > failedBefore;
    const elsewhere: { readonly address: string; readonly said: PostgresSaid }[] = [];
    for (const address of port.isLoopback ? port.ownAddresses.slice(0, addressesMax) : []) {
      const login = { user: nobody, wrongPassword: "not-a-password-1" };
      elsewhere.push({ address, said: await port.call(login, { at: address }) });
    }
    return {
      name: port.name,
      named: port.named,
      isLoopback: port.isLoopback,
      mark,
      foreignMark,
      http: { before, after: await read() },
      right,
      wrong,
      elsewhere,
      sessions: await leftOf(during, own, nobody, async () =>
        context.poll(sessions, (now) => leftIn(now, during, [own.name, nobody]).length === 0, {
          withinMs: 2_000,
          everyMs: 200,
        }),
      ),
      counted,
    };
  },
});

type Session = { readonly id: string; readonly user: string };

async function tryWrong(
  target: Target,
  name: string,
  login: { readonly user: string; readonly wrongPassword: string },
  query: string,
): Promise<WrongLogin> {
  const look = async (): Promise<PostgresSaid | null> =>
    (await target.postgres?.call(login, { queries: [query] })) ?? null;
  const said = (await look()) ?? { kind: "unreached", detail: "no PostgreSQL port", exchange: 0 };
  const isRefused = said.kind === "reached" && said.login.kind === "refused";
  return { case: name, user: login.user, said, again: isRefused ? null : await look() };
}

/** Sessions of these users that were not there during the right login. */
function leftIn(now: readonly Session[] | null, during: readonly Session[] | null, users: readonly string[]): string[] {
  const known = new Set(during?.map(({ id }) => id));
  return (now ?? []).filter(({ id, user }) => users.includes(user) && !known.has(id)).map(({ user }) => user);
}

async function leftOf(
  during: readonly Session[] | null,
  own: Account,
  nobody: string,
  last: () => Promise<readonly Session[] | null>,
): Promise<Seen["sessions"]> {
  if (during === null) return null;
  const shown = during.some(({ user }) => user === own.name);
  return { shown, left: leftIn(await last(), during, [own.name, nobody]) };
}

function textOf(cell: Parameters<typeof cellText>[0]): string | null {
  return cell === null || cell === undefined ? null : cellText(cell);
}

/** How it is known that the port is this server's; undefined if it is not. */
export function identityOf({ named, counted, right, mark }: Seen): "named" | "counted" | "rows" | undefined {
  if (named) return "named";
  if (rowsIn(right)?.some((row) => row.includes(mark)) === true) return "rows";
  return counted ? "counted" : undefined;
}

/** The rows of the nth query; undefined where it has none. */
export function rowsIn(said: PostgresSaid, nth = 0): readonly Cells[] | undefined {
  const result = said.kind === "reached" ? said.results[nth] : undefined;
  return result?.kind === "rows" ? result.rows : undefined;
}

export type Reached = Extract<PostgresSaid, { readonly kind: "reached" }>;

/** The right login where the port answered it, or why nothing can be said of the port at all. */
export function answered({ name, right }: Seen): Reached | string {
  if (right.kind === "unreached") return right.detail;
  if (right.kind === "foreign") return `${name}: ${right.detail}`;
  return right.login.kind === "broken" ? `${name}: ${right.login.detail}` : right;
}

export function notKnownToBeOurs({ name }: Seen): string {
  return `${name} is not known to be this server's; name the PostgreSQL port with --postgres`;
}
