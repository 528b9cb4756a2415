/** Whether the process still takes part in the service. */
export interface Lifecycle {
  /** Set once the process has been told to stop. */
  draining: boolean;
}
