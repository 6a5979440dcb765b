import type { Category } from "../../src/check.ts";
import { dropMissingTableRefused } from "./drop-missing-table-refused.ts";
import { errorsTellNoSecrets } from "./errors-tell-no-secrets.ts";
import { ownRowsOnly } from "./own-rows-only.ts";
import { sharedAccessLevelsHold } from "./shared-access-levels-hold.ts";
import { systemColumnsLocked } from "./system-columns-locked.ts";
import { systemTablesLocked } from "./system-tables-locked.ts";
import { userAdministrationGuarded } from "./user-administration-guarded.ts";

export const category: Category = {
  id: "validation",
  promise: "What is wrong is refused, clearly and completely.",
  checks: [
    systemTablesLocked,
    systemColumnsLocked,
    ownRowsOnly,
    sharedAccessLevelsHold,
    userAdministrationGuarded,
    dropMissingTableRefused,
    errorsTellNoSecrets,
  ],
};
