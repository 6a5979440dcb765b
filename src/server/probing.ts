/** Asks a server for its dialect: five requests and the start of one live query, in a namespace of its own. */
import type { Session } from "../session/session.ts";
import { prefixOf } from "../session/scratch.ts";
import { drop } from "../session/sweep.ts";
import { integerText, isRecord } from "../wire/json.ts";
import { isCleanRefusal, saidOf, type Answer } from "./answer.ts";
import { learn, signsOfSettings, type Learned, type Signs } from "./dialect.ts";
import { versionOf } from "./feed.ts";
import type { Live } from "./live.ts";
import { makeTarget, type Account, type Target } from "./target.ts";

const liveWithinMs = 5_000;

/**
 * Learns the dialect of the session's server and keeps it in the session. What the server does not answer is left to what
 * is known of its version: this ends no run.
 */
export async function askDialect(session: Session, signal: AbortSignal): Promise<Learned> {
  const { login, capabilities, ledger, run } = session;
  if (login === null) return session.learned;
  const name = `${prefixOf(run)}_dialect`;
  const target = makeTarget(session, { wire: session.parts.wire, signal, holder: {} });
  // The clean-up of the run sees that it is gone.
  ledger.enter({ kind: "namespace", name });
  const made = await target.sql(login, `CREATE NAMESPACE ${name}`);
  const signs = made.kind === "ok" ? await signsIn(target, login, name) : {};
  await drop(session.sender, login, { kind: "namespace", name });
  session.learned = learn(capabilities.version, { ...signsOfSettings(capabilities.settings), ...signs });
  return session.learned;
}

async function signsIn(target: Target, login: Account, namespace: string): Promise<Signs> {
  const columns = "id BIGINT PRIMARY KEY, v TEXT";
  const table = `${namespace}.asked`;
  const made = await target.sql(
    login,
    `CREATE TABLE ${table} (${columns}) WITH (TYPE='SHARED'); INSERT INTO ${table} (id, v) VALUES (1, 'a')`,
  );
  if (made.kind !== "ok") return {};
  const [level, policy, live] = await Promise.all([
    target.sql(login, `CREATE TABLE ${namespace}.levelled (${columns}) WITH (TYPE='SHARED', ACCESS_LEVEL='PRIVATE')`),
    target.sql(login, `CREATE POLICY kr_asked ON ${table} FOR SELECT TO user USING (true)`),
    target.live(login),
  ]);
  return { ...accessShown(level, policy), ...("kind" in live ? {} : await signsOfLive(live, table)) };
}

/** A server that takes both has policies: it may only ignore the level. */
function accessShown(level: Answer, policy: Answer): Signs {
  if (policy.kind === "ok") return { sharedAccess: "policies" };
  return level.kind === "ok" && isCleanRefusal(saidOf(policy)) ? { sharedAccess: "levels" } : {};
}

async function signsOfLive(live: Live, table: string): Promise<Signs> {
  const subscription = await live.subscribe(`SELECT * FROM ${table}`);
  const begun = await subscription.begin(liveWithinMs);
  const cursor = live.frames
    .flatMap(({ json }) =>
      isRecord(json) && isRecord(json["batch_control"]) ? [json["batch_control"]["last_seq_id"]] : [],
    )
    .find((one) => integerText(one) !== undefined);
  live.close();
  if (begun.kind !== "ready") return {};
  const column = begun.rows.map(versionOf).find((one) => one !== undefined)?.column;
  return {
    domain: subscription.versionDomain === undefined ? "none" : "inBatchControl",
    ...(column === "_seq" || column === "_version" ? { versionColumn: column } : {}),
    ...(cursor === undefined ? {} : { cursor: typeof cursor === "string" ? "text" : "number" }),
  };
}
