type Interval = { readonly invokedAt: number; readonly returnedAt: number };

/** Those that were in flight together with one of the others; not one that ended in the moment when the other was sent. */
export function inFlightWith<Item extends Interval>(items: readonly Item[], others: readonly Interval[]): Item[] {
  return items.filter((one) =>
    others.some((other) => other.invokedAt < one.returnedAt && one.invokedAt < other.returnedAt),
  );
}
