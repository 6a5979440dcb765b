import type { Category } from "../../src/check.ts";
import { badFlushCommandRefused } from "./bad-flush-command-refused.ts";
import { constraintErrorCoded } from "./constraint-error-coded.ts";
import { dropMissingTableRefused } from "./drop-missing-table-refused.ts";
import { duplicateColumnsRefused } from "./duplicate-columns-refused.ts";
import { errorsTellNoSecrets } from "./errors-tell-no-secrets.ts";
import { hostileNamesHarmless } from "./hostile-names-harmless.ts";
import { injectionStaysData } from "./injection-stays-data.ts";
import { malformedRequestsRefused } from "./malformed-requests-refused.ts";
import { notNullHolds } from "./not-null-holds.ts";
import { ownRowsOnly } from "./own-rows-only.ts";
import { predicatesPartitionRows } from "./predicates-partition-rows.ts";
import { sharedAccessLevelsHold } from "./shared-access-levels-hold.ts";
import { syntaxErrorsClear } from "./syntax-errors-clear.ts";
import { systemColumnsLocked } from "./system-columns-locked.ts";
import { systemTablesLocked } from "./system-tables-locked.ts";
import { typesRoundTrip } from "./types-round-trip.ts";
import { userAdministrationGuarded } from "./user-administration-guarded.ts";
import { websocketProtocolGuarded } from "./websocket-protocol-guarded.ts";
import { wrongTableTypeRefused } from "./wrong-table-type-refused.ts";
import { wrongTypesRefused } from "./wrong-types-refused.ts";

export const category: Category = {
  id: "validation",
  promise: "What is wrong is refused, clearly and completely.",
  checks: [
    syntaxErrorsClear,
    wrongTableTypeRefused,
    systemTablesLocked,
    systemColumnsLocked,
    ownRowsOnly,
    sharedAccessLevelsHold,
    wrongTypesRefused,
    notNullHolds,
    userAdministrationGuarded,
    badFlushCommandRefused,
    dropMissingTableRefused,
    duplicateColumnsRefused,
    typesRoundTrip,
    injectionStaysData,
    malformedRequestsRefused,
    errorsTellNoSecrets,
    predicatesPartitionRows,
    websocketProtocolGuarded,
    constraintErrorCoded,
    hostileNamesHarmless,
  ],
};
