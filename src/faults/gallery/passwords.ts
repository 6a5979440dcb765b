/** Faults in changes of passwords. */
import type { Fault } from "../../proof.ts";
import { cellText, isRecord, parseExact, writeExact, type Json } from "../../wire/json.ts";
import { sendInstead } from "../sql.ts";
import { member, type Member } from "./member.ts";

function bodyOf(text: unknown): Readonly<Record<string, Json>> {
  try {
    const body = parseExact(typeof text === "string" ? text : "{}");
    return isRecord(body) ? body : {};
  } catch {
    return {};
  }
}

const changes = /^ALTER USER '(\w+)' SET PASSWORD '([^']*)'$/i;

/** An account whose password was changed still lets in whoever has another one. */
export function keepOldPasswords(name: string): Fault {
  return {
    name,
    wrap(wire, fired) {
      const changed = new Map<string, string>();
      return {
        ...wire,
        async exchange(request) {
          const answer = await wire.exchange(request);
          if (answer.kind !== "answered") return answer;
          const body = bodyOf(request.body);
          const { sql = "", password } = body;
          const [, user = "", to = ""] = changes.exec(typeof sql === "string" ? sql : "") ?? [];
          if (user !== "" && answer.status === 200) changed.set(user, to);
          const field = "user" in body ? "user" : "username";
          const known = changed.get(cellText(body[field] ?? null));
          if (password === undefined || known === undefined || answer.status !== 401) return answer;
          fired();
          return await wire.exchange({ ...request, body: writeExact({ ...body, password: known }) });
        },
      };
    },
  };
}

/** A new password is acknowledged and not kept, where the account has the right to set it. */
export const loseNewPasswords: Fault = sendInstead("loseNewPasswords", changes, (sql) =>
  sql.replace(changes, "ALTER USER '$1' SET EMAIL 'kr@example.org'"),
);

const passwordChange = "validation/user-administration-guarded";

export const passwordFaults: readonly Member[] = [
  member(
    "rights",
    "After a change of its password an account still has the old one, too",
    [`${passwordChange}/oldPasswordWorks`],
    keepOldPasswords("keepOldPasswords"),
  ),
  member(
    "rights",
    "A changed password is acknowledged and lost",
    [`${passwordChange}/newPasswordFails`, `${passwordChange}/oldPasswordWorks`],
    loseNewPasswords,
  ),
];
