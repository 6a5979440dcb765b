/** The names of the formats of `--report`, in a file of their own so that reading a profile does not load the formats. */
export const formatNames = ["table", "json", "junit"] as const;
export type FormatName = (typeof formatNames)[number];
