/** One part of a time line, in order: how long it took, in ms. */
export interface Span {
  readonly what: string;
  readonly ms: number;
}
