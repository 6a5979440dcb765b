import { defineCheckOf, pass, unknown } from "../../../../src/check.ts";
import { refusalText } from "../../../../src/server/target.ts";
import { lookedTwice } from "../../../vocabulary/second-look.ts";
import { answered, identityOf, notKnownToBeOurs, postgresPort, wrongCases, type WrongLogin } from "../looking.ts";

export const postgresLoginsGuarded = defineCheckOf(postgresPort, {
  id: "validation/postgres-logins-guarded",
  title: "The PostgreSQL port rejects wrong logins with an error",
  failureTitle: "The PostgreSQL port mishandles wrong logins",
  description: `An account of the run's own logs in at the PostgreSQL port; then ${wrongCases.length} wrong logins are tried: ${wrongCases.join(", ")}. Each must be refused with an error, in the same words, and must leave no row in system.sessions.`,
  blindTo: "Lock-outs after several failures; rate limits; accounts of OIDC; ways to log in without a password.",
  risk: "Anybody who reaches the port reads and changes data.",
  remedy: "Set postgres_wire.enabled to false until this passes, and report it.",
  covers: [],
  appliesWhere: { postgresPort: true },
  level: "block",
  findings: {
    acceptedLogin: {
      say: (d: { login: string; user: string }) => lookedTwice(`${d.login} (${d.user}) is let in`),
    },
    rightLoginRefused: {
      say: (d: { user: string; refusal: string }) => `${d.user} can log in over HTTP, and not here: ${d.refusal}`,
      risk: "Applications that use a PostgreSQL driver cannot connect.",
      remedy: "Compare the accounts of both ways in, and report it.",
    },
    sessionLeft: {
      say: (d: { users: string }) => `after the wrong logins system.sessions shows sessions of ${d.users}`,
      risk: "Sessions of failed logins fill the list and hide the real ones; a limit on sessions keeps others out.",
    },
    noError: {
      say: (d: { login: string }) => lookedTwice(`${d.login}: the connection is closed without an error`),
      level: "warn",
      risk: "A client takes a wrong password for an outage, and tries it again and again.",
      remedy: "Report it; drivers show users what the server says.",
    },
    tellsWhoExists: {
      say: (d: { known: string; unknown: string }) =>
        `a wrong password is refused with ${d.known}, an unknown user with ${d.unknown}`,
      level: "warn",
      risk: "Names of accounts can be found out by trying.",
      remedy: "Keep the port to networks where that does not matter, and report it.",
    },
  },
  judge(seen, { found }) {
    const right = answered(seen);
    if (typeof right === "string") return unknown(right);
    const { wrong, sessions, name } = seen;
    const isOurs = identityOf(seen) !== undefined;
    if (!isOurs) return unknown(`${notKnownToBeOurs(seen)}; the login of an account was not accepted there`);
    const doubts: string[] = [];
    if (right.login.kind === "refused") {
      const refusal = refusalText(right.login);
      found.rightLoginRefused({ user: wrong[0]?.user ?? "the account", refusal }, { sent: right });
    } else if (right.login.kind === "withheld")
      doubts.push(`no right login was tried at ${name}: others could read the password on the way`);
    for (const one of wrong) {
      const outcome = outcomeOf(one);
      if (outcome === "in")
        found.acceptedLogin({ login: one.case, user: one.user }, { case: one.case, sent: one.said });
      else if (outcome === "closed") found.noError({ login: one.case }, { case: one.case, sent: one.said });
      else if (outcome !== "refused") doubts.push(`${one.case}: ${outcome}`);
    }
    if (wrong.length < wrongCases.length)
      doubts.push(`only ${wrong.length} of ${wrongCases.length} wrong logins were tried`);
    const [known, nobody] = [refusalOf(wrong[0]), refusalOf(wrong.at(-1))];
    if (known !== undefined && nobody !== undefined && known !== nobody)
      found.tellsWhoExists({ known, unknown: nobody }, { sent: wrong.map(({ said }) => said) });
    if (sessions !== null && sessions.shown && sessions.left.length > 0)
      found.sessionLeft({ users: [...new Set(sessions.left)].join(", ") }, { sent: wrong.map(({ said }) => said) });
    const [doubt] = doubts;
    if (doubt !== undefined) return unknown(doubt);
    const listed = sessions?.shown === true ? "no session of them is listed" : "sessions are not listed here";
    return pass(
      `1 right login let in; ${wrong.length} of ${wrongCases.length} wrong ones refused (${known ?? ""}); ${listed}`,
    );
  },
});

/** `in` and `closed` only where both looks say so. */
function outcomeOf({ said, again }: WrongLogin): string {
  if (said.kind !== "reached") return said.detail;
  const [kind, kindAgain] = [said.login.kind, again?.kind === "reached" ? again.login.kind : undefined];
  if (kind === "refused") return "refused";
  if (kind === "in") return kindAgain === "in" ? "in" : "let in once, and then not again";
  if (said.login.kind !== "broken") return "its password was not sent";
  const isClosed = said.login.because === "closed";
  const isClosedAgain = again?.kind === "reached" && again.login.kind === "broken" && again.login.because === "closed";
  return isClosed && isClosedAgain ? "closed" : said.login.detail;
}

/** Without the name that was given. */
function refusalOf(one: WrongLogin | undefined): string | undefined {
  if (one?.said.kind !== "reached" || one.said.login.kind !== "refused") return undefined;
  return refusalText(one.said.login).replaceAll(one.user, "…");
}
