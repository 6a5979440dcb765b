import { listChecks } from "../../src/category.ts";
import { badFlushCommandRefused } from "./bad-flush-command-refused/index.ts";
import { constraintErrorCoded } from "./constraint-error-coded/index.ts";
import { dropMissingTableRefused } from "./drop-missing-table-refused/index.ts";
import { duplicateColumnsRefused } from "./duplicate-columns-refused/index.ts";
import { errorsTellNoSecrets } from "./errors-tell-no-secrets/index.ts";
import { hostileNamesHarmless } from "./hostile-names-harmless/index.ts";
import { injectionStaysData } from "./injection-stays-data/index.ts";
import { malformedRequestsRefused } from "./malformed-requests-refused/index.ts";
import { notNullHolds } from "./not-null-holds/index.ts";
import { ownRowsOnly } from "./own-rows-only/index.ts";
import { predicatesPartitionRows } from "./predicates-partition-rows/index.ts";
import { sharedAccessLevelsHold } from "./shared-access-levels-hold/index.ts";
import { syntaxErrorsClear } from "./syntax-errors-clear/index.ts";
import { systemColumnsLocked } from "./system-columns-locked/index.ts";
import { systemTablesLocked } from "./system-tables-locked/index.ts";
import { typesRoundTrip } from "./types-round-trip/index.ts";
import { userAdministrationGuarded } from "./user-administration-guarded/index.ts";
import { websocketProtocolGuarded } from "./websocket-protocol-guarded/index.ts";
import { wrongTableTypeRefused } from "./wrong-table-type-refused/index.ts";
import { wrongTypesRefused } from "./wrong-types-refused/index.ts";

export const category = listChecks({
  id: "validation",
  promise: "Invalid or unauthorized requests are rejected with clear errors and leave no side effects.",
  checks: [
    { check: syntaxErrorsClear, proof: async () => await import("./syntax-errors-clear/proof.ts") },
    { check: wrongTableTypeRefused, proof: async () => await import("./wrong-table-type-refused/proof.ts") },
    { check: systemTablesLocked, proof: async () => await import("./system-tables-locked/proof.ts") },
    { check: systemColumnsLocked, proof: async () => await import("./system-columns-locked/proof.ts") },
    { check: ownRowsOnly, proof: async () => await import("./own-rows-only/proof.ts") },
    { check: sharedAccessLevelsHold, proof: async () => await import("./shared-access-levels-hold/proof.ts") },
    { check: wrongTypesRefused, proof: async () => await import("./wrong-types-refused/proof.ts") },
    { check: notNullHolds, proof: async () => await import("./not-null-holds/proof.ts") },
    { check: userAdministrationGuarded, proof: async () => await import("./user-administration-guarded/proof.ts") },
    { check: badFlushCommandRefused, proof: async () => await import("./bad-flush-command-refused/proof.ts") },
    { check: dropMissingTableRefused, proof: async () => await import("./drop-missing-table-refused/proof.ts") },
    { check: duplicateColumnsRefused, proof: async () => await import("./duplicate-columns-refused/proof.ts") },
    { check: typesRoundTrip, proof: async () => await import("./types-round-trip/proof.ts") },
    { check: injectionStaysData, proof: async () => await import("./injection-stays-data/proof.ts") },
    { check: malformedRequestsRefused, proof: async () => await import("./malformed-requests-refused/proof.ts") },
    { check: errorsTellNoSecrets, proof: async () => await import("./errors-tell-no-secrets/proof.ts") },
    { check: predicatesPartitionRows, proof: async () => await import("./predicates-partition-rows/proof.ts") },
    { check: websocketProtocolGuarded, proof: async () => await import("./websocket-protocol-guarded/proof.ts") },
    { check: constraintErrorCoded, proof: async () => await import("./constraint-error-coded/proof.ts") },
    { check: hostileNamesHarmless, proof: async () => await import("./hostile-names-harmless/proof.ts") },
  ],
});
