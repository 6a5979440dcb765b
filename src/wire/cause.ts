/** Why a connection was not made, in words for the user. No text of OpenSSL: it has source paths and error numbers. */

/** No connection was made, so the server cannot have seen a request. */
export class ConnectError extends Error {
  /** Trying again cannot help: a certificate, a protocol or a setting is wrong. */
  readonly permanent: boolean;

  constructor(sentence: string, { permanent }: { permanent: boolean }) {
    super(sentence);
    this.permanent = permanent;
  }
}

/** The code of an error; empty if it has none. Happy Eyeballs wraps one error per address; the first is enough. */
export function codeOf(error: unknown): string {
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  if (!(error instanceof Error)) return "";
  const code = (error as NodeJS.ErrnoException).code;
  return typeof code === "string" ? code : codeOf(error.cause);
}

/** The message of an error, in one sentence that a user can read. */
export function wordsOf(error: unknown): string {
  if (error instanceof AggregateError) return wordsOf(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  const reason = opensslReason(error);
  return reason === undefined ? error.message : `TLS error: ${reason}`;
}

/** Of a TCP connection to `name` (`host:port`). */
export function networkError(error: unknown, name: string): ConnectError {
  if (error instanceof ConnectError) return error;
  const code = codeOf(error);
  const host = name.replace(/:\d+$/, "");
  const known: Readonly<Record<string, string>> = {
    ECONNREFUSED: `nothing listens on ${name}`,
    ENOTFOUND: `no address is known for the host name ${host}; check its spelling`,
    EAI_AGAIN: `the host name ${host} cannot be resolved at the moment`,
    ETIMEDOUT: `no connection to ${name}: it timed out`,
    EHOSTUNREACH: `no route to ${name}`,
    ENETUNREACH: `no route to ${name}`,
    ECONNRESET: `the connection to ${name} was reset`,
  };
  const sentence = known[code];
  return new ConnectError(
    sentence === undefined ? `no connection to ${name}: ${wordsOf(error)}` : coded(sentence, code),
    {
      permanent: false,
    },
  );
}

export interface Peer {
  /** `the server`, or the proxy with its name. */
  readonly who: string;
  /** The host that the certificate must be for. */
  readonly host: string;
  /** `host:port`. */
  readonly name: string;
  readonly isServer: boolean;
  /** We sent a client certificate. */
  readonly hasClientCertificate: boolean;
}

/** Of a TLS handshake. */
export function handshakeError(error: unknown, peer: Peer): ConnectError {
  if (error instanceof ConnectError) return error;
  const known = certificateError(error, peer) ?? tlsError(error, peer);
  if (known !== undefined) return known;
  const { who, name, hasClientCertificate } = peer;
  const guess = hasClientCertificate ? "have rejected the client certificate, or not speak TLS" : "not speak TLS";
  const sentence = `${who} closed the connection during the TLS handshake; it may ${guess} on ${name}`;
  const code = codeOf(error);
  return new ConnectError(code === "" ? sentence : coded(sentence, code), { permanent: false });
}

function certificateError(error: unknown, { who, host, isServer }: Peer): ConnectError | undefined {
  const code = codeOf(error);
  const sentence = ((): string | undefined => {
    const trust = (what: string): string => (isServer ? `; if you trust it, pass ${what} with --ca-file` : "");
    switch (code) {
      case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
      case "UNABLE_TO_GET_ISSUER_CERT":
      case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
      case "SELF_SIGNED_CERT_IN_CHAIN":
        return `${who}'s certificate comes from an unknown issuer${trust("the issuer's certificate")}`;
      case "DEPTH_ZERO_SELF_SIGNED_CERT":
        return `${who}'s certificate is self-signed${trust("the certificate itself")}`;
      case "ERR_TLS_CERT_ALTNAME_INVALID":
        return `${who}'s certificate is not for ${host}${namesIn(error)}; use a name that is in the certificate, or renew it with this one`;
      case "CERT_HAS_EXPIRED":
        return `${who}'s certificate has expired; renew it (and check the clock of this machine)`;
      case "CERT_NOT_YET_VALID":
        return `${who}'s certificate is not valid yet; check the clock of this machine, or wait`;
      default:
        return /^(CERT_|INVALID_(CA|PURPOSE)$|PATH_LENGTH|HOSTNAME_MISMATCH|CRL_|UNABLE_TO_)/.test(code)
          ? `${who}'s certificate is not valid`
          : undefined;
    }
  })();
  return sentence === undefined ? undefined : new ConnectError(coded(sentence, code), { permanent: true });
}

const namesMax = 120;

/** `, but for a.example.com, b.example.com`; empty if the certificate has no names. */
function namesIn(error: unknown): string {
  const { subjectaltname = "" } = (error as { cert?: { subjectaltname?: string } }).cert ?? {};
  const names = subjectaltname.replaceAll(/\b(DNS|IP Address):/g, "");
  return names === "" ? "" : `, but for ${names.length > namesMax ? `${names.slice(0, namesMax)}…` : names}`;
}

/** Undefined if it is no error of TLS itself. Also of a connection that was open: TLS 1.3 rejects clients late. */
export function tlsError(
  error: unknown,
  { who, name, isServer, hasClientCertificate }: Peer,
): ConnectError | undefined {
  const reason = opensslReason(error);
  if (reason === undefined) return undefined;
  const options = "--client-cert and --client-key";
  const sentence = ((): string => {
    if (/certificate required/.test(reason)) return `${who} demands a client certificate; pass ${options}`;
    if (/alert (unknown ca|bad certificate|certificate|unsupported certificate|access denied)/.test(reason)) {
      return hasClientCertificate
        ? `${who} rejected the client certificate; check the file of --client-cert and whether it has expired`
        : `${who} rejected the connection; it may demand a client certificate (${options})`;
    }
    if (/alert handshake failure/.test(reason)) {
      return `${who} ended the TLS handshake; it may demand a client certificate (${options}), or have no TLS version or cipher in common with this client`;
    }
    if (/protocol version|unsupported protocol|version too low/.test(reason))
      return `${who} has no TLS version in common with this client`;
    if (/unrecognized name/.test(reason)) return `${who} has no certificate for this host name`;
    if (/wrong version number|packet length too long|http request|unknown protocol|unexpected message/.test(reason)) {
      return isServer
        ? `no TLS is spoken on ${name}; use http:// in the URL, or the port for https`
        : `${who} does not speak TLS; use http:// for its URL`;
    }
    return `the TLS handshake with ${who} failed`;
  })();
  return new ConnectError(coded(sentence, reason), { permanent: true });
}

/** `wrong version number` of an error that OpenSSL reported; undefined for every other error. */
function opensslReason(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { library, reason } = error as { library?: unknown; reason?: unknown };
  if (library === "SSL routines" && typeof reason === "string") return withoutVersion(reason);
  // error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/openssl/ssl/record.c:354:
  const written = /\berror:[0-9A-F]{8}:[^:]*:[^:]*:([^:]+):/i.exec(error.message)?.[1];
  return written === undefined ? undefined : withoutVersion(written);
}

/** `sslv3 alert handshake failure` is named after the version in which the alert was introduced, not the one in use. */
function withoutVersion(reason: string): string {
  return reason.replace(/^(sslv3|tlsv1|tlsv13) /, "");
}

function coded(sentence: string, code: string): string {
  // Before the advice, so that it stays with what it explains.
  const at = sentence.indexOf(";");
  return at === -1 ? `${sentence} (${code})` : `${sentence.slice(0, at)} (${code})${sentence.slice(at)}`;
}
