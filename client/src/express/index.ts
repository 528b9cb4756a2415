export { accessToken, type TrustSettings } from './accessToken.js';
export { requireRole } from './requireRole.js';
export { userOf, type AccessUser } from './userOf.js';
