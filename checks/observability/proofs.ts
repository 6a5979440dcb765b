import type { Proof } from "../../src/proof.ts";
import deletedUsersMarked from "./deleted-users-marked.proof.ts";
import dropsVisible from "./drops-visible.proof.ts";
import failuresRecorded from "./failures-recorded.proof.ts";
import healthTellsTruth from "./health-tells-truth.proof.ts";
import jobsTracked from "./jobs-tracked.proof.ts";
import namespacesListed from "./namespaces-listed.proof.ts";
import schemaHistoryKept from "./schema-history-kept.proof.ts";
import statisticsTrueOrAbsent from "./statistics-true-or-absent.proof.ts";
import statsMove from "./stats-move.proof.ts";
import storagesHealthy from "./storages-healthy.proof.ts";
import subscriptionsListed from "./subscriptions-listed.proof.ts";
import tablesListed from "./tables-listed.proof.ts";
import tookIsHonest from "./took-is-honest.proof.ts";
import usersListed from "./users-listed.proof.ts";
import versionTold from "./version-told.proof.ts";

export const proofs: readonly Proof[] = [
  tablesListed,
  namespacesListed,
  usersListed,
  jobsTracked,
  storagesHealthy,
  statsMove,
  schemaHistoryKept,
  statisticsTrueOrAbsent,
  deletedUsersMarked,
  subscriptionsListed,
  healthTellsTruth,
  failuresRecorded,
  tookIsHonest,
  dropsVisible,
  versionTold,
];
