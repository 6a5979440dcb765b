/** Errors of the command line and the environment, and the reading of their words. */
import { UserError } from "../user-error.ts";
import { mismatchMessage, type Kind, type ValueCode } from "./values.ts";

export type UsageCode =
  | ValueCode
  | "urlAndServerBin"
  | "serverConfigWithoutServerBin"
  | "olderServerBinWithoutServerBin"
  | "containerAndServerBin"
  | "controlFailed"
  | "readOnlyAndAllow"
  | "productionNotAllowed"
  | "severalReportsOnStdout"
  | "requiredNotAllowed"
  | "noServer"
  | "noUser"
  | "noPassword"
  | "emptyPassword"
  | "emptyToken"
  | "tokenUnreadable"
  | "implausibleToken"
  | "notExecutable"
  | "noSuchFile"
  | "fileExists"
  | "userAndToken"
  | "passwordAndToken"
  | "givenTwice"
  | "unknownVariable"
  | "invalidProxy"
  | "headerReference"
  | "invalidRunId"
  | "invalidDialect"
  | "invalidPort"
  | "sandboxNotInstalled"
  | "sandboxNotStarted"
  | "unknownFault"
  | "quickWithoutGallery";

/** Something is wrong with the command line or the environment. */
export class UsageError extends UserError<UsageCode> {
  readonly exit = "usage";
}

/** Reads the text of a flag or variable. Throws UsageError, which names it. */
export function readValue<T>(name: string, text: string, kind: Kind<T>): T {
  const parsed = kind.parse(text);
  if ("value" in parsed) return parsed.value;
  const message = mismatchMessage(kind, parsed, JSON.stringify(text));
  throw new UsageError(parsed.code, `${name}: ${message}`, { setting: name });
}
