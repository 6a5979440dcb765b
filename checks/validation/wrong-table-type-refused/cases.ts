/** Operations that only some types of table support. */

/** `control`: the same operation on a table of a type that supports it. */
export const cases: readonly {
  readonly name: string;
  readonly wrong: (namespace: string) => string;
  readonly control: (namespace: string) => string;
  /** Some versions support it for no type of table. */
  readonly optional?: boolean;
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
    optional: true,
  },
  {
    name: "access level of a USER table, as a property",
    wrong: (namespace) => `ALTER TABLE ${namespace}.mine SET TBLPROPERTIES (ACCESS_LEVEL='PUBLIC')`,
    control: (namespace) => `ALTER TABLE ${namespace}.shared SET TBLPROPERTIES (ACCESS_LEVEL='RESTRICTED')`,
    optional: true,
  },
  {
    name: "access level of a STREAM",
    wrong: (namespace) => `ALTER TABLE ${namespace}.stream SET ACCESS LEVEL PUBLIC`,
    control: (namespace) => `ALTER TABLE ${namespace}.shared SET ACCESS LEVEL PRIVATE`,
    optional: true,
  },
  {
    name: "transaction on a STREAM",
    wrong: (namespace) => `BEGIN; INSERT INTO ${namespace}.stream (id, v) VALUES (66, 'in a transaction'); COMMIT`,
    control: (namespace) => `BEGIN; INSERT INTO ${namespace}.shared (id, v) VALUES (66, 'in a transaction'); COMMIT`,
  },
];
