import { createAuthClient } from 'auth-service-client';
import { activity } from './activity/activity';
import { settings } from './settings';

/** The one client of this app. An app without the activity panel needs no `fetch` of its own. */
export const auth = createAuthClient({ baseUrl: settings.authUrl, fetch: activity.fetch });

// In every tab at the same time, as when many tabs wake up.
activity.onExpire(() => void auth.self().catch(() => undefined));
