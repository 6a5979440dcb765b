/** Which server may get the credentials: a profile that comes with the checked-out branch must not decide that. */
import type { Effective } from "../profile/effective.ts";
import { ProfileError, type ProfileSource } from "../profile/read.ts";
import { isLoopback } from "../session/session.ts";
import type { Proxy } from "../wire/way.ts";
import type { Output } from "./output.ts";

/** Throws ProfileError. To be called before anything is sent: even a host name may carry a secret away. */
export function mustBeTrusted(
  { found, from, lines }: Pick<ProfileSource, "found" | "from" | "lines">,
  { profile, origins }: Pick<Effective, "profile" | "origins">,
): void {
  const { url, way } = profile;
  const reject = (
    key: string,
    message: string,
    code: "untrustedServer" | "untrustedControl" = "untrustedServer",
  ): never => {
    const line = lines[key];
    const place = line === undefined ? {} : { line };
    throw new ProfileError(from, [{ code, message: `${key}: ${message}`, ...place }]);
  };
  if (found === true && origins["control"]?.startsWith(from) === true) {
    const advice = `if these commands are yours, pass --profile ./${from}`;
    reject("control", `a profile that was found by itself may not name commands to run; ${advice}`, "untrustedControl");
  }
  if (found !== true || url === undefined || isLoopback(url)) return;
  if (origins["server"]?.startsWith(from) === true) {
    const advice = `if that is your server, pass --url ${url} or --profile ./${from}`;
    reject(
      "server",
      `a profile that was found by itself may send credentials only to this machine, not to ${url}; ${advice}`,
    );
  }
  // With a CA of its own, or none, it would decide who is taken for that server.
  if (way.tlsFromProfile) {
    const advice = `pass --ca-file, --client-cert, --client-key or --insecure, or --profile ./${from}`;
    reject("tls", `a profile that was found by itself may not decide how ${url} is verified; ${advice}`);
  }
}

/** Before the password is asked for. */
export function warnOfPlainHttp(url: string | undefined, output: Output, proxy?: Proxy): void {
  if (url === undefined || !url.startsWith("http:")) return;
  const remoteProxy = proxy !== undefined && !isLoopback(`http://${proxy.name}`) ? proxy : undefined;
  if (isLoopback(url) && remoteProxy === undefined) return;
  const through = remoteProxy === undefined ? "" : ` through the proxy ${remoteProxy.name} (${remoteProxy.variable})`;
  const advice = isLoopback(url) ? "list the server in NO_PROXY" : "use https";
  output.tell(
    `warning: the credentials go to ${url}${through} unencrypted; anyone on the way can read them: ${advice}`,
  );
}
