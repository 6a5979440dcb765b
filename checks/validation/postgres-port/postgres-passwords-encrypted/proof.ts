import { postgresFault } from "../../../../src/faults/postgres.ts";
import { proveCheck } from "../../../../src/proof.ts";
import { reached, refused, remote, sound, timedOut, unreached, withheld } from "../evidence.ts";
import { postgresPasswordsEncrypted } from "./index.ts";

/** An address of this machine on which the server listens, too. */
const alsoHere = "192.0.2.77";
const elsewhere = (said: typeof refused): (typeof sound)["elsewhere"] => [{ address: "192.0.2.2", said }];

export default proveCheck(postgresPasswordsEncrypted, {
  holds: [
    sound,
    { ...sound, elsewhere: [] },
    remote,
    { ...remote, right: reached({ tls: "unverified", login: { kind: "withheld" } }) },
    // It asks in a way that tells nobody the password.
    { ...remote, right: reached({ asks: "sasl", login: { kind: "withheld" } }) },
    // Another server on another address.
    {
      ...sound,
      elsewhere: elsewhere(reached({ login: { kind: "refused", code: "28000", message: "no such role" } })),
    },
    { ...sound, elsewhere: elsewhere(reached({ asks: "sasl", login: { kind: "withheld" } })) },
    {
      ...sound,
      right: reached({ tls: "verified" }),
      wrong: sound.wrong.map((one) => ({ ...one, said: { ...refused, tls: "verified" } })),
      elsewhere: elsewhere({ ...refused, tls: "verified" }),
    },
  ],
  cannotTell: [
    { ...sound, right: unreached },
    { ...sound, right: timedOut },
    { ...remote, right: withheld, named: false, counted: false },
    { ...sound, right: withheld, counted: false, elsewhere: elsewhere(refused) },
    { ...sound, elsewhere: elsewhere(timedOut) },
    { ...sound, right: reached({ asks: null, login: { kind: "refused", code: "57P03", message: "starting up" } }) },
  ],
  breaks: {
    clearTextPassword: {
      seen: { ...sound, elsewhere: elsewhere(refused) },
      says: /offers no TLS and asks for the password in clear text/,
      fault: postgresFault(
        "listenOnEveryAddress",
        async (call, passOn) =>
          call.at.host === alsoHere ? await passOn({ ...call, at: { ...call.at, host: "127.0.0.1" } }) : undefined,
        [alsoHere],
      ),
    },
  },
});
