/** The version of every document; raised when a reader of the old form would misread the new one. */
export const SCHEMA_VERSION = 1;
