import { hasSqlDetails, parseSync } from "libpg-query";
import { failed, invalid } from "./errors.ts";
import { nesting, valueOf, type Statement } from "./tokens.ts";

/** A node of PostgreSQL's parse tree. */
export type Node = Readonly<Record<string, unknown>>;

export interface Parsed {
  /** The statement as PostgreSQL can parse it; positions in the tree are byte offsets in it. */
  readonly source: string;
  /** PostgreSQL's name for this kind of statement, such as "SelectStmt". */
  readonly kind: string;
  readonly top: Node;
}

const nestingMax = 50;

/**
 * Respells what PostgreSQL's grammar rejects or reads differently: `CURRENT_USER()`, the namespace `default`, bytes as
 * `X'00ff'`, a unit of time as a column name.
 */
function spellForPostgres({ text: source, tokens }: Statement): string {
  let spelled = "";
  let done = 0;
  const write = (written: string, from: number, to: number): void => {
    spelled += source.slice(done, from) + written;
    done = to;
  };
  tokens.forEach(({ word, start, end }, index) => {
    const [next, second] = [tokens[index + 1], tokens[index + 2]];
    if (word === "CURRENT_USER" && next?.text === "(" && second?.text === ")")
      write("kalam_fn.who()", start, second.end);
    else if (word === "CURRENT_USER") write("kalam_fn.who()", start, end);
    else if (word === "DEFAULT" && next?.text === ".") write('"default"', start, end);
    else if (word === "X" && next?.kind === "string" && next.start === end)
      write(`'\\x${valueOf(next)}'::bytea`, start, next.end);
    else if (/^(YEAR|MONTH|DAY|HOUR|MINUTE|SECOND)$/.test(word) && tokens[index - 1]?.text === ")")
      write("AS ", start, start);
  });
  return spelled + source.slice(done);
}

const unreadable = (problem: string): Error => failed(`Execution error: SQL error: ${problem}`);

/** Parses one statement; throws a refusal if it cannot. */
export function parse(statement: Statement): Parsed {
  if (nesting(statement.tokens) > nestingMax) throw unreadable(`RecursionLimitExceeded (current limit: ${nestingMax})`);
  const source = spellForPostgres(statement);
  try {
    const [parsed, second] = parseSync(source).stmts ?? [];
    const [[kind, top] = ["", {}]] = Object.entries(node(parsed?.stmt));
    if (kind !== "" && second === undefined) return { source, kind, top: node(top) };
  } catch (error) {
    // Any other error, such as a stack overflow, leaves the parser broken.
    if (!hasSqlDetails(error)) throw error;
    const problem = `ParserError("${error.message}")`;
    throw statement.tokens[0]?.word === "INSERT"
      ? invalid(`Invalid SQL: sql parser error: ${problem}`)
      : unreadable(problem);
  }
  throw unreadable('ParserError("expected one statement")');
}

/** Visits every named node, outermost first. */
export function walk(item: unknown, visit: (name: string, value: Node) => void): void {
  if (Array.isArray(item)) for (const part of item) walk(part, visit);
  else if (item !== null && typeof item === "object") {
    for (const [name, value] of Object.entries(item)) {
      if (value === null || typeof value !== "object") continue;
      visit(name, value as Node);
      walk(value, visit);
    }
  }
}

export const node = (item: unknown): Node => (item !== null && typeof item === "object" ? (item as Node) : {});
export const list = (item: unknown): readonly Node[] => (Array.isArray(item) ? item.map(node) : []);
export const text = (item: unknown): string =>
  typeof item === "string" || typeof item === "number" ? String(item) : "";
export const nameOf = (parts: unknown, index: number): string => text(node(list(parts).at(index)?.["String"])["sval"]);
