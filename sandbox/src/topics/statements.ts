import { recordAction } from "../store/audit.ts";
import { titled } from "../store/roles.ts";
import { denied, failed, invalid, noTable } from "../sql/errors.ts";
import { readTableName, refuseRest } from "../sql/names.ts";
import { answer, done, type Outcome, type Session } from "../sql/session.ts";
import { valueOf, type Reader, type Token } from "../sql/tokens.ts";
import { mayConsume } from "./answers.ts";
import { operations, payloads, type Operation, type Payload, type Position } from "./topics.ts";

type Run = (session: Session) => Outcome;

/** Reads what follows `CREATE TOPIC`. */
export function readCreateTopic(reader: Reader): Run {
  const name = readTopic(reader, "CREATE TOPIC");
  const partitions = reader.accept("PARTITIONS") ? readNumber(reader, "PARTITIONS") : 1;
  if (partitions === 0) throw invalid("Partition count must be a positive integer");
  refuseRest(reader, "CREATE TOPIC");
  return (session) => {
    const [namespace = "", local = "", more] = name.split(".");
    if (namespace === "" || local === "" || more !== undefined)
      throw failed("Invalid operation: Topic name must be namespace-qualified: <namespace>.<topic>");
    if (!session.catalogue.hasNamespace(namespace)) throw failed(`Not found: Namespace '${namespace}' does not exist`);
    if (session.topics.has(name)) throw failed(`Already exists: Topic '${name}' already exists`);
    session.topics.create(name, partitions);
    recordAction(session, "CREATE_TOPIC", name);
    return done(`Created topic '${name}' with ${partitions} partition(s)`);
  };
}

/** Reads what follows `ALTER TOPIC`: ADD SOURCE is all there is. */
export function readAlterTopic(reader: Reader): Run {
  const name = readTopic(reader, "ALTER TOPIC");
  if (!reader.accept("ADD SOURCE")) throw invalid("Expected ADD SOURCE after the name of the topic");
  const source = readTableName(reader, "ADD SOURCE");
  if (!reader.accept("ON")) throw invalid("Expected ON after the table of ADD SOURCE");
  const op = readOperation(reader.next());
  if (reader.accept("WHERE")) throw failed("Invalid operation: the sandbox does not serve filters of topics");
  const payload = readPayload(reader);
  refuseRest(reader, "ALTER TOPIC");
  return (session) => {
    const namespace = source.namespace ?? "default";
    const table = `${namespace}.${source.name}`;
    refuseMissing(session, name);
    if (session.catalogue.table(namespace, source.name) === undefined)
      throw noTable(`Not found: Table '${source.name}' not found in namespace '${namespace}'`);
    const route = { table_id: table, op, payload_mode: payload, filter_expr: null, partition_key_expr: null };
    if (!session.topics.addRoute(name, route))
      throw failed(`Already exists: Route for ${table} ON ${titled(op)} already exists in topic '${name}'`);
    return done(`Added source ${table} ON ${titled(op)} to topic '${name}'`);
  };
}

/** Reads what follows `DROP TOPIC`. */
export function readDropTopic(reader: Reader): Run {
  const name = readTopic(reader, "DROP TOPIC");
  refuseRest(reader, "DROP TOPIC");
  return (session) => {
    refuseMissing(session, name);
    session.topics.drop(name);
    recordAction(session, "DROP_TOPIC", name);
    const job = session.jobs.add("topic_cleanup", name);
    return done(`Dropped topic '${name}' and scheduled cleanup job [${job}]`);
  };
}

const messagesDefault = 100;

/** Reads what follows `CONSUME FROM`. It consumes the first partition, and acknowledges for its group what it returns. */
export function readConsume(reader: Reader): Run {
  const name = readTopic(reader, "CONSUME FROM");
  const group = reader.accept("GROUP") ? readText(reader, "GROUP") : undefined;
  const position = reader.accept("FROM") ? readPosition(reader) : "latest";
  const limit = reader.accept("LIMIT") ? readNumber(reader, "LIMIT") : messagesDefault;
  refuseRest(reader, "CONSUME FROM");
  return (session) => {
    refuseUsers(session, "consume from topics");
    refuseMissing(session, name);
    const from = session.topics.start(name, 0, group, position);
    const messages = session.topics.fetch(name, 0, { group, from, limit });
    const last = messages.at(-1);
    if (group !== undefined && last !== undefined) session.topics.acknowledge(name, 0, group, last.offset);
    return answer(
      "topic_id:Text* partition_id:Int* offset:BigInt* key:Text payload:Bytes! timestamp_ms:BigInt! user_id:Text op:Text!",
      messages.map(({ offset, key, payload, publishedMs, user, op }) => [
        name,
        0,
        String(offset),
        key,
        [...Buffer.from(payload)],
        publishedMs,
        user,
        op,
      ]),
    );
  };
}

/** Reads what follows `ACK`. */
export function readAck(reader: Reader): Run {
  const name = readTopic(reader, "ACK");
  if (!reader.accept("GROUP")) throw invalid("ACK requires GROUP clause");
  const group = readText(reader, "GROUP");
  const partition = reader.accept("PARTITION") ? readNumber(reader, "PARTITION") : 0;
  if (!reader.accept("UPTO OFFSET")) throw invalid("ACK requires UPTO OFFSET clause");
  const upTo = readNumber(reader, "UPTO OFFSET");
  refuseRest(reader, "ACK");
  return (session) => {
    refuseUsers(session, "acknowledge topic offsets");
    refuseMissing(session, name);
    session.topics.acknowledge(name, partition, group, upTo);
    return answer("topic:Text! group_id:Text! partition:Int! committed_offset:BigInt!", [
      [name, group, partition, String(upTo)],
    ]);
  };
}

function refuseMissing({ topics }: Session, name: string): void {
  if (!topics.has(name)) throw failed(`Not found: Topic '${name}' does not exist`);
}

function refuseUsers({ account }: Session, what: string): void {
  if (!mayConsume(account.role)) throw denied(`Permission denied: Only service, dba, or system roles can ${what}`);
}

/** As written: the names of topics are not folded to lower case. */
function readTopic(reader: Reader, after: string): string {
  const name = reader.raw();
  if (name === "") throw invalid(`Missing argument after ${after}`);
  return name;
}

function readNumber(reader: Reader, after: string): number {
  const text = reader.next()?.text ?? "";
  const number = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number))
    throw invalid(`Expected a non-negative integer after ${after}, found ${text === "" ? "nothing" : text}`);
  return number;
}

function readText(reader: Reader, after: string): string {
  const token = reader.next();
  if (token === undefined) throw invalid(`Missing argument after ${after}`);
  return valueOf(token);
}

function readPosition(reader: Reader): Position {
  if (reader.accept("EARLIEST")) return "earliest";
  return reader.accept("LATEST") ? "latest" : readNumber(reader, "FROM");
}

function readOperation(token: Token | undefined): Operation {
  const found = operations.find((operation) => operation.toUpperCase() === token?.word);
  if (found === undefined)
    throw invalid(`Invalid operation '${token?.text ?? ""}'. Expected INSERT, UPDATE, or DELETE`);
  return found;
}

/** `WITH (payload = 'full')`. */
function readPayload(reader: Reader): Payload {
  if (!reader.accept("WITH")) return "full";
  const named = /^\(\s*payload\s*=\s*(['"]?)(\w+)\1\s*\)$/i.exec(reader.rest())?.[2]?.toLowerCase();
  const found = payloads.find((payload) => payload === named);
  if (found === undefined) throw invalid(`Invalid payload mode '${named ?? ""}'. Expected 'key', 'full', or 'diff'`);
  return found;
}
