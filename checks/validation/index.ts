import type { Category } from "../../src/check.ts";
import { badFlushCommandRefused } from "./bad-flush-command-refused.ts";
import { constraintErrorCoded } from "./constraint-error-coded.ts";
import { duplicateColumnsRefused } from "./duplicate-columns-refused.ts";
import { hostileNamesHarmless } from "./hostile-names-harmless.ts";
import { injectionStaysData } from "./injection-stays-data.ts";
import { malformedRequestsRefused } from "./malformed-requests-refused.ts";
import { notNullHolds } from "./not-null-holds.ts";
import { predicatesPartitionRows } from "./predicates-partition-rows.ts";
import { syntaxErrorsClear } from "./syntax-errors-clear.ts";
import { typesRoundTrip } from "./types-round-trip.ts";
import { wrongTableTypeRefused } from "./wrong-table-type-refused.ts";
import { wrongTypesRefused } from "./wrong-types-refused.ts";

export const category: Category = {
  id: "validation",
  promise: "What is wrong is refused, clearly and completely.",
  checks: [
    syntaxErrorsClear,
    wrongTableTypeRefused,
    wrongTypesRefused,
    notNullHolds,
    badFlushCommandRefused,
    duplicateColumnsRefused,
    typesRoundTrip,
    injectionStaysData,
    malformedRequestsRefused,
    predicatesPartitionRows,
    constraintErrorCoded,
    hostileNamesHarmless,
  ],
};
