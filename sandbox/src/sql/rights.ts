import { dialect } from "../dialect.ts";
import type { Table } from "../store/catalogue.ts";
import { isAdmin, type Account } from "../store/roles.ts";

/** Whether the account may read the table; of a user or stream table that means its own rows. Policies choose the rows. */
export function mayRead(account: Account, { type, access }: Table): boolean {
  if (isAdmin(account) || type === "user" || type === "stream") return true;
  if (type === "shared" && dialect.sharedAccess === "policies") return true;
  return type === "shared" && (access === "public" || (account.role === "service" && access !== "dba"));
}

export function mayWrite(account: Account, table: Table): boolean {
  const byLevel = dialect.sharedAccess === "levels" && table.type === "shared";
  return mayRead(account, table) && !(byLevel && account.role === "user") && table.type !== "system";
}
