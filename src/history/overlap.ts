/**
 * How many requests were really in flight together. A race that did not happen proves nothing, so checks of concurrency
 * demand a number of this before they pass.
 */
import { groupBy, type Operation } from "./history.ts";

export interface Overlap {
  /** The largest number of requests in flight together. The rows of one request count once. */
  readonly requests: number;
  /** The same for each key: requests for this one row. Reads of more than one row count for no key. */
  readonly byKey: ReadonlyMap<string, number>;
}

type Interval = Pick<Operation, "statement" | "invokedAt" | "returnedAt" | "key">;

export function overlapOf(operations: readonly Interval[]): Overlap {
  const ofOneKey = groupBy(
    operations.filter(({ key }) => key !== null),
    ({ key }) => key ?? "",
  );
  return {
    requests: largestOverlap(operations),
    byKey: new Map([...ofOneKey].map(([key, same]) => [key, largestOverlap(same)])),
  };
}

function largestOverlap(operations: readonly Interval[]): number {
  return mostTogether([...new Map(operations.map((one) => [one.statement, one])).values()]);
}

/**
 * The most requests that were in flight at one moment; one that ended at the very moment when another was sent did not overlap
 * with it.
 */
export function mostTogether(requests: readonly Pick<Interval, "invokedAt" | "returnedAt">[]): number {
  const starts = requests.map(({ invokedAt }) => invokedAt).toSorted((a, b) => a - b);
  const ends = requests.map(({ returnedAt }) => returnedAt).toSorted((a, b) => a - b);
  let [ended, most] = [0, 0];
  starts.forEach((startedAt, begun) => {
    while ((ends[ended] ?? Infinity) <= startedAt) ended += 1;
    most = Math.max(most, begun + 1 - ended);
  });
  return most;
}
