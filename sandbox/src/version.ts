/** The version of KalamDB whose surface the sandbox serves. */
export const kalamdbVersion = "0.4.3-rc.4";
