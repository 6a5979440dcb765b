/** One token of SQL. `text` is as written; `word` is upper-cased if it can be a keyword or a plain name. */
export interface Token {
  readonly kind: "word" | "quoted" | "string" | "number" | "symbol";
  readonly text: string;
  readonly word: string;
  readonly start: number;
  readonly end: number;
}

export interface Statement {
  readonly text: string;
  readonly tokens: readonly Token[];
}

/**
 * The same tokens as PostgreSQL's lexer, so that a `;` or a keyword inside a literal is not mistaken for one outside. An
 * unterminated string or comment runs to the end; PostgreSQL reports it.
 */
const tokenPattern = new RegExp(
  [
    String.raw`(?<space>\s+|--[^\n\r]*)`,
    String.raw`(?<dollar>\$(?<tag>[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)`,
    String.raw`(?<string>[eE]'(?:[^'\\]|''|\\[\s\S])*(?:'|$)|'(?:[^']|'')*(?:'|$))`,
    String.raw`(?<quoted>"(?:[^"]|"")*(?:"|$))`,
    String.raw`(?<number>\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)`,
    String.raw`(?<word>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|\$\d+)`,
    String.raw`(?<symbol>[\s\S])`,
  ].join("|"),
  "y",
);

export function tokenize(sql: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < sql.length) {
    if (sql.startsWith("/*", at)) {
      const end = endOfComment(sql, at);
      // An unterminated comment is kept; PostgreSQL reports it.
      if (end === undefined) tokens.push(openEnd(sql, at));
      at = end ?? sql.length;
      continue;
    }
    tokenPattern.lastIndex = at;
    const groups = tokenPattern.exec(sql)?.groups ?? {};
    const dollar = groups["dollar"];
    const close = dollar === undefined ? -1 : sql.indexOf(dollar, at + dollar.length);
    const end = dollar === undefined ? tokenPattern.lastIndex : close < 0 ? sql.length : close + dollar.length;
    if (groups["space"] === undefined) {
      const text = sql.slice(at, end);
      const kind = kindOf(groups);
      tokens.push({ kind, text, word: kind === "word" ? text.toUpperCase() : text, start: at, end });
    }
    at = end;
  }
  return tokens;
}

function kindOf(groups: Record<string, string | undefined>): Token["kind"] {
  if (groups["dollar"] !== undefined || groups["string"] !== undefined) return "string";
  if (groups["quoted"] !== undefined) return "quoted";
  if (groups["number"] !== undefined) return "number";
  return groups["word"] === undefined ? "symbol" : "word";
}

function openEnd(sql: string, start: number): Token {
  const text = sql.slice(start);
  return { kind: "symbol", text, word: text, start, end: sql.length };
}

/** Comments nest, as they do in PostgreSQL. */
function endOfComment(sql: string, start: number): number | undefined {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = start;
  let depth = 0;
  for (let found = mark.exec(sql); found !== null; found = mark.exec(sql)) {
    depth += found[0] === "/*" ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
  }
  return undefined;
}

/** The statements of a request. Empty ones (`;;`, a lone comment) are not statements. */
export function split(sql: string): Statement[] {
  const statements: Statement[] = [];
  let part: Token[] = [];
  const finish = (): void => {
    const first = part[0];
    const last = part.at(-1);
    if (first === undefined || last === undefined) return;
    const text = sql.slice(first.start, last.end);
    statements.push({
      text,
      tokens: part.map((t) => ({ ...t, start: t.start - first.start, end: t.end - first.start })),
    });
    part = [];
  };
  for (const token of tokenize(sql)) {
    if (token.kind === "symbol" && token.text === ";") finish();
    else part.push(token);
  }
  finish();
  return statements;
}

/** How deep brackets nest: too deep would overflow the parser's stack. */
export function nesting(tokens: readonly Token[]): number {
  let depth = 0;
  let deepest = 0;
  for (const { kind, text } of tokens) {
    if (kind !== "symbol") continue;
    if (text === "(" || text === "[") deepest = Math.max(deepest, (depth += 1));
    else if (text === ")" || text === "]") depth -= 1;
  }
  return deepest;
}

/** The value of a string literal, a quoted name or a plain word. */
export function valueOf(token: Token): string {
  if (token.kind === "quoted") return token.text.slice(1, -1).replaceAll('""', '"');
  if (token.kind !== "string") return token.text;
  if (token.text.startsWith("$")) return token.text.replace(/^\$(\w*)\$([\s\S]*)\$\1\$$/, "$2");
  return token.text.slice(1, -1).replaceAll("''", "'");
}

/** Reads KalamDB's own statements word by word. */
export class Reader {
  readonly #statement: Statement;
  #at = 0;

  constructor(statement: Statement) {
    this.#statement = statement;
  }

  get text(): string {
    return this.#statement.text;
  }

  peek(ahead = 0): Token | undefined {
    return this.#statement.tokens[this.#at + ahead];
  }

  next(): Token | undefined {
    const token = this.peek();
    this.#at += 1;
    return token;
  }

  get done(): boolean {
    return this.peek() === undefined;
  }

  /** Takes these words, given as one string, if all of them come next. */
  accept(words: string): boolean {
    const wanted = words.split(" ");
    if (!wanted.every((word, ahead) => this.peek(ahead)?.word === word && this.peek(ahead)?.kind !== "quoted"))
      return false;
    this.#at += wanted.length;
    return true;
  }

  /** Everything up to the next white space: KalamDB reads the names of namespaces this way, then validates them. */
  raw(): string {
    const first = this.peek();
    if (first === undefined) return "";
    const word = /^\S+/.exec(this.text.slice(first.start))?.[0] ?? "";
    while ((this.peek()?.start ?? Infinity) < first.start + word.length) this.#at += 1;
    return word;
  }

  /** What is left, as written. */
  rest(): string {
    const first = this.peek();
    this.#at = this.#statement.tokens.length;
    return first === undefined ? "" : this.text.slice(first.start);
  }
}
