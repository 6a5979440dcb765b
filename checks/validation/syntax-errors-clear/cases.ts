/** Invalid statements, and what must not appear in an error message. */

/** `explains`: what an error message for an administrator can say about it. */
export const cases: readonly { readonly name: string; readonly sql: string; readonly explains: RegExp }[] = [
  { name: "SELECT without a table", sql: "SELECT * FROM", explains: /expected|end of|eof|syntax/i },
  { name: "INSERT without values", sql: "INSERT INTO table", explains: /expected|end of|eof|syntax/i },
  { name: "CREATE TABLE without a name", sql: "CREATE TABLE (id INT)", explains: /expected|identifier|syntax|name/i },
  { name: "UPDATE without a table", sql: "UPDATE SET value = 1", explains: /expected|syntax/i },
  { name: "DELETE without a table", sql: "DELETE FROM WHERE id = 1", explains: /expected|syntax|not found/i },
  { name: "misspelt verb", sql: "SELEC 1", explains: /SELEC\b|expected|syntax/i },
  { name: "word too many", sql: "SELECT 1 FORM nowhere x", explains: /expected|syntax|FORM/i },
  { name: "dangling operator", sql: "SELECT 1 +", explains: /expected|end of|eof|syntax/i },
  { name: "open text", sql: "SELECT 'open", explains: /untermin|unclosed|close|end of|eof/i },
  { name: "open name", sql: 'SELECT "open', explains: /untermin|unclosed|close|end of|eof/i },
  { name: "open comment", sql: "SELECT 1 /* open", explains: /untermin|unclosed|close|end of|eof/i },
  {
    name: "open bracket",
    sql: "SELECT (((1)",
    explains: /expected|untermin|unclosed|close|end of|eof|syntax/i,
  },
  {
    name: "2,000 brackets",
    sql: `SELECT ${"(".repeat(2_000)}1${")".repeat(2_000)}`,
    explains: /recursion|nest|depth|deep|complex|limit|expected/i,
  },
  { name: "unknown function", sql: "SELECT kr_no_such_function(1)", explains: /kr_no_such_function|function/i },
  { name: "unknown type", sql: "SELECT CAST(1 AS kr_no_such_type)", explains: /type|kr_no_such_type|unsupported/i },
  { name: "empty", sql: "", explains: /empty|no sql|no statement|expected/i },
  { name: "only blanks", sql: " \n\t ", explains: /empty|no sql|no statement|expected/i },
  { name: "only a comment", sql: "-- nothing else", explains: /empty|no sql|no statement|expected/i },
  { name: "only semicolons", sql: ";;;", explains: /empty|no sql|no statement|expected/i },
];

/** Server internals that an error message must not contain. */
export const internals: readonly { readonly what: string; readonly pattern: RegExp }[] = [
  { what: "a panic", pattern: /panicked at|RUST_BACKTRACE|thread '[^']*' panicked/ },
  { what: "a backtrace", pattern: /stack backtrace|\n[ \t]+at \S+:\d+|\n[ \t]*\d+: \w+(::\w+)+/ },
  { what: "a source file", pattern: /\b\w+\.(rs|cpp|go|java|ts|js|py):\d+/ },
  { what: "a path", pattern: /(^|[\s"'(=])\/(home|root|usr|opt|var|etc|tmp|data|app|srv|mnt)\/[\w./-]+/ },
  { what: "a memory address", pattern: /\b0x[0-9a-f]{8,16}\b/i },
];
