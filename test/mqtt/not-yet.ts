// Statements that our broker does not keep yet, with the reason. Their tests must fail: who makes one succeed takes it
// off the list. Another broker (`DSS_MQTT_BROKER`) has no such list.

export const NOT_YET_V311: Readonly<Record<string, string>> = {};

export const NOT_YET_V5: Readonly<Record<string, string>> = {};

/** Files that are not run at all, by name without `.test.ts`. */
export const FILES_NOT_YET: Readonly<Record<string, string>> = {};
