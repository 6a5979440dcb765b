/** How open a shared table can be: by its access level, or by policies that open it as far. */
import type { Values } from "../../../src/server/target.ts";
import { createSharedTable, createTable } from "../../vocabulary/tables.ts";

export type Access = Values["sharedAccess"];

export interface Level {
  readonly level: string;
  readonly usersRead: boolean;
  /** Whether service accounts read and write; dbas always do. */
  readonly servicesMay: boolean;
  /** The statements that make a table of this level. */
  readonly make: (table: string) => readonly string[];
}

export const columns = "id BIGINT PRIMARY KEY, v TEXT, n BIGINT";

function byLevel(level: string, usersRead: boolean, options: Readonly<Record<string, string>>): Level {
  const make = (table: string): string[] => [createTable(table, { type: "SHARED", columns, options })];
  return { level, usersRead, servicesMay: true, make };
}

function byPolicies(level: string, readers: readonly "user"[]): Level {
  const dialect = { sharedAccess: { known: true, value: "policies", from: "probed" } } as const;
  const make = (table: string): string[] => createSharedTable(dialect, table, { columns, readers });
  return { level, usersRead: readers.length > 0, servicesMay: true, make };
}

const all: { readonly [A in Access]: readonly Level[] } = {
  // As KalamDB documents: all accounts may read PUBLIC tables; only services and dbas may read the others, or write any.
  levels: [
    byLevel("PUBLIC", true, { ACCESS_LEVEL: "PUBLIC" }),
    byLevel("PRIVATE", false, { ACCESS_LEVEL: "PRIVATE" }),
    // Reserved for finer privileges; until then the same as PRIVATE.
    byLevel("RESTRICTED", false, { ACCESS_LEVEL: "RESTRICTED" }),
    // No level given: PRIVATE.
    byLevel("default", false, {}),
  ],
  // Nobody but dbas may do what no policy allows.
  policies: [
    byPolicies("PUBLIC", ["user"]),
    byPolicies("PRIVATE", []),
    { ...byLevel("default", false, {}), servicesMay: false },
  ],
};

export function levelsFor(access: Access): readonly Level[] {
  return all[access];
}

/** Whether an account may read a table of this level. */
export function mayRead({ usersRead, servicesMay }: Pick<Level, "usersRead" | "servicesMay">, role: string): boolean {
  return role === "dba" || (role === "service" ? servicesMay : usersRead);
}

export function mayWrite({ servicesMay }: Pick<Level, "servicesMay">, role: string): boolean {
  return role === "dba" || (role === "service" && servicesMay);
}
