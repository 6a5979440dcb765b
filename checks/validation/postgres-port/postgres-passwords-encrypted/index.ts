import { defineCheckOf, pass, unknown } from "../../../../src/check.ts";
import { answered, identityOf, notKnownToBeOurs, postgresPort, type Reached, type Seen } from "../looking.ts";

export const postgresPasswordsEncrypted = defineCheckOf(postgresPort, {
  id: "validation/postgres-passwords-encrypted",
  title: "The PostgreSQL port is encrypted or on loopback only",
  failureTitle: "The PostgreSQL port takes passwords in clear text",
  description:
    "The PostgreSQL port asks for passwords in clear text, so it must offer TLS or be reachable on loopback only. It is asked for TLS, then for a login, at the address of the server and, where that is loopback, at the other addresses of this machine. No password that opens anything is sent over a connection that others can read.",
  blindTo:
    "The network in between, where the port is only forwarded to loopback of this machine; other addresses of a server on another machine; whether a server that offers TLS also takes clients without it; IPv6 addresses.",
  risk: "Anyone on the network path can read the passwords of database users.",
  remedy:
    "Set postgres_wire.host to 127.0.0.1, or configure TLS for [postgres_wire]; until then close the port to other machines, and change the passwords that were sent to it.",
  covers: [],
  appliesWhere: { postgresPort: true },
  level: "block",
  findings: {
    clearTextPassword: {
      say: (d: { place: string }) => `${d.place} offers no TLS and asks for the password in clear text`,
    },
  },
  judge(seen, { found }) {
    const right = answered(seen);
    if (typeof right === "string") return unknown(right);
    const { name, isLoopback, elsewhere } = seen;
    const isOurs = identityOf(seen) !== undefined;
    if (!isLoopback && isReadable(right)) {
      if (!isOurs) return unknown(`${notKnownToBeOurs(seen)}; it offers no TLS and asks for passwords in clear text`);
      found.clearTextPassword({ place: name }, { case: name, sent: right });
    }
    const doubts: string[] = [];
    let open = 0;
    for (const { address, said } of elsewhere) {
      if (said.kind !== "reached" || !isSameServer(seen, said)) {
        if (said.kind === "reached" && said.login.kind === "broken") doubts.push(`${address}: ${said.login.detail}`);
        continue;
      }
      open += 1;
      if (!isReadable(said)) continue;
      if (isOurs) found.clearTextPassword({ place: address }, { case: "another address of this machine", sent: said });
      else doubts.push(notKnownToBeOurs(seen));
    }
    if (right.tls === "none" && right.asks === null) doubts.push(`${name} did not ask for a password`);
    const [doubt] = doubts;
    if (doubt !== undefined) return unknown(doubt);
    if (right.tls === "none" && right.asks !== "clearText") return pass(`${name} asks for no password in clear text`);
    if (!isLoopback) {
      const certificate = right.tls === "verified" ? "" : ", with a certificate that is not trusted here";
      return pass(`${name} offers TLS${certificate}`);
    }
    const others = elsewhere.length === 1 ? "1 other address" : `${elsewhere.length} other addresses`;
    return pass(`${name} is on loopback; ${open === 0 ? "not reachable" : "with TLS"} at ${others} of this machine`);
  },
});

function isReadable({ tls, asks }: Reached): boolean {
  return tls === "none" && asks === "clearText";
}

/** Whether it refuses nobody in the same words. Another server may listen on another address of this machine. */
function isSameServer({ wrong }: Seen, said: Reached): boolean {
  const here = wrong.at(-1)?.said;
  if (here?.kind !== "reached" || here.asks !== said.asks || here.login.kind !== said.login.kind) return false;
  if (here.login.kind !== "refused" || said.login.kind !== "refused") return true;
  return here.login.code === said.login.code && here.login.message === said.login.message;
}
