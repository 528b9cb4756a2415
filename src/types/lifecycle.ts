/** The state of the process. */
export interface Lifecycle {
  /** Whether the process has been told to stop. */
  draining: boolean;
}
