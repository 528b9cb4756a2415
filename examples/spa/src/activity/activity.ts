import { createActivity } from './createActivity';

/** The requests of all tabs of this app. */
export const activity = createActivity();
