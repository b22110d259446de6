/** Of the first node; the others have the next ones. */
export const DEFAULT_MQTT_PORT = 1883;
export const DEFAULT_HTTP_PORT = 8080;
