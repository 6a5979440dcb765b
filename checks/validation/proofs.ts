import type { Proof } from "../../src/proof.ts";
import badFlushCommandRefused from "./bad-flush-command-refused.proof.ts";
import constraintErrorCoded from "./constraint-error-coded.proof.ts";
import duplicateColumnsRefused from "./duplicate-columns-refused.proof.ts";
import hostileNamesHarmless from "./hostile-names-harmless.proof.ts";
import injectionStaysData from "./injection-stays-data.proof.ts";
import malformedRequestsRefused from "./malformed-requests-refused.proof.ts";
import notNullHolds from "./not-null-holds.proof.ts";
import predicatesPartitionRows from "./predicates-partition-rows.proof.ts";
import syntaxErrorsClear from "./syntax-errors-clear.proof.ts";
import typesRoundTrip from "./types-round-trip.proof.ts";
import wrongTableTypeRefused from "./wrong-table-type-refused.proof.ts";
import wrongTypesRefused from "./wrong-types-refused.proof.ts";

export const proofs: readonly Proof[] = [
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
];
