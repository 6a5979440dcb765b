/** Operations that only some types of table support. */
import type { Values } from "../../../src/server/target.ts";

/** `control`: the same operation on a table of a type that supports it. */
export const cases: readonly {
  readonly name: string;
  readonly wrong: (namespace: string) => string;
  readonly control: (namespace: string) => string;
  /** An access level: a server that opens tables in another way refuses it on every table. */
  readonly level?: true;
}[] = [
  {
    name: "flush of a STREAM",
    wrong: (namespace) => `STORAGE FLUSH TABLE ${namespace}.stream`,
    control: (namespace) => `STORAGE FLUSH TABLE ${namespace}.shared`,
  },
  {
    name: "compaction of a STREAM",
    wrong: (namespace) => `STORAGE COMPACT TABLE ${namespace}.stream`,
    control: (namespace) => `STORAGE COMPACT TABLE ${namespace}.shared`,
  },
  {
    name: "access level of a USER table",
    wrong: (namespace) => `ALTER TABLE ${namespace}.mine SET ACCESS LEVEL PUBLIC`,
    control: (namespace) => `ALTER TABLE ${namespace}.shared SET ACCESS LEVEL PUBLIC`,
    level: true,
  },
  {
    name: "access level of a USER table, as a property",
    wrong: (namespace) => `ALTER TABLE ${namespace}.mine SET TBLPROPERTIES (ACCESS_LEVEL='PUBLIC')`,
    control: (namespace) => `ALTER TABLE ${namespace}.shared SET TBLPROPERTIES (ACCESS_LEVEL='RESTRICTED')`,
    level: true,
  },
  {
    name: "access level of a STREAM",
    wrong: (namespace) => `ALTER TABLE ${namespace}.stream SET ACCESS LEVEL PUBLIC`,
    control: (namespace) => `ALTER TABLE ${namespace}.shared SET ACCESS LEVEL PRIVATE`,
    level: true,
  },
  {
    name: "transaction on a STREAM",
    wrong: (namespace) => `BEGIN; INSERT INTO ${namespace}.stream (id, v) VALUES (66, 'in a transaction'); COMMIT`,
    control: (namespace) => `BEGIN; INSERT INTO ${namespace}.shared (id, v) VALUES (66, 'in a transaction'); COMMIT`,
  },
];

export function casesFor(sharedAccess: Values["sharedAccess"] | null): typeof cases {
  return sharedAccess === "levels" ? cases : cases.filter((one) => one.level !== true);
}
