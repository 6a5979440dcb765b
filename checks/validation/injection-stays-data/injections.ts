/**
 * Texts that end a literal, a name or a statement if SQL is built by concatenation. `remove` is a statement that deletes
 * the case's own row of a canary table. No name contains `/`, `..` or NUL: see hostile-names-harmless.
 */
export interface Payload {
  readonly name: string;
  readonly text: (remove: string) => string;
  /** A server may refuse to store this. */
  readonly mayRefuse?: true;
}

export const payloads: readonly Payload[] = [
  { name: "single quote", text: (remove) => `'; ${remove}; --` },
  { name: "double quote", text: (remove) => `"; ${remove}; --` },
  { name: "bracket and quote", text: (remove) => `x'); ${remove}; --` },
  { name: "always true", text: () => "' OR '1'='1" },
  { name: "union", text: (remove) => `' UNION ALL SELECT 1; ${remove}; --` },
  { name: "semicolon alone", text: (remove) => `; ${remove};` },
  { name: "open comment", text: (remove) => `/* '; ${remove}` },
  { name: "closed comment", text: (remove) => `*/ '; ${remove}; /*` },
  { name: "line comment", text: (remove) => `-- \n'; ${remove}; --` },
  { name: "backslash and quote", text: (remove) => `\\'; ${remove}; --` },
  { name: "backslash at the end", text: () => "x\\" },
  { name: "placeholder", text: (remove) => `$1'; ${remove}; --$2` },
  { name: "dollar quotes", text: (remove) => `$$; ${remove}; $$` },
  { name: "concatenation", text: () => "'||(SELECT 1)||'" },
  { name: "wildcards", text: () => "%_*?" },
  { name: "template", text: () => "${7*7}{{7*7}}<%= 7*7 %>" },
  { name: "quote of another script", text: (remove) => `\u02BC\uFF07\u2019; ${remove}; --` },
  { name: "NUL and quote", text: (remove) => `a\u0000'; ${remove}; --`, mayRefuse: true },
];

/** Where names and numbers stand. Any answer will do, but the statement must not be executed. */
export interface Place {
  readonly name: string;
  readonly sql: (namespace: string, remove: string) => string;
  readonly params?: (remove: string) => readonly string[];
  readonly namespace?: (remove: string) => string;
}

export const places: readonly Place[] = [
  { name: "name of a table", sql: (ns, remove) => `SELECT id FROM ${ns}."t; ${remove}" LIMIT 1` },
  { name: "name of a column", sql: (ns, remove) => `SELECT "id; ${remove}" FROM ${ns}.t LIMIT 1` },
  {
    name: "name of a new column",
    sql: (ns, remove) => `CREATE TABLE ${ns}.odd (id BIGINT PRIMARY KEY, "v TEXT); ${remove}; --" TEXT)`,
  },
  {
    name: "option of a new table",
    sql: (ns, remove) => `CREATE TABLE ${ns}.odd (id BIGINT PRIMARY KEY) WITH (TYPE='SHARED''; ${remove}; --')`,
  },
  { name: "namespace_id", sql: () => "SELECT id FROM t LIMIT 1", namespace: (remove) => `x'; ${remove}; --` },
  { name: "name of a user", sql: (_, remove) => `EXECUTE AS USER 'nobody''; ${remove}; --' (SELECT 1)` },
  {
    name: "parameter for a number",
    sql: (ns) => `SELECT id FROM ${ns}.t WHERE id = $1 LIMIT 1`,
    params: (remove) => [`0; ${remove}`],
  },
];

/** Aliases of a column: they must be returned unchanged. */
export const aliases: readonly Payload[] = [
  { name: "alias with a semicolon", text: (remove) => `a; ${remove}; --` },
  { name: "alias with quotes", text: () => `it's "so"` },
];

/** All cases, in the order of their rows in the canary table. */
export const cases: readonly string[] = [...payloads, ...places, ...aliases].map(({ name }) => name);
