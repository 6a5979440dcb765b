/** A session at the PostgreSQL port, for `system.sessions`. */
export interface WireSession {
  readonly id: string;
  readonly pid: number;
  readonly user: string;
  readonly namespace: string;
  readonly address: string;
  readonly openedAt: string;
}
