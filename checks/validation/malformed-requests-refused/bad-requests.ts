/**
 * Malformed requests. They name nothing on the server, and no name in them is empty or contains `/`, `..` or NUL: some
 * servers crash on those (hostile-names-harmless).
 */
export interface BadRequest {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

const sqlPath = "/v1/api/sql";
const json = { "content-type": "application/json" };
/** A valid body: in the cases below, whatever differs from it is malformed. */
export const goodBody = '{"sql":"SELECT 1 AS alive"}';

const bytes = (...parts: readonly (string | number)[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === "number" ? [part] : [...new TextEncoder().encode(part)])));
const utf16 = (text: string): Uint8Array => new Uint8Array(Uint16Array.from(text, (unit) => unit.charCodeAt(0)).buffer);

const body = (name: string, text: string | Uint8Array): BadRequest => ({
  name,
  method: "POST",
  path: sqlPath,
  headers: json,
  body: text,
});
const typed = (name: string, headers: Readonly<Record<string, string>>, text = goodBody): BadRequest => ({
  name,
  method: "POST",
  path: sqlPath,
  headers,
  body: text,
});
const method = (name: string): BadRequest => ({ name: `method ${name}`, method: name, path: sqlPath, headers: {} });
const withBody = (name: string): BadRequest => ({
  name: `method ${name}`,
  method: name,
  path: sqlPath,
  headers: json,
  body: goodBody,
});
const path = (name: string, to: string): BadRequest => ({
  name,
  method: "POST",
  path: to,
  headers: json,
  body: goodBody,
});

export const badRequests: readonly BadRequest[] = [
  body("empty body", ""),
  body("only spaces", "   "),
  body("SQL instead of JSON", "SELECT 1"),
  body("truncated JSON", '{"sql":"SELECT 1"'),
  body("null", "null"),
  body("a string", '"SELECT 1"'),
  body("a number", "1"),
  body("an empty list", "[]"),
  body("a list of requests", `[${goodBody}]`),
  body("a list instead of an object", '["SELECT 1"]'),
  body("an empty object", "{}"),
  body("sql missing", '{"query":"SELECT 1"}'),
  body("sql in another case", '{"SQL":"SELECT 1"}'),
  body("sql null", '{"sql":null}'),
  body("sql a number", '{"sql":1}'),
  body("sql true", '{"sql":true}'),
  body("sql a list", '{"sql":["SELECT 1"]}'),
  body("sql an object", '{"sql":{"text":"SELECT 1"}}'),
  body("params an object", '{"sql":"SELECT $1 AS a","params":{"1":1}}'),
  body("params a string", '{"sql":"SELECT $1 AS a","params":"1"}'),
  body("params a number", '{"sql":"SELECT $1 AS a","params":1}'),
  body("a parameter that is an object", '{"sql":"SELECT $1 AS a","params":[{"a":1}]}'),
  body("a parameter that is a list", '{"sql":"SELECT $1 AS a","params":[[1]]}'),
  body("too few parameters", '{"sql":"SELECT $1 AS a, $2 AS b","params":[1]}'),
  body("missing parameters", '{"sql":"SELECT $1 AS a"}'),
  body("parameter 0", '{"sql":"SELECT $0 AS a","params":[1]}'),
  body("parameters with a batch", '{"sql":"SELECT $1 AS a; SELECT 2","params":[1]}'),
  body("a number out of range", '{"sql":"SELECT $1 AS a","params":[1e999]}'),
  body("NaN", '{"sql":"SELECT $1 AS a","params":[NaN]}'),
  body("namespace_id a number", '{"sql":"SELECT 1","namespace_id":1}'),
  body("namespace_id a list", '{"sql":"SELECT 1","namespace_id":["a"]}'),
  body("text after the JSON", `${goodBody} x`),
  body("two documents", goodBody + goodBody),
  body("single quotes", "{'sql':'SELECT 1'}"),
  body("an unquoted key", '{sql:"SELECT 1"}'),
  body("a comment", '{"sql":"SELECT 1"/* x */}'),
  body("a trailing comma", '{"sql":"SELECT 1",}'),
  body("a bad escape", String.raw`{"sql":"SELECT \x31"}`),
  body("half a surrogate pair", String.raw`{"sql":"SELECT '\ud800'"}`),
  body("a line break in a string", '{"sql":"SELECT\n1"}'),
  body("invalid UTF-8", bytes('{"sql":"SELECT \'', 0xff, 0xfe, "'\"}")),
  body("an overlong UTF-8 sequence", bytes('{"sql":"SELECT \'', 0xc0, 0xaf, "'\"}")),
  body("UTF-16", utf16(goodBody)),
  body("10,000 nested lists", `{"sql":"SELECT 1","params":${"[".repeat(10_000)}${"]".repeat(10_000)}}`),
  body("100,000 unclosed lists", "[".repeat(100_000)),
  typed("no content type", {}),
  typed("content type text/plain", { "content-type": "text/plain" }),
  typed("content type of a form", { "content-type": "application/x-www-form-urlencoded" }, "sql=SELECT+1"),
  typed("content type multipart without a boundary", { "content-type": "multipart/form-data" }),
  typed("content type XML", { "content-type": "application/xml" }, "<sql>SELECT 1</sql>"),
  typed("an invalid content type", { "content-type": ";;;" }),
  typed("gzip declared, body not compressed", { ...json, "content-encoding": "gzip" }),
  method("GET"),
  withBody("PUT"),
  withBody("PATCH"),
  withBody("DELETE"),
  path("unknown path", "/v1/api/sqll"),
  path("unknown version", "/v0/api/sql"),
  typed("Bearer without a token", { ...json, authorization: "Bearer " }),
  typed("a token of two words", { ...json, authorization: "Bearer a b" }),
  typed("an unknown scheme", { ...json, authorization: "Nonsense abc" }),
];
