/**
 * Texts that end a literal, a name or a statement where somebody puts SQL together from parts. `kill` is a statement that
 * removes the case's own row from a canary table. None has `/`, `..` or NUL where a name stands: see hostile-names-harmless.
 */
export interface Payload {
  readonly name: string;
  readonly text: (kill: string) => string;
  /** A server may say that it does not store this. */
  readonly mayRefuse?: true;
}

export const payloads: readonly Payload[] = [
  { name: "single quote", text: (kill) => `'; ${kill}; --` },
  { name: "double quote", text: (kill) => `"; ${kill}; --` },
  { name: "bracket and quote", text: (kill) => `x'); ${kill}; --` },
  { name: "always true", text: () => "' OR '1'='1" },
  { name: "union", text: (kill) => `' UNION ALL SELECT 1; ${kill}; --` },
  { name: "semicolon alone", text: (kill) => `; ${kill};` },
  { name: "open comment", text: (kill) => `/* '; ${kill}` },
  { name: "closed comment", text: (kill) => `*/ '; ${kill}; /*` },
  { name: "line comment", text: (kill) => `-- \n'; ${kill}; --` },
  { name: "backslash and quote", text: (kill) => `\\'; ${kill}; --` },
  { name: "backslash at the end", text: () => "x\\" },
  { name: "placeholder", text: (kill) => `$1'; ${kill}; --$2` },
  { name: "dollar quotes", text: (kill) => `$$; ${kill}; $$` },
  { name: "concatenation", text: () => "'||(SELECT 1)||'" },
  { name: "wildcards", text: () => "%_*?" },
  { name: "template", text: () => "${7*7}{{7*7}}<%= 7*7 %>" },
  { name: "quote of another script", text: (kill) => `\u02BC\uFF07\u2019; ${kill}; --` },
  { name: "NUL and quote", text: (kill) => `a\u0000'; ${kill}; --`, mayRefuse: true },
];

/** Where names and numbers stand. Whatever the server says to these, nothing of them may run. */
export interface Place {
  readonly name: string;
  readonly sql: (namespace: string, kill: string) => string;
  readonly params?: (kill: string) => readonly string[];
  readonly namespace?: (kill: string) => string;
}

export const places: readonly Place[] = [
  { name: "name of a table", sql: (ns, kill) => `SELECT id FROM ${ns}."t; ${kill}" LIMIT 1` },
  { name: "name of a column", sql: (ns, kill) => `SELECT "id; ${kill}" FROM ${ns}.t LIMIT 1` },
  {
    name: "name of a new column",
    sql: (ns, kill) => `CREATE TABLE ${ns}.odd (id BIGINT PRIMARY KEY, "v TEXT); ${kill}; --" TEXT)`,
  },
  {
    name: "option of a new table",
    sql: (ns, kill) => `CREATE TABLE ${ns}.odd (id BIGINT PRIMARY KEY) WITH (TYPE='SHARED''; ${kill}; --')`,
  },
  { name: "namespace_id", sql: () => "SELECT id FROM t LIMIT 1", namespace: (kill) => `x'; ${kill}; --` },
  { name: "name of a user", sql: (_, kill) => `EXECUTE AS USER 'nobody''; ${kill}; --' (SELECT 1)` },
  {
    name: "parameter for a number",
    sql: (ns) => `SELECT id FROM ${ns}.t WHERE id = $1 LIMIT 1`,
    params: (kill) => [`0; ${kill}`],
  },
];

/** Names for a column of a result: they must come back as they are. */
export const aliases: readonly Payload[] = [
  { name: "alias with a semicolon", text: (kill) => `a; ${kill}; --` },
  { name: "alias with quotes", text: () => `it's "so"` },
];
