import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { rowsOf, saidOf, type Account, type Said, type Target } from "../../../src/server/target.ts";
import { tryLogin } from "../logins.ts";

const recordedWithinMs = 5_000;
const askEveryMs = 250;

/** What goes wrong, and how a row about it can be told; it has to name the account, too. */
const failures: readonly { failure: string; tells: (row: string) => boolean }[] = [
  { failure: "a login with a wrong password", tells: (row) => isLogin(row) && bad.test(row) },
  { failure: "a query without the right to it", tells: (row) => !isLogin(row) && bad.test(row) },
];
const bad = /fail|invalid|wrong|denied|refus|reject|forbidden|not allowed|permission/i;
const isLogin = (row: string): boolean => /log-?in|password/i.test(row);

/** Where failures may be kept, and what shows that the place is kept at all. */
type Place = {
  readonly place: string;
  readonly said: Said;
  /** There are rows that can be read. */
  readonly kept: boolean;
  /** How many rows tell of each of `failures`. */
  readonly rows: readonly number[];
};

export const failuresRecorded = defineCheck({
  id: "observability/failures-recorded",
  title: "Failed logins and refused queries are on record",
  failureTitle: "Failures are not on record, or a password is",
  description: `Tries a wrong password once and asks for a system view as a plain user, on an account of our own, and has a CREATE USER refused. Within ${recordedWithinMs / 1000} s system.audit_log or system.server_logs must have a row for the first two that names the account; and no row there may hold one of the three passwords.`,
  blindTo:
    "It sees what the server shows over SQL. A log that only stands in a file is not seen: then the verdict is unknown.",
  risk: "An attack leaves no trace; or whoever may read the log can read the passwords.",
  remedy:
    "Set logging.format to json and logging.level to info, so that system.server_logs has what the server writes.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 800,
  estimateRequests: 10,
  findings: {
    unrecorded: {
      say: (d: { failure: string; account: string; places: readonly string[] }) =>
        `${d.failure} as ${d.account} is not on record in ${d.places.join(", nor in ")}`,
    },
    secretShown: {
      say: (d: { place: string; secret: string }) => `${d.place} has a row with ${d.secret} in clear text`,
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    // Its failed login stays with it.
    const user = await target.fresh("user");
    const { scratch } = context;
    const passwords = {
      "the password of an account": target.password(user),
      "a wrong password from a login": `Kr1-wrong-${scratch}`,
      "the password of a refused CREATE USER": `Kr1-refused-${scratch}`,
    };
    const [, wrong, refused] = Object.values(passwords);
    // First: when the others are on record, what was to be written of this one is written, too.
    const role = saidOf(await target.sql(op, `CREATE USER '${scratch}_nobody' WITH PASSWORD '${refused}' ROLE nobody`));
    if (role.kind !== "refused") await target.sql(op, `DROP USER IF EXISTS '${scratch}_nobody'`);
    const login = (await tryLogin(target, user.name, wrong ?? "")).said;
    const query = saidOf(await target.sql(user, "SELECT * FROM system.users LIMIT 1"));
    const look = async (): Promise<{
      places: Place[];
      secrets: { place: string; secret: string; exchange: number }[];
    }> => await lookEverywhere(target, op, { user: user.name, scratch, passwords });
    const seen = await context.poll(
      look,
      ({ places }) => failures.every((_, at) => places.some(({ rows }) => (rows[at] ?? 0) > 0)),
      { withinMs: recordedWithinMs, everyMs: askEveryMs },
    );
    return { account: user.name, role, login, query, ...seen };
  },
  judge({ account, role, login, query, places, secrets }) {
    const shown = secrets.map(({ place, secret, exchange }) => ({
      name: "secretShown" as const,
      case: place,
      data: { place, secret },
      sent: [exchange],
    }));
    const kept = places.filter((one) => one.kept);
    const happened = [login.kind === "refused", query.why === "permission"];
    const sent = [login.exchange, query.exchange];
    const missing = failures.flatMap(({ failure }, at) =>
      happened[at] === true && kept.every(({ rows }) => (rows[at] ?? 0) === 0)
        ? [{ failure, sent: [sent[at] ?? 0] }]
        : [],
    );
    // The log is where it may be: as long as that cannot be read, nothing is known to be missing.
    const readable = kept.length === places.length && places.length > 0;
    const unrecorded = readable
      ? missing.map(({ failure, sent: exchanges }) => ({
          name: "unrecorded" as const,
          case: failure,
          data: { failure, account, places: kept.map(({ place }) => place) },
          sent: exchanges,
        }))
      : [];
    if (shown.length + unrecorded.length > 0) return fail(...shown, ...unrecorded);
    if (happened[0] !== true) return unknown(`the wrong password was not refused, but: ${login.outcome}`);
    if (happened[1] !== true) return unknown(`the query was not refused for lack of rights, but: ${query.message}`);
    if (role.kind !== "refused") return unknown(`CREATE USER with an unknown role was not refused: ${role.message}`);
    const [first] = missing;
    if (first !== undefined) {
      const shut = places
        .filter((one) => !one.kept)
        .map(({ place, said }) => `${place} ${said.kind === "ok" ? "has no rows" : said.message}`);
      return unknown(`${first.failure} is not on record where it can be read: ${shut.join("; ")}`);
    }
    const where = kept
      .filter(({ rows }) => rows.some((count) => count > 0))
      .map(({ place, rows }) => `${rows.join(" and ")} rows in ${place}`);
    return pass(`${failures.length} failures on record, ${where.join(", ")}; none of 3 passwords is there`);
  },
});

async function lookEverywhere(
  target: Target,
  as: Account,
  { user, scratch, passwords }: { user: string; scratch: string; passwords: Readonly<Record<string, string>> },
) {
  const names = new RegExp(`\\b${user}\\b`);
  const places: Place[] = [];
  const secrets: { place: string; secret: string; exchange: number }[] = [];
  // The passwords themselves are not asked for: the question would end up in the log.
  for (const [place, ours, order] of [
    [
      "system.audit_log",
      `actor_user_id = '${user}' OR target LIKE '%${user}%' OR target LIKE '%${scratch}%'`,
      "timestamp",
    ],
    ["system.server_logs", `message LIKE '%${user}%' OR message LIKE '%${scratch}%'`, "timestamp"],
  ] as const) {
    const answer = await target.sql(as, `SELECT * FROM ${place} WHERE ${ours} ORDER BY ${order} DESC LIMIT 200`);
    const found = rowsOf(answer) ?? [];
    const texts = found.map((row) => JSON.stringify(row));
    const any = found.length > 0 ? found : rowsOf(await target.sql(as, `SELECT * FROM ${place} LIMIT 1`));
    places.push({
      place,
      said: saidOf(answer),
      kept: answer.kind === "ok" && (any?.length ?? 0) > 0,
      rows: failures.map(({ tells }) => texts.filter((text) => names.test(text) && tells(text)).length),
    });
    for (const [secret, password] of Object.entries(passwords))
      if (texts.some((text) => text.includes(password))) secrets.push({ place, secret, exchange: answer.exchange });
  }
  return { places, secrets };
}
