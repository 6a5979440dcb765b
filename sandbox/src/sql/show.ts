import { randomUUID } from "node:crypto";
import { dialect } from "../dialect.ts";
import { Plan } from "../live/plan.ts";
import { LiveRefusal, readLiveQuery } from "../live/query.ts";
import { id, literal, quote, rowsOf, type Table } from "../store/catalogue.ts";
import { databaseRole, isAdmin } from "../store/roles.ts";
import { sqlType, type Column } from "../store/types.ts";
import { denied, failed, invalid, noTable, wrong } from "./errors.ts";
import { readName, readTableName, refuseRest, type TableName } from "./names.ts";
import { mayRead } from "./rights.ts";
import { answer, present, type Outcome, type Session } from "./session.ts";
import type { Reader } from "./tokens.ts";

/** Reads what follows `SHOW`. */
export function readShow(reader: Reader): (session: Session) => Outcome {
  const show = readWhat(reader);
  refuseRest(reader, "SHOW");
  return show;
}

function readWhat(reader: Reader): (session: Session) => Outcome {
  if (reader.accept("NAMESPACES")) return (session) => select("system.namespaces ORDER BY 1", session);
  if (reader.accept("STORAGES")) return (session) => select("system.storages ORDER BY 1", session);
  if (reader.accept("MANIFEST")) return manifest;
  if (reader.accept("TABLES")) {
    const namespace =
      reader.accept("IN NAMESPACE") || reader.accept("IN") ? readName(reader, "SHOW TABLES IN") : undefined;
    return (session) => tables(namespace, session);
  }
  if (!reader.accept("STATS FOR TABLE")) throw invalid(`Unsupported SHOW: ${reader.rest()}`);
  const table = readTableName(reader, "SHOW STATS FOR TABLE");
  return (session) => stats(readable(table, session), session);
}

const select = (from: string, { engine, catalogue }: Session): Outcome =>
  present(engine.run({ text: `SELECT * FROM ${from}` }), catalogue);

/** Administrators see the manifests of all users, others their own. */
function manifest(session: Session): Outcome {
  const own = isAdmin(session.account) ? "" : ` WHERE scope IN ('shared', ${literal(session.account.user)})`;
  return select(`system.manifest${own} ORDER BY 1`, session);
}

function tables(namespace: string | undefined, session: Session): Outcome {
  if (
    namespace !== undefined &&
    namespace !== "system" &&
    namespace !== "information_schema" &&
    !session.catalogue.hasNamespace(namespace)
  ) {
    throw failed(`Not found: Namespace '${namespace}' not found`);
  }
  const which = namespace === undefined ? "" : ` AND namespace_id = ${literal(namespace)}`;
  const whose = isAdmin(session.account) ? "" : " AND table_type <> 'system'";
  return select(`system.schemas WHERE is_latest${which}${whose} ORDER BY namespace_id, table_name`, session);
}

/** The table; not found for accounts that may not read it. */
function readable(name: TableName, { catalogue, account, namespace: usual }: Session): Table {
  const namespace = name.namespace ?? usual;
  const table = catalogue.table(namespace, name.name);
  if (table === undefined || !mayRead(account, table))
    throw noTable(`Not found: Table '${name.name}' not found in namespace '${namespace}'`);
  return table;
}

/** Statistics of a user table cover the caller's own rows; for an administrator, all rows. */
function stats(table: Table, session: Session): Outcome {
  const { engine, account } = session;
  if (table.type === "system") throw failed(`Invalid operation: no statistics of system table '${id(table)}'`);
  const stored = rowsOf(table);
  const own = table.type === "shared" || isAdmin(account) ? "" : ` WHERE "_user" = ${literal(account.user)}`;
  const segments = `(SELECT coalesce(sum(jsonb_array_length(segments)), 0) FROM kalam.scopes WHERE table_id = ${literal(id(table))})`;
  // Under policies, only the rows that the account may read.
  const isFiltered = dialect.sharedAccess === "policies" && table.type === "shared";
  const view = `${quote(table.namespace)}.${quote(table.name)}`;
  const visible = isFiltered
    ? (engine.run({ text: `SELECT count(*) FROM ${view}` }, { role: databaseRole(account), user: account.user })
        .rows[0]?.[0] ?? "0")
    : `(SELECT count(*) FROM ${stored}${own})`;
  return present(
    engine.run({
      text: `SELECT ${literal(table.name)} AS table_name, ${literal(table.namespace)} AS namespace, '${table.version}' AS schema_version,
        ${visible}::text AS logical_rows, ${segments}::text AS flushed_segments, '0' AS active_streams,
        pg_relation_size(${literal(stored)})::text AS memory_bytes`,
    }),
    session.catalogue,
  );
}

/** Reads what follows `DESCRIBE [TABLE]`. */
export function readDescribe(reader: Reader): (session: Session) => Outcome {
  const name = readTableName(reader, "DESCRIBE TABLE");
  const history = reader.accept("HISTORY");
  refuseRest(reader, "DESCRIBE TABLE");
  return (session) => {
    const table = readable(name, session);
    const sql =
      "SELECT schema_version, columns FROM system.schemas WHERE table_id = $1 AND (is_latest OR $2) ORDER BY 1";
    const versions = session.engine.query(sql, [`${table.namespace}:${table.name}`, String(history)]);
    const rows = new Map<string, unknown[]>();
    for (const [version, columns] of versions) {
      for (const column of JSON.parse(columns ?? "[]") as Column[]) {
        // Each column once, with the first version that has it in this form.
        const key = JSON.stringify({ ...column, ordinal_position: 0 });
        if (!rows.has(key)) rows.set(key, described(column, Number(version)));
      }
    }
    return answer(
      "column_name:Text! ordinal_position:Int! column_id:BigInt! data_type:Text! is_nullable:Boolean! " +
        "is_primary_key:Boolean! column_default:Text column_comment:Text schema_version:Int!",
      [...rows.values()],
    );
  };
}

function described(column: Column, version: number): unknown[] {
  const { column_name: name, ordinal_position: position, column_id: number, data_type: type } = column;
  const shape = [name, position, String(number), sqlType(type), column.is_nullable, column.is_primary_key];
  return [...shape, defaultText(column), column.column_comment, version];
}

function defaultText({ default_value: value }: Column): string | null {
  if (value === "None") return null;
  if ("FunctionCall" in value) return `${value.FunctionCall.name}()`;
  return typeof value.Literal === "boolean" ? String(value.Literal).toUpperCase() : String(value.Literal);
}

const subscribeOption = String.raw`\s*(?:last_rows|batch_size|from)\s*=\s*\d+\s*`;
const subscribeOptions = new RegExp(`^\\(${subscribeOption}(?:,${subscribeOption})*\\)$`, "i");

/** Reads what follows `SUBSCRIBE TO`: returns the WebSocket address and the subscription to send there. */
export function readSubscribe(reader: Reader, namespace: string): (session: Session) => Outcome {
  const from = reader.peek()?.start ?? 0;
  // Over a socket, the statement must name the namespace.
  const prefix = reader.peek(1)?.text === "." ? "" : `${quote(namespace)}.`;
  while (!reader.done && reader.peek()?.word !== "OPTIONS") reader.next();
  const sql = `SELECT * FROM ${prefix}${reader.text.slice(from, reader.peek()?.start).trim()}`;
  if (reader.accept("OPTIONS") && !subscribeOptions.test(reader.rest()))
    throw invalid("Invalid OPTIONS of SUBSCRIBE TO");
  const query = overHttp(() => readLiveQuery(sql));
  return (session) => {
    const { settings, engine, catalogue, account } = session;
    // Planned now, so that a missing table or privilege is reported here.
    overHttp(() => new Plan(engine, catalogue, query, account));
    const address = `ws://${settings["server.host"]}:${settings["server.port"]}/${settings["server.api_version"]}/ws`;
    const subscription = { id: `sub-${query.namespace}-${query.table}-${randomUUID().replaceAll("-", "")}`, sql };
    const row = ["active", address, subscription, "Subscribe at ws_url"];
    return answer("status:Text ws_url:Text subscription:Json message:Text", [row]);
  };
}

/** Refuses over HTTP what a socket would refuse, with the same message. */
function overHttp<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof LiveRefusal)) throw error;
    const { code, message } = error;
    if (code === "INVALID_SQL") throw invalid(message);
    throw code === "UNAUTHORIZED" ? denied(message) : wrong(message);
  }
}
