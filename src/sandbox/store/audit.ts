import { randomUUID } from "node:crypto";
import type { Engine } from "./engine.ts";

/** Who did what, for `system.audit_log`. Never what was sent: it may hold a password. */
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
  engine.query(
    "INSERT INTO system.audit_log VALUES ('audit_' || (extract(epoch FROM now()) * 1000)::int8 || '_' || $1, now(), $2, $3, $4, $5, $6, NULL)",
    [randomUUID().replaceAll("-", ""), account.user, action, target, details, address],
  );
}
