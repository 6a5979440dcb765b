import { postgresFault } from "../../../../src/faults/postgres.ts";
import { changeRows } from "../../../../src/faults/sql.ts";
import { proveCheck } from "../../../../src/proof.ts";
import type { PostgresCall, PostgresOutcome } from "../../../../src/wire/postgres/postgres.ts";
import { closed, reached, refused, remote, sound, timedOut, unreached, withheld, withWrong } from "../evidence.ts";
import { postgresLoginsGuarded } from "./index.ts";

const isWrong = ({ login }: PostgresCall): boolean => !login.isSecret;
const isOfNobody = ({ login }: PostgresCall): boolean => login.user.endsWith("_nobody");

/** Answers to the wrong logins, with another outcome of the login. */
function wrongLoginsEnd(
  name: string,
  login: Extract<PostgresOutcome, { readonly kind: "reached" }>["login"],
  chosen = isWrong,
): ReturnType<typeof postgresFault> {
  return postgresFault(name, async (call, passOn) => {
    const outcome = chosen(call) ? await passOn() : undefined;
    return outcome?.kind === "reached" ? { ...outcome, login } : undefined;
  });
}

export default proveCheck(postgresLoginsGuarded, {
  holds: [
    sound,
    remote,
    { ...sound, sessions: null },
    { ...sound, sessions: { shown: false, left: [] } },
    { ...sound, counted: false },
  ],
  cannotTell: [
    { ...sound, right: unreached },
    { ...sound, right: timedOut },
    // Nothing shows that it is this server.
    { ...sound, right: refused, counted: false },
    { ...sound, right: reached(), counted: false },
    { ...remote, right: withheld },
    withWrong(0, { said: timedOut, again: timedOut }),
    withWrong(0, { said: unreached, again: unreached }),
    withWrong(0, { said: reached(), again: refused }),
    withWrong(0, { said: closed, again: refused }),
    withWrong(0, { said: withheld, again: withheld }),
    { ...sound, wrong: sound.wrong.slice(1) },
  ],
  breaks: {
    acceptedLogin: {
      seen: withWrong(1, { said: reached(), again: reached() }),
      case: "an empty password",
      fault: wrongLoginsEnd("letInWithoutPassword", { kind: "in" }, (call) => call.login.password === ""),
    },
    rightLoginRefused: {
      seen: { ...sound, right: refused },
      fault: wrongLoginsEnd(
        "refuseEverybody",
        { kind: "refused", code: "28P01", message: "password authentication failed" },
        (call) => call.login.isSecret,
      ),
    },
    sessionLeft: {
      seen: { ...sound, sessions: { shown: true, left: ["kr_a1b2c_user_1"] } },
      fault: keepASession(),
    },
    noError: {
      seen: withWrong(0, { said: closed, again: closed }),
      fault: wrongLoginsEnd("closeWithoutAWord", { kind: "broken", because: "closed", detail: "it was closed" }),
    },
    tellsWhoExists: {
      seen: withWrong(2, {
        said: reached({ login: { kind: "refused", code: "28000", message: "role does not exist" } }),
      }),
      fault: wrongLoginsEnd(
        "tellWhoExists",
        { kind: "refused", code: "28000", message: "role does not exist" },
        isOfNobody,
      ),
    },
  },
});

/** Lists a session of the account whose password was wrong. */
function keepASession(): ReturnType<typeof postgresFault> {
  let user = "";
  const noticed = postgresFault("", async (call) => {
    if (isWrong(call) && !isOfNobody(call)) user = call.login.user;
    return await Promise.resolve(undefined);
  });
  const listed = changeRows("keepASession", /FROM system\.sessions/, (cells) =>
    user === "" ? undefined : [...cells, ["left-behind", user]],
  );
  return { name: "keepASession", wrap: (wire, fired) => noticed.wrap(listed.wrap(wire, fired), () => {}) };
}
