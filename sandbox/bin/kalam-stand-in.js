#!/usr/bin/env node
/**
 * A stand-in for KalamDB's `kalam` command line, for proofs and tests where KalamDB is not installed. It supports the
 * arguments, exit codes and streams that the checks use, and behaves correctly where the real one does not. Not a client
 * for real use.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";

/**
 * @typedef {{ name: string, data_type: unknown }} Column
 * @typedef {{ schema?: Column[], rows?: unknown[][], row_count: number, message?: string, as_user?: string }} Result
 * @typedef {{ status?: string, results?: Result[], took?: number, error?: { code: string, message: string } | string | null }} Answer
 */

/** Ends the run with this message on stderr. */
class Failure extends Error {}

const options = /** @type {const} */ ({
  url: { type: "string", short: "u" },
  user: { type: "string" },
  password: { type: "string" },
  token: { type: "string" },
  command: { type: "string", short: "c" },
  file: { type: "string", short: "f" },
  subscribe: { type: "string" },
  json: { type: "boolean" },
  csv: { type: "boolean" },
  timeout: { type: "string", default: "30" },
  "receive-timeout": { type: "string", default: "30" },
  "no-color": { type: "boolean" },
  "no-spinner": { type: "boolean" },
  version: { type: "boolean", short: "V" },
  help: { type: "boolean", short: "h" },
});

// A closed pipe is not an error.
process.stdout.on("error", () => process.exit(0));

process.exitCode = 1;
try {
  const flags = readFlags();
  if (flags !== undefined) {
    await run(flags);
    process.exitCode = 0;
  }
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  process.stderr.write(`Error: ${error.message}\n`);
}

/** The flags; undefined for invalid arguments, with the exit code set. */
function readFlags() {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    process.stderr.write(`error: ${/** @type {Error} */ (error).message}\n\nFor more information, try '--help'.\n`);
    process.exitCode = 2;
    return undefined;
  }
}

/** @param {NonNullable<ReturnType<typeof readFlags>>} flags */
async function run(flags) {
  if (flags.version === true) return say("kalam 0.0.0 (a stand-in)");
  if (flags.help === true) return say("Usage: kalam [OPTIONS]");
  if (flags.file !== undefined && flags.command !== undefined)
    throw new Failure("both --file and --command were given");
  const home = path.join(homedir(), ".kalam");
  mkdirSync(home, { recursive: true });
  if (!existsSync(path.join(home, "config.toml"))) writeFileSync(path.join(home, "config.toml"), "[ui]\n");

  const url = flags.url ?? "http://localhost:8080";
  const timeoutMs = Math.min(Number(flags.timeout), Number(flags["receive-timeout"])) * 1000;
  const script = flags.file === undefined ? undefined : read(flags.file);
  const token = flags.token ?? (await logIn(url, flags.user ?? "root", flags.password ?? "", timeoutMs));
  /** @type {(sql: string) => Promise<Answer>} */
  const ask = async (sql) => await askServer(url, token, sql, timeoutMs);
  const format = flags.json === true ? "json" : flags.csv === true ? "csv" : "table";
  if (flags.subscribe !== undefined) return await follow(url, token, flags.subscribe, format);
  if (script !== undefined) {
    for (const request of requestsOf(script)) say(shown(await ask(request), format));
    return;
  }
  if (flags.command === undefined || flags.command.trim() === "") throw new Failure("Empty command");
  say(shown(await ask(meant(flags.command.trim())), format));
}

/** @param {string} text */
function say(text) {
  process.stdout.write(`${text}\n`);
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Failure(`Failed to read ${file}: ${/** @type {Error} */ (error).message}`);
  }
}

/**
 * The statement that a command stands for.
 * @param {string} command
 */
function meant(command) {
  if (!command.startsWith("\\")) return command;
  const [word = "", name = ""] = command.split(/\s+/);
  if (word === "\\dt") {
    return "SELECT namespace_id AS namespace, table_name, table_type FROM system.tables ORDER BY 1, 2 LIMIT 1000";
  }
  if (word === "\\stats") return "SELECT metric_name, metric_value FROM system.stats ORDER BY metric_name LIMIT 1000";
  if (word === "\\d" && name !== "") {
    const [table = "", namespace] = name.replaceAll("'", "''").split(".").toReversed();
    const where = namespace === undefined ? "" : ` AND table_schema = '${namespace}'`;
    return `SELECT table_schema AS namespace, table_name, column_name, data_type, is_nullable FROM information_schema.columns WHERE table_name = '${table}'${where} ORDER BY table_schema, ordinal_position LIMIT 1000`;
  }
  throw new Failure(`Unknown command: ${word}`);
}

/** @param {string} url @param {string} user @param {string} password @param {number} timeoutMs */
async function logIn(url, user, password, timeoutMs) {
  const { status, body } = await post(`${url}/v1/api/auth/login`, { user, password }, {}, timeoutMs);
  const token = /** @type {{ access_token?: unknown }} */ (body).access_token;
  if (status !== 200 || typeof token !== "string") throw new Failure(`Login failed (${status})`);
  return token;
}

/** @param {string} url @param {string} token @param {string} sql @param {number} timeoutMs @returns {Promise<Answer>} */
async function askServer(url, token, sql, timeoutMs) {
  const { status, body } = await post(`${url}/v1/api/sql`, { sql }, { authorization: `Bearer ${token}` }, timeoutMs);
  const answer = /** @type {Answer} */ (body);
  if (status === 200 && answer.status === "success") return answer;
  const { error } = answer;
  const message = typeof error === "object" && error !== null ? error.message : JSON.stringify(answer);
  throw new Failure(`Server error (${status}): ${message}`);
}

/** @param {string} url @param {object} body @param {Record<string, string>} headers @param {number} timeoutMs */
async function post(url, body, headers, timeoutMs) {
  const over = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
      signal: over,
    });
    return { status: response.status, body: /** @type {object} */ (await response.json()) };
  } catch (error) {
    const why = over.aborted ? "no answer in time" : String(/** @type {Error} */ (error).cause ?? error);
    throw new Failure(`error sending request for url (${url}): ${why}`);
  }
}

/**
 * The statements of a file, with each transaction as one request, because it ends with its request.
 * @param {string} script
 */
function requestsOf(script) {
  /** @type {string[]} */
  const requests = [];
  let open = "";
  for (const statement of statementsOf(script)) {
    const word = /^[a-z]+/i.exec(statement)?.[0]?.toUpperCase();
    if (open === "" && word !== "BEGIN") requests.push(statement);
    else {
      open += `${statement}; `;
      if (word === "COMMIT" || word === "ROLLBACK") {
        requests.push(open);
        open = "";
      }
    }
  }
  return open === "" ? requests : [...requests, open];
}

/**
 * Splits at semicolons outside of strings, quoted names and comments; drops comments.
 * @param {string} script
 */
function statementsOf(script) {
  const statements = [""];
  for (const [piece] of script.matchAll(
    /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|;|[^'";/-]+|[/'"-]/g,
  )) {
    if (piece === ";") statements.push("");
    else statements[statements.length - 1] += /^(--|\/\*)/.test(piece) ? " " : piece;
  }
  return statements.map((statement) => statement.trim()).filter((statement) => statement !== "");
}

/** @param {Answer} answer @param {"json" | "csv" | "table"} format */
function shown(answer, format) {
  if (format === "json") return JSON.stringify(answer, undefined, 2);
  const [result] = answer.results ?? [];
  const columns = result?.schema?.map((column) => column.name);
  if (result?.rows === undefined || columns === undefined) {
    if (format === "csv") return "";
    return `${result?.message ?? ""}\nQuery OK, ${result?.row_count ?? 0} rows affected\n\nTook: ${answer.took} ms`;
  }
  const rows = result.rows.map((row) => row.map((cell) => (cell === null ? "NULL" : textOf(cell))));
  if (format === "csv") return [columns, ...rows].map((row) => row.map(quoted).join(",")).join("\n");
  const widths = columns.map((name, at) => Math.max(name.length, ...rows.map((row) => row[at]?.length ?? 0)));
  const lines = [columns, ...rows].map(
    (row) => `│ ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" │ ")} │`,
  );
  return `${lines.join("\n")}\n(${rows.length} rows)\n\nTook: ${answer.took} ms`;
}

/** @param {unknown} cell */
function textOf(cell) {
  return typeof cell === "string" ? cell : JSON.stringify(cell);
}

/** @param {string} text */
function quoted(text) {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Prints the rows of a live query and its changes until Ctrl-C or until stdout is closed.
 * @param {string} url @param {string} token @param {string} sql @param {"json" | "csv" | "table"} format
 */
async function follow(url, token, sql, format) {
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  /** @type {(row: unknown) => void} */
  const tell = (row) => say(format === "json" ? JSON.stringify({ row }) : `ROW ${JSON.stringify(row)}`);
  const { WebSocket } = await import("ws");
  const socket = new WebSocket(`${url.replace(/^http/, "ws")}/v1/ws`);
  await /** @type {Promise<void>} */ (
    new Promise((resolve, reject) => {
      const ping = setInterval(() => send({ type: "ping" }), 5_000);
      /** @param {object} message */
      const send = (message) => {
        if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
      };
      stop.signal.addEventListener("abort", () => socket.close(1000), { once: true });
      socket.on("open", () => {
        const protocol = { serialization: "json", compression: "none" };
        send({ type: "authenticate", method: "jwt", token, protocol });
      });
      socket.on("message", (data) => {
        const text = /** @type {Buffer} */ (data).toString("utf8");
        const message = /** @type {{ type: string, rows?: unknown[] }} */ (JSON.parse(text));
        if (message.type === "auth_success")
          send({ type: "subscribe", subscription: { id: "stand-in", sql, options: {} } });
        if (message.type === "auth_error" || message.type === "error") {
          socket.close(1000);
          reject(new Failure(text));
        }
        for (const row of message.rows ?? []) tell(row);
      });
      socket.on("error", (error) => reject(new Failure(error.message)));
      socket.on("close", (code) => {
        clearInterval(ping);
        if (stop.signal.aborted) resolve();
        else reject(new Failure(`the server closed the live query (${code})`));
      });
    })
  );
}
