/**
 * A request as commands to paste into a shell: a login, the statements that its objects need, the request, and the removal
 * of these objects. Only where that is likely to repeat the answer; the command under "again" repeats every check.
 */
import { onOneLine } from "../formats/printable.ts";
import { commandText, curlWords, shellWord } from "../formats/shell.ts";
import { sqlPath } from "../server/recorded.ts";
import { isRead, type Role } from "../server/sender.ts";
import type { LoginField } from "../session/login.ts";
import type { Exchange } from "../session/recording.ts";
import { prefixOf } from "../session/scratch.ts";
import { dropStatement } from "../session/sweep.ts";

/** Where the reader has the secret of the login; a variable, or a file with a token. */
export type SecretPlace =
  | { readonly kind: "password" | "token"; readonly variable: string }
  | { readonly kind: "tokenFile"; readonly file: string };

export interface ByHandParts {
  readonly url: string;
  readonly run: string;
  readonly login: { readonly name: string; readonly role: Role };
  readonly loginField: LoginField;
  readonly secret: SecretPlace;
  readonly recording: { readonly all: Iterable<Exchange>; readonly forgotten: boolean };
  readonly redact: (text: string) => string;
}

/** More statements than this are no longer read before they are pasted. */
const neededMax = 12;

/** Objects of the whole server, which a script could not remove, and the session's state, which curl does not keep. */
const beyondNamespaces =
  /\b(?:CREATE|ALTER|DROP)\s+(?:OR\s+REPLACE\s+)?(?:USER(?!\s+TABLE)|STORAGE|ROLE)\b|\b(?:GRANT|REVOKE)\b|\bEXECUTE\s+AS\b|^\s*USE\b/i;

/** One command a line. Undefined if the request does not stand alone. */
export type ByHand = (exchange: Exchange) => readonly string[] | undefined;

/** To be made once the run is over. */
export function makeByHand(parts: ByHandParts): ByHand {
  const { run, recording } = parts;
  const changes = [...recording.all]
    .filter(mayHaveChanged)
    .toSorted((one, other) => one.number - other.number)
    .flatMap(eachNamespace)
    .map((exchange) => ({ exchange, names: namesIn(exchange, run) }));
  return (exchange) => scriptOf(exchange, changes, parts);
}

/** A run makes and drops the namespaces of several checks in one request; a finding needs one of them. */
function eachNamespace(exchange: Exchange): Exchange[] {
  const statements = exchange.text?.split("; ") ?? [];
  const areAlone = statements.every((statement) => /^(CREATE|DROP) NAMESPACE [^;]+$/.test(statement));
  return areAlone ? statements.map((text) => ({ ...exchange, text })) : [exchange];
}

interface Change {
  readonly exchange: Exchange;
  readonly names: ReadonlySet<string>;
}

function scriptOf(exchange: Exchange, changes: readonly Change[], parts: ByHandParts): readonly string[] | undefined {
  const needed = neededBy(exchange, changes, parts);
  if (needed === undefined || needed.length > neededMax) return undefined;
  const requests = [...needed, exchange];
  if (!oneAccountSuffices(requests, parts)) return undefined;
  const names = createdBy(requests, parts);
  if (names === undefined) return undefined;
  const lines: string[] = [];
  for (const { as, ...request } of [...requests, ...names.map((name) => dropOf(name, parts))]) {
    const words = curlWords(parts.url, request);
    if (words === undefined) return undefined;
    lines.push(commandText([...(as === undefined ? ["curl", ...shown] : ["kr_curl"]), ...words]));
  }
  const script = [...(lines.some((line) => line.startsWith("kr_curl ")) ? loginLines(parts) : []), ...lines];
  // A line that would be masked or changed on the way to the screen would not work.
  return script.every((line) => parts.redact(line) === line && onOneLine(line) === line) ? script : undefined;
}

/** The answer, and its status on a line of its own. */
const shown = ["-sS", "-w", String.raw`\n%{http_code}\n`];

const jsonEscaping = String.raw`'s/["\\]/\\&/g'`;

/** The token never becomes an argument: other processes can see those. */
function loginLines({ url, login, loginField, secret }: ByHandParts): string[] {
  const curl = String.raw`kr_curl() { printf 'header = "authorization: Bearer %s"\n' "$KR_TOKEN" | curl -K - ${commandText(shown)} "$@"; }`;
  if (secret.kind === "tokenFile") return [`KR_TOKEN=$(cat ${shellWord(secret.file)})`, curl];
  if (secret.kind === "token") return [`KR_TOKEN=\${${secret.variable}:?}`, curl];
  const password = `"$(printf %s "\${${secret.variable}:?}" | sed ${jsonEscaping})"`;
  const user = shellWord(JSON.stringify(login.name).slice(1, -1));
  const body = `printf '{"${loginField}":"%s","password":"%s"}' ${user} ${password}`;
  const address = shellWord(`${url.replace(/\/$/, "")}/v1/api/auth/login`);
  const post = `curl -sS -H 'content-type: application/json' --data-binary @- ${address}`;
  const read = String.raw`sed -n 's/.*"access_token" *: *"\([^"]*\)".*/\1/p'`;
  return [`KR_TOKEN=$(${body} | ${post} | ${read})`, curl];
}

/** The statements before it that changed the namespaces it names, in order. Undefined if they cannot be told or repeated. */
function neededBy(
  exchange: Exchange,
  changes: readonly Change[],
  { run, recording }: ByHandParts,
): readonly Exchange[] | undefined {
  const names = namesIn(exchange, run);
  let related: readonly Exchange[] = [];
  // A statement may name a further namespace, which then is needed, too.
  for (let known = -1; known !== names.size;) {
    known = names.size;
    const found = changes.filter((change) => [...change.names].some((name) => names.has(name)));
    for (const change of found) for (const name of change.names) names.add(name);
    related = found.map((change) => change.exchange).filter(({ number }) => number !== exchange.number);
  }
  if (related.some((change) => overlap(change, exchange))) return undefined;
  const needed = related.filter(({ number }) => number < exchange.number);
  if (needed.some(({ path, outcome }) => path !== sqlPath || !isAnswer(outcome))) return undefined;
  const created = createdNames([...needed, exchange]);
  return recording.forgotten && [...names].some((name) => !created.includes(name)) ? undefined : needed;
}

/** The namespaces of checks that a request names. */
function namesIn({ path, text = "", params = "", namespace = "" }: Exchange, run: string): Set<string> {
  const form = new RegExp(String.raw`${prefixOf(run)}_\d\w*`, "gi");
  return new Set((`${path} ${namespace} ${text} ${params}`.match(form) ?? []).map((name) => name.toLowerCase()));
}

/** Everything except reads and clean refusals. A refused batch may have been executed in part. */
function mayHaveChanged({ method, path, text = "", outcome }: Exchange): boolean {
  if (method === "GET" || method === "HEAD" || method === "SEND") return false;
  if (path === sqlPath && isRead(text)) return false;
  return !/^4\d\d (?!.*Statement (?!1 )\d+ failed)/.test(outcome);
}

function isAnswer(outcome: string): boolean {
  return /^\d{3} /.test(outcome);
}

/** The result of a request may depend on one that ran at the same time. The times are rounded. */
function overlap(one: Exchange, other: Exchange): boolean {
  const end = Math.min(one.at + one.tookMs, other.at + other.tookMs);
  return end - Math.max(one.at, other.at) > 2;
}

/**
 * Whether the reader's login can send them all. It stands in for an account of the run with the role dba, because it may do
 * the same; but not for two accounts, which may have rows of their own.
 */
function oneAccountSuffices(requests: readonly Exchange[], { run, login, recording }: ByHandParts): boolean {
  if (requests.some(({ text = "", params = "" }) => beyondNamespaces.test(text) || accountIn(`${text} ${params}`, run)))
    return false;
  const setUp = /^\s*CREATE\s+NAMESPACE\b/i;
  const senders = new Set(requests.filter(({ text = "" }) => !setUp.test(text)).map(({ as }) => as));
  if (senders.size > 1) return false;
  return requests.every(({ as, number }) => {
    if (as === undefined || as === login.name) return true;
    if (login.role !== "dba" && login.role !== "system") return false;
    return new RegExp(`^${prefixOf(run)}_dba_\\d+$`).test(as) && !wasChanged(as, recording.all, number);
  });
}

/** An account of the run; a script cannot know its password. */
function accountIn(text: string, run: string): boolean {
  return new RegExp(`${prefixOf(run)}_[a-z]`, "i").test(text);
}

/** Its role may have been another one by then. */
function wasChanged(account: string, all: Iterable<Exchange>, before: number): boolean {
  for (const { number, path, text = "" } of all) {
    const isAbout = number < before && path === sqlPath && text.includes(`'${account}'`);
    if (isAbout && !text.startsWith("CREATE USER ")) return true;
  }
  return false;
}

/** The names after CREATE NAMESPACE. Undefined if one is not of this run: it might be somebody else's. */
function createdBy(requests: readonly Exchange[], { run }: ByHandParts): readonly string[] | undefined {
  const names = createdNames(requests);
  const own = new RegExp(String.raw`^${prefixOf(run)}_\d`, "i");
  return names.every((name) => own.test(name)) ? names : undefined;
}

function createdNames(requests: readonly Exchange[]): string[] {
  const form = /\bCREATE\s+NAMESPACE\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:"((?:[^"]|"")*)"|([^\s;]*))/gi;
  const names = requests.flatMap(({ text = "" }) =>
    [...text.matchAll(form)].map(([, quoted, plain = ""]) => (quoted?.replaceAll('""', '"') ?? plain).toLowerCase()),
  );
  return [...new Set(names)];
}

function dropOf(name: string, { login }: ByHandParts): Exchange {
  const text = dropStatement({ kind: "namespace", name });
  return { number: 0, at: 0, as: login.name, method: "POST", path: sqlPath, text, outcome: "", tookMs: 0 };
}
