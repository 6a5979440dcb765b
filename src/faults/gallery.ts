/**
 * A gallery of faults of a server, as an enemy would think of them: the whole run must be NOT READY with each of them in
 * front of a healthy server. They go by the shape of statements and frames, and know no check's tables.
 */
import { busyFaults } from "./gallery/busy.ts";
import { catalogueFaults } from "./gallery/catalogue.ts";
import { dataFaults } from "./gallery/data.ts";
import { keyFaults } from "./gallery/keys.ts";
import { liveFaults } from "./gallery/live.ts";
import { liveRowFaults } from "./gallery/live-rows.ts";
import type { Member } from "./gallery/member.ts";
import { moreReadingFaults } from "./gallery/more-reading.ts";
import { passwordFaults } from "./gallery/passwords.ts";
import { readingFaults } from "./gallery/reading.ts";
import { rightsFaults } from "./gallery/rights.ts";
import { writingFaults } from "./gallery/writing.ts";

export { topics, type Member } from "./gallery/member.ts";

export const gallery: readonly Member[] = [
  ...dataFaults,
  ...writingFaults,
  ...busyFaults,
  ...keyFaults,
  ...passwordFaults,
  ...rightsFaults,
  ...readingFaults,
  ...moreReadingFaults,
  ...catalogueFaults,
  ...liveFaults,
  ...liveRowFaults,
];
