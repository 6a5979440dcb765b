/** What a check needs besides SQL over HTTP. Declared, so that the plan can list what will be skipped before anything is sent. */
export const needDescriptions = {
  dba: "a login with the role dba or system",
  "own-server": "a server that kalam-ready starts itself (--server-bin)",
  trace: "strace, on a Linux that lets it trace (Debian and Ubuntu: apt install strace)",
  "older-server": "an older release of the server (--older-server-bin)",
  kalam: "the kalam command line of KalamDB (--kalam-bin)",
  postgres: "the PostgreSQL port of the server (--postgres, if it is not at port 5432 of the server's host)",
  control: "a server that can be stopped and started again (--server-bin, --container, or control in the profile)",
} as const;
export type Need = keyof typeof needDescriptions;
