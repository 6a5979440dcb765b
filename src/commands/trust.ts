/** Which server may get the credentials: a profile that comes with the checked-out branch must not decide that. */
import type { Effective } from "../profile/effective.ts";
import { ProfileError, type ProfileSource } from "../profile/read.ts";
import { isLoopback } from "../session/session.ts";
import type { Output } from "./output.ts";

/** Throws ProfileError. To be called before anything is sent: even a host name may carry a secret away. */
export function mustBeTrusted(
  { found, from, lines }: Pick<ProfileSource, "found" | "from" | "lines">,
  { profile, origins }: Pick<Effective, "profile" | "origins">,
): void {
  const { url } = profile;
  const chosenByProfile = origins["server"]?.startsWith(from) === true;
  if (found !== true || url === undefined || !chosenByProfile || isLoopback(url)) return;
  const line = lines["server"];
  const message = `server: a profile that was found by itself may send credentials only to this machine, not to ${url}; if that is your server, pass --url ${url} or --profile ./${from}`;
  throw new ProfileError(from, [{ code: "untrustedServer", message, ...(line === undefined ? {} : { line }) }]);
}

/** Before the password is asked for. */
export function warnOfPlainHttp(url: string | undefined, output: Output): void {
  if (url === undefined || !url.startsWith("http:") || isLoopback(url)) return;
  output.tell(`warning: the credentials go to ${url} unencrypted; anyone on the way can read them: use https`);
}
