import { randomUUID } from "node:crypto";
import type { Settings } from "../settings.ts";
import type { Engine } from "./engine.ts";

/** Older lines are deleted, a hundred at a time. */
const logRowsMax = 1_000;
const prunedEach = 100;
let logged = 0;

/** Who did what, for `system.audit_log`. Never the statement: it may contain a password. */
export function recordAction(
  {
    engine,
    account,
    address,
  }: { readonly engine: Engine; readonly account: { readonly user: string }; readonly address: string },
  action: string,
  target: string,
  details: string | null = null,
): void {
  engine.run({
    text: "INSERT INTO system.audit_log VALUES ('audit_' || (extract(epoch FROM now()) * 1000)::int8 || '_' || $1, now(), $2, $3, $4, $5, $6, NULL)",
    values: [randomUUID().replaceAll("-", ""), account.user, action, target, details, address],
    prepared: true,
  });
}

/** A log line for `system.server_logs`, which exists only for the JSON format. Never the statement, either. */
export function logRefusal(
  {
    engine,
    account,
    settings,
  }: { readonly engine: Engine; readonly account: { readonly user: string }; readonly settings: Settings },
  refusal: { readonly code: string; readonly message: string },
): void {
  if (settings["logging.format"] !== "json") return;
  const line = `refused ${refusal.code}: ${refusal.message} | user='${account.user}'`;
  engine.run({
    text: "INSERT INTO system.server_logs VALUES ($1, 'WARN', 'main', 'sql', NULL, $2)",
    values: [new Date().toISOString(), line],
    prepared: true,
  });
  logged += 1;
  if (logged % prunedEach > 0) return;
  engine.query(
    `DELETE FROM system.server_logs WHERE timestamp < (SELECT timestamp FROM system.server_logs ORDER BY timestamp DESC OFFSET ${logRowsMax} LIMIT 1)`,
  );
}
