/** An alert, as `GET /v1/alerts`, `GET /v1/cluster` and `dss/sys/alerts/<name>` tell it. */
export interface AlertStatus {
  readonly name: string;
  readonly rule: string;
  readonly subject: string;
  readonly severity: 'critical' | 'warning';
  readonly state: 'pending' | 'firing' | 'resolved';
  /** RFC 3339. */
  readonly since: string;
  readonly until?: string;
  readonly message: string;
  readonly advice: string;
}

/** What `GET /v1/alerts` answers. */
export interface AlertsDocument {
  readonly alerts: readonly AlertStatus[];
  /** Those that are over, newest first. */
  readonly history: readonly AlertStatus[];
  readonly rules: readonly {
    readonly rule: string;
    readonly severity: string;
    readonly threshold: number | null;
    readonly unit: string;
    readonly forSeconds: number;
    readonly enabled: boolean;
    readonly description: string;
  }[];
}
