import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { rowsOf, saidOf, type Account, type Said, type Target } from "../../../src/server/target.ts";
import { tryLogin } from "../../vocabulary/logins.ts";
import { isLate, paceText, waitPatiently, whySlow, type Pace } from "../../vocabulary/pace.ts";

const recordedWithinMs = 5_000;
const pollEveryMs = 250;

const failureWords = /fail|invalid|wrong|denied|refus|reject|forbidden|not allowed|permission/i;
const isLogin = (row: string): boolean => /log-?in|password/i.test(row);
/** What fails, and how to recognise a row about it; the row must also name the account. */
const failures: readonly { failure: string; isAbout: (row: string) => boolean }[] = [
  { failure: "a login with a wrong password", isAbout: (row) => isLogin(row) && failureWords.test(row) },
  { failure: "a query without permission", isAbout: (row) => !isLogin(row) && failureWords.test(row) },
];

/** A view that may record failures. */
type Place = {
  readonly place: string;
  readonly said: Said;
  /** Whether the view has any rows: an empty one may not be in use. */
  readonly kept: boolean;
  /** How many rows there are about each of `failures`. */
  readonly rows: readonly number[];
};
type Secret = { readonly place: string; readonly secret: string; readonly exchange: number };

export const failuresRecorded = defineCheck({
  id: "observability/failures-recorded",
  title: "Failed logins and refused queries are logged",
  failureTitle: "Failures are not logged, or a password is",
  description: `Logs in once with a wrong password, reads a system view as a plain user and sends a CREATE USER that must be refused. Within ${recordedWithinMs / 1000} s, system.audit_log or system.server_logs must have a row about each of the first two that names the account, and no row may contain any of the three passwords.`,
  blindTo:
    "Only what the server shows over SQL is checked. A log that is only in a file is not seen; the result is then unknown.",
  risk: "An attack leaves no trace.",
  remedy: "Set logging.format to json and logging.level to info, so that system.server_logs shows the server's log.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 800,
  estimateRequests: 10,
  findings: {
    unrecorded: {
      say: (d: { failure: string; account: string; places: readonly string[]; pace: Pace }) =>
        `${d.failure} by ${d.account} is not recorded in ${d.places.join(" or ")} after ${d.pace.waitedMs} ms, ${paceText(d.pace)}`,
      timed: true,
    },
    secretShown: {
      say: (d: { place: string; secret: string }) => `a row in ${d.place} contains ${d.secret} in clear text`,
      risk: "Everyone who can read the log can read passwords.",
      remedy: "Restrict access to the log and its backups, and change the passwords that were used since it began.",
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    // Its failed login stays on its record, so no other check may use it.
    const user = await target.fresh("user");
    const { scratch } = context;
    const wrong = `Kr1-wrong-${scratch}`;
    const refused = `Kr1-refused-${scratch}`;
    const passwords = {
      "the password of an account": target.password(user),
      "a wrong password from a login": wrong,
      "the password of a refused CREATE USER": refused,
    };
    const newcomer = context.accountName("nobody");
    // Sent first: once the other two are logged, this one is logged too.
    const role = saidOf(await target.sql(op, `CREATE USER '${newcomer}' WITH PASSWORD '${refused}' ROLE nobody`));
    if (role.kind !== "refused") await target.sql(op, `DROP USER IF EXISTS '${newcomer}'`);
    const login = (await tryLogin(target, user.name, wrong)).said;
    const query = saidOf(await target.sql(user, "SELECT * FROM system.users LIMIT 1"));
    const look = async () => await lookEverywhere(target, op, { user: user.name, scratch, passwords });
    const isRecorded = ({ places }: { readonly places: readonly Place[] }): boolean =>
      failures.every((_, at) => places.some(({ rows }) => (rows[at] ?? 0) > 0));
    const { value: seen, pace } = await waitPatiently(target, op, {
      floorMs: recordedWithinMs,
      wait: async (withinMs) => await context.poll(look, isRecorded, { withinMs, everyMs: pollEveryMs }),
      done: isRecorded,
    });
    return { account: user.name, role, login, query, ...seen, pace };
  },
  judge({ account, role, login, query, places, secrets, pace }, { found }) {
    for (const { place, secret, exchange } of secrets)
      found.secretShown({ place, secret }, { case: place, sent: [exchange] });
    const kept = places.filter((one) => one.kept);
    const missing = failures
      .map(({ failure }, at) => ({ failure, at, exchange: [login.exchange, query.exchange][at] ?? 0 }))
      .filter(({ at }) => (at === 0 ? login.kind === "refused" : query.why === "permission"))
      .filter(({ at }) => kept.every(({ rows }) => (rows[at] ?? 0) === 0));
    // A failure may be recorded in a view that could not be read, so nothing is missing until all could.
    if (kept.length === places.length && places.length > 0 && isLate(pace))
      for (const { failure, exchange } of missing)
        found.unrecorded(
          { failure, account, places: kept.map(({ place }) => place), pace },
          { case: failure, sent: [exchange] },
        );
    if (login.kind !== "refused") return unknown(`the wrong password was not refused: ${login.outcome}`);
    if (query.why !== "permission") return unknown(`the query was not refused for permission: ${query.message}`);
    if (role.kind !== "refused") return unknown(`CREATE USER with an unknown role was not refused: ${role.message}`);
    const [first] = missing;
    if (first !== undefined) {
      const unread = places
        .filter((one) => !one.kept)
        .map(({ place, said }) => `${place} ${said.kind === "ok" ? "is empty" : said.message}`);
      if (unread.length === 0) return unknown(`${first.failure} was not recorded yet; ${whySlow(pace)}`);
      return unknown(`${first.failure} is not recorded where it can be read: ${unread.join("; ")}`);
    }
    const where = kept
      .filter(({ rows }) => rows.some((count) => count > 0))
      .map(({ place, rows }) => `${rows.join(" and ")} rows in ${place}`);
    return pass(`${failures.length} failures recorded (${where.join(", ")}); none of the 3 passwords is logged`);
  },
});

async function lookEverywhere(
  target: Target,
  as: Account,
  { user, scratch, passwords }: { user: string; scratch: string; passwords: Readonly<Record<string, string>> },
) {
  const names = new RegExp(`\\b${user}\\b`);
  const places: Place[] = [];
  const secrets: Secret[] = [];
  // Searching for the passwords themselves would put them into the log.
  for (const [place, filter] of [
    ["system.audit_log", `actor_user_id = '${user}' OR target LIKE '%${user}%' OR target LIKE '%${scratch}%'`],
    ["system.server_logs", `message LIKE '%${user}%' OR message LIKE '%${scratch}%'`],
  ] as const) {
    const answer = await target.sql(as, `SELECT * FROM ${place} WHERE ${filter} ORDER BY timestamp DESC LIMIT 200`);
    const rows = rowsOf(answer) ?? [];
    const texts = rows.map((row) => JSON.stringify(row));
    const any = rows.length > 0 ? rows : rowsOf(await target.sql(as, `SELECT * FROM ${place} LIMIT 1`));
    places.push({
      place,
      said: saidOf(answer),
      kept: answer.kind === "ok" && (any?.length ?? 0) > 0,
      rows: failures.map(({ isAbout }) => texts.filter((text) => names.test(text) && isAbout(text)).length),
    });
    for (const [secret, password] of Object.entries(passwords))
      if (texts.some((text) => text.includes(password))) secrets.push({ place, secret, exchange: answer.exchange });
  }
  return { places, secrets };
}
