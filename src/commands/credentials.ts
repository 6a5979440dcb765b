/** Who logs in, and with what. No flag takes a secret: any process of the machine can read arguments. */
import { readText, whyUnreadable } from "../profile/bounded.ts";
import { UsageError } from "../profile/usage.ts";
import type { ProfileDocument } from "../profile/keys.ts";
import { settings, type Flags } from "../profile/settings.ts";
import type { Credentials } from "../session/entering.ts";
import { whyNoToken } from "../session/redaction.ts";
import type { Output } from "./output.ts";

/** Whether a user, a password or a token was given: by a flag, the environment or the profile. */
export function isLoginGiven(
  user: string | undefined,
  flags: Pick<Flags, "tokenFile" | "passwordStdin">,
  document: ProfileDocument,
  environment: NodeJS.ProcessEnv,
): boolean {
  const variables = [settings.password, settings.token].map(({ variable }) => environment[variable] ?? "");
  const { password, token } = document.login ?? {};
  return (
    flags.tokenFile !== undefined ||
    flags.passwordStdin === true ||
    [user, password, token].some((one) => one !== undefined) ||
    variables.some((value) => value !== "")
  );
}

/** Throws UsageError. Every secret is registered with the redactor before it is returned. */
export async function findCredentials(
  { user, url = "" }: { readonly user: string | undefined; readonly url: string | undefined },
  flags: Pick<Flags, "user" | "tokenFile" | "passwordStdin">,
  document: ProfileDocument,
  environment: NodeJS.ProcessEnv,
  output: Output,
): Promise<Credentials> {
  const variable = (name: string): string | undefined => (environment[name] === "" ? undefined : environment[name]);
  if (flags.tokenFile !== undefined && flags.passwordStdin === true)
    throw new UsageError("passwordAndToken", "--token-file and --password-stdin cannot be combined");
  const given = tokenOf(flags, variable("KALAM_READY_TOKEN"), user === undefined ? document.login?.token : undefined);
  // A token given for this run takes precedence over a stored password, --password-stdin over a token.
  if (given !== undefined && flags.passwordStdin !== true) {
    const { token, source } = given;
    if (flags.user !== undefined) {
      throw new UsageError("userAndToken", `--user and ${source} cannot be combined: a token says who logs in`);
    }
    const why = whyNoToken(token);
    if (why !== undefined) throw new UsageError("implausibleToken", `${source}: ${why}`, { setting: source });
    output.redactor.add(token);
    return { kind: "token", token };
  }
  if (user === undefined) {
    throw new UsageError(
      "noUser",
      "no user given: set --user (or KALAM_READY_USER) and KALAM_READY_PASSWORD, or KALAM_READY_TOKEN",
    );
  }
  const password =
    flags.passwordStdin === true
      ? fromStdin()
      : (variable("KALAM_READY_PASSWORD") ?? document.login?.password ?? (await prompt(user, url)));
  if (password === undefined) {
    throw new UsageError(
      "noPassword",
      `no password for ${user}: set KALAM_READY_PASSWORD, use --password-stdin, or run in a terminal to be prompted`,
      { user },
    );
  }
  output.redactor.add(password);
  return { kind: "password", user, password };
}

interface GivenToken {
  readonly token: string;
  /** The flag, variable or key that it came from. */
  readonly source: string;
}

/** White space around it is not part of it: files and secrets of a pipeline often end with a line break. */
function tokenOf(
  flags: Pick<Flags, "tokenFile">,
  variable: string | undefined,
  written: string | undefined,
): GivenToken | undefined {
  if (flags.tokenFile === undefined) {
    if (variable !== undefined) return { token: variable.trim(), source: settings.token.variable };
    return written === undefined ? undefined : { token: written.trim(), source: settings.token.key };
  }
  let token: string;
  try {
    token = readText(flags.tokenFile).trim();
  } catch (error) {
    const message = `--token-file: cannot read ${flags.tokenFile}: ${whyUnreadable(error)}`;
    throw new UsageError("tokenUnreadable", message, { file: flags.tokenFile });
  }
  if (token === "") throw new UsageError("emptyToken", `--token-file: ${flags.tokenFile} is empty`);
  return { token, source: "--token-file" };
}

function fromStdin(): string {
  let text: string;
  try {
    text = readText(0).replace(/\r?\n$/, "");
  } catch (error) {
    throw new UsageError("emptyPassword", `--password-stdin: cannot read stdin: ${whyUnreadable(error)}`);
  }
  if (text === "") throw new UsageError("emptyPassword", "--password-stdin: stdin was empty");
  return text;
}

/** Prompts on the terminal without echo; undefined if there is no terminal. */
async function prompt(user: string, url: string): Promise<string | undefined> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY || !stderr.isTTY) return undefined;
  stderr.write(`password of ${user} at ${url}: `);
  stdin.setRawMode(true);
  stdin.setEncoding("utf8").resume();
  try {
    return await new Promise<string>((resolve, reject) => {
      let typed = "";
      stdin.on("data", (text: string) => {
        for (const key of text) {
          if (key === "\r" || key === "\n") return resolve(typed);
          // In raw mode Ctrl-C is a character and no signal; Ctrl-D ends the input.
          if (key === "\u0003") return reject(new UsageError("noPassword", "no password was entered"));
          if (key === "\u0004") return resolve(typed);
          typed = key === "\u007f" || key === "\b" ? typed.slice(0, -1) : typed + key;
        }
      });
    });
  } finally {
    stdin.removeAllListeners("data");
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write("\n");
  }
}
