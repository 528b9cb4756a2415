import { CreateUsers1700000000001 } from './1700000000001-CreateUsers';
import { CreateRefreshTokens1700000000002 } from './1700000000002-CreateRefreshTokens';
import { CreateLimits1700000000003 } from './1700000000003-CreateLimits';
import { IndexHashRounds1700000000004 } from './1700000000004-IndexHashRounds';
import { CanonicalEmails1700000000005 } from './1700000000005-CanonicalEmails';

/**
 * Every migration, in order. A list, because a path pattern would differ between src and dist;
 * `npm run migration:generate` writes it from the names of the files.
 */
export const migrations = [
  CreateUsers1700000000001,
  CreateRefreshTokens1700000000002,
  CreateLimits1700000000003,
  IndexHashRounds1700000000004,
  CanonicalEmails1700000000005,
];
