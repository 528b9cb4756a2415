/** A request of one of the tabs. */
export interface Step {
  id: string;
  tab: string;
  /** Milliseconds since 1970, because all tabs share that clock. */
  start: number;
  end: number;
  method: string;
  path: string;
  /** Undefined if no response arrived. */
  status: number | undefined;
}
