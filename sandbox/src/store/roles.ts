/** Roles of KalamDB, from the lowest up. */
export type Role = "user" | "service" | "dba" | "system";

export interface Account {
  readonly user: string;
  readonly role: Role;
}

export const isAdmin = ({ role }: Account): boolean => role === "dba" || role === "system";

/** The PostgreSQL role that statements of this account run as; its privileges are those that `grants` gave it. */
export const databaseRole = ({ role }: Account): string => `kalam_${role === "system" ? "dba" : role}`;

/** How messages spell a role, an access level or a type of table. */
export const titled = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
