import type { Proof } from "../../src/proof.ts";
import badFlushCommandRefused from "./bad-flush-command-refused.proof.ts";
import constraintErrorCoded from "./constraint-error-coded.proof.ts";
import dropMissingTableRefused from "./drop-missing-table-refused.proof.ts";
import duplicateColumnsRefused from "./duplicate-columns-refused.proof.ts";
import errorsTellNoSecrets from "./errors-tell-no-secrets.proof.ts";
import hostileNamesHarmless from "./hostile-names-harmless.proof.ts";
import injectionStaysData from "./injection-stays-data.proof.ts";
import malformedRequestsRefused from "./malformed-requests-refused.proof.ts";
import notNullHolds from "./not-null-holds.proof.ts";
import ownRowsOnly from "./own-rows-only.proof.ts";
import predicatesPartitionRows from "./predicates-partition-rows.proof.ts";
import sharedAccessLevelsHold from "./shared-access-levels-hold.proof.ts";
import syntaxErrorsClear from "./syntax-errors-clear.proof.ts";
import systemColumnsLocked from "./system-columns-locked.proof.ts";
import systemTablesLocked from "./system-tables-locked.proof.ts";
import typesRoundTrip from "./types-round-trip.proof.ts";
import userAdministrationGuarded from "./user-administration-guarded.proof.ts";
import websocketProtocolGuarded from "./websocket-protocol-guarded.proof.ts";
import wrongTableTypeRefused from "./wrong-table-type-refused.proof.ts";
import wrongTypesRefused from "./wrong-types-refused.proof.ts";

export const proofs: readonly Proof[] = [
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
];
