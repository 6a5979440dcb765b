/** The version of KalamDB whose surface the sandbox serves. */
export const VERSION = "0.4.3-rc.4";
