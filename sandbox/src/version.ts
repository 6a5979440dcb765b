/** The version of KalamDB that the sandbox is compatible with. */
export const kalamdbVersion = "0.4.3-rc.4";
