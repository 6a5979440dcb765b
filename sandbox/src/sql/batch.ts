import { randomUUID } from "node:crypto";
import { logRefusal } from "../store/audit.ts";
import { quote } from "../store/catalogue.ts";
import { PostgresError } from "../store/engine.ts";
import { isAdmin } from "../store/roles.ts";
import { failed, Refusal, translate } from "./errors.ts";
import { checkParameters, type Parameter } from "./parameters.ts";
import { done, type Outcome, type Session } from "./session.ts";
import { checkRights, dataStatement, parseCommand, type Command } from "./statements.ts";
import { split, type Statement } from "./tokens.ts";

/** The answer to one request: the JSON of each result, or a refusal. */
export type Answer =
  | { readonly kind: "ok"; readonly results: readonly string[]; readonly single: boolean }
  | {
      readonly kind: "refused";
      readonly status: number;
      readonly code: string;
      readonly message: string;
      readonly details?: string;
    };

/**
 * Runs the statements of one request. All are parsed, and privileges are checked as far as possible, before the first one
 * runs. Statements that ran before a failure stay committed.
 */
export function answer(sql: string, parameters: readonly Parameter[], session: Session): Answer {
  const statements = split(sql);
  let at = -1;
  try {
    if (statements.length === 0) throw new Refusal("EMPTY_SQL", "No SQL statements provided");
    if (statements.length > 1 && parameters.length > 0) {
      throw new Refusal("PARAMS_WITH_BATCH", "Parameters not supported with multi-statement batches");
    }
    const commands = readAll(statements, session);
    const outcomes: Outcome[] = [];
    for (const [index, command] of commands.entries()) {
      at = index;
      outcomes.push(run(command, parameters, session, statements[index]?.tokens[0]?.word ?? ""));
    }
    at = -1;
    if (session.transaction !== undefined)
      throw failed("Request completed with an open explicit transaction; rolled back automatically");
    return { kind: "ok", ...present(commands, outcomes, session) };
  } catch (error) {
    if (session.transaction !== undefined) session.engine.rollback();
    return refuse(error, at < 0 ? undefined : { number: at + 1, text: statements[at]?.text ?? "" }, session);
  }
}

/** A query that cannot be parsed is refused with its number in the batch, any other statement without. */
function readAll(statements: readonly Statement[], session: Session): Command[] {
  let { namespace } = session;
  const commands = statements.map((statement, index) => {
    try {
      const command = parseCommand(statement, namespace);
      if (command.kind === "own" && command.use !== undefined) namespace = command.use;
      return command;
    } catch (error) {
      const isPlain = dataStatement.test(statement.tokens[0]?.word ?? "");
      throw error instanceof Refusal && isPlain ? new NumberedRefusal(error, index + 1, statement.text) : error;
    }
  });
  for (const command of commands) checkRights(command, session);
  return commands;
}

/** A refusal that knows which statement it is about. */
class NumberedRefusal extends Refusal {
  readonly place: Place;

  constructor(refusal: Refusal, number: number, text: string) {
    super(refusal.code, refusal.message, refusal.open);
    this.place = { number, text };
  }
}

interface Place {
  readonly number: number;
  readonly text: string;
}

function run(command: Command, parameters: readonly Parameter[], session: Session, word: string): Outcome {
  const { engine } = session;
  switch (command.kind) {
    case "begin":
      if (session.transaction !== undefined) throw failed("Conflict: this request already has an active transaction");
      engine.begin();
      session.transaction = randomUUID();
      return done(`Transaction started (${session.transaction})`);
    case "commit":
    case "rollback": {
      const { transaction } = session;
      if (transaction === undefined) {
        throw failed(`Invalid operation: ${command.kind.toUpperCase()} requires an active explicit SQL transaction`);
      }
      if (command.kind === "commit") engine.commit();
      else engine.rollback();
      session.transaction = undefined;
      return done(`Transaction ${command.kind === "commit" ? "committed" : "rolled back"} (${transaction})`);
    }
    case "savepoint":
    case "release":
    case "rollbackTo":
      return runSavepoint(command, session);
    case "query":
      checkParameters(parameters, session.settings);
      return command.run(session, parameters);
    case "own":
      break;
  }
  if (session.transaction !== undefined && !/^(SHOW|DESCRIBE|DESC|USE)$/.test(word)) {
    throw failed("Invalid operation: DDL is not allowed inside an explicit transaction");
  }
  // Deliver earlier changes first, then review which live queries are still valid.
  if (session.transaction === undefined) {
    session.live.deliver();
    session.topics.publish();
  }
  const outcome = command.run(session);
  session.live.review();
  return outcome;
}

const savepointWords = { savepoint: "SAVEPOINT", release: "RELEASE SAVEPOINT", rollbackTo: "ROLLBACK TO SAVEPOINT" };

function runSavepoint(
  { kind, name }: { readonly kind: keyof typeof savepointWords; readonly name: string },
  { engine, transaction }: Session,
): Outcome {
  const words = savepointWords[kind];
  if (transaction === undefined)
    throw failed(`Invalid operation: ${words} requires an active explicit SQL transaction`);
  if (kind === "rollbackTo") engine.rollbackTo(quote(name));
  else engine.script(`${words} ${quote(name)}`);
  return done(`${words} ${name}`);
}

/** Results in order; writes are summed by verb and user, and come last. */
function present(
  commands: readonly Command[],
  outcomes: readonly Outcome[],
  session: Session,
): { results: string[]; single: boolean } {
  const wrote = new Map<string, { count: number; as: string }>();
  const results: string[] = [];
  outcomes.forEach((outcome, index) => {
    const command = commands[index];
    const as = command?.kind === "query" && command.as !== undefined ? command.as : session.account.user;
    if (outcome.kind === "wrote") {
      const key = `${outcome.verb} ${as}`;
      wrote.set(key, { count: (wrote.get(key)?.count ?? 0) + outcome.count, as });
    } else if (outcome.kind === "done")
      results.push(JSON.stringify({ row_count: 0, message: outcome.message, as_user: as }));
    else {
      const schema = outcome.schema.map((column, i) => ({ ...column, index: i }));
      const message = outcome.message === undefined ? "" : `,"message":${JSON.stringify(outcome.message)}`;
      results.push(
        `{"schema":${JSON.stringify(schema)},"rows":[${outcome.rows.join(",")}],"row_count":${outcome.rows.length}${message},"as_user":${JSON.stringify(as)}}`,
      );
    }
  });
  for (const [key, { count, as }] of wrote) {
    results.push(
      JSON.stringify({ row_count: count, message: `${key.split(" ")[0] ?? ""} ${count} row(s)`, as_user: as }),
    );
  }
  return { results, single: outcomes.length === 1 && outcomes[0]?.kind === "rows" };
}

function refuse(error: unknown, place: Place | undefined, session: Session): Answer {
  const refusal = error instanceof PostgresError ? translate(error, { columns: [], key: "", user: "" }) : error;
  // Any other error means that the engine is broken.
  if (!(refusal instanceof Refusal)) throw error;
  const about = refusal instanceof NumberedRefusal ? refusal.place : place;
  const privileged = isAdmin(session.account);
  const shown = refusal.messageFor(privileged);
  logRefusal(session, refusal);
  // A message replaced for plain users does not say which statement failed either.
  const numbered = about !== undefined && shown === refusal.message && refusal.code !== "INVALID_INPUT";
  return {
    kind: "refused",
    status: refusal.status,
    code: refusal.code,
    message: numbered ? `Statement ${about.number} failed: ${shown}` : shown,
    ...(privileged && about !== undefined ? { details: about.text } : {}),
  };
}
