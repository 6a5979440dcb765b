/** A fault in whose keys are whose. */
import type { Fault } from "../../proof.ts";
import { duplicateKey, sqlFault } from "../sql.ts";
import { member, type Member } from "./member.ts";
import { errorIn } from "./shapes.ts";

/** The users of a USER table share its keys: one that another user has is refused as a duplicate. */
export function shareKeys(name: string, ofTables = /./): Fault {
  return {
    name,
    wrap(wire, fired) {
      const users = new Set<string>();
      const owners = new Map<string, string>();
      return sqlFault("", async (sql, _, exchange, headers) => {
        const created = /^CREATE (?:USER )?TABLE (\S+) [\s\S]*?TYPE ?= ?'USER'/i.exec(sql)?.[1];
        if (created !== undefined && ofTables.test(created)) users.add(created);
        const [, table = "", rows = ""] = /^INSERT INTO (\S+) \(id\b[^)]*\) VALUES ([\s\S]*)$/i.exec(sql) ?? [];
        const who = headers["authorization"] ?? "";
        if (!users.has(table)) return undefined;
        const keys = [...rows.matchAll(/(?:^|\),\s*)\((-?\d+)/g)].map(([, key = ""]) => `${table} ${key}`);
        if (keys.some((key) => (owners.get(key) ?? who) !== who)) return duplicateKey();
        const said = await exchange();
        if (said !== undefined && errorIn(said) === undefined) for (const key of keys) owners.set(key, who);
        return undefined;
      }).wrap(wire, fired);
    },
  };
}

export const keyFaults: readonly Member[] = [
  member(
    "rights",
    "The users of a USER table share its keys",
    ["validation/own-rows-only/keyTaken"],
    shareKeys("shareKeysOfUsers"),
  ),
];
