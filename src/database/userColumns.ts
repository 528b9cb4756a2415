import type { User } from '../entity/User';
import type { UserDetails } from '../types/user';

/** The column of each field; a field that is in the entity or the type and not here does not compile. */
const COLUMN_OF: Record<keyof Omit<User, 'password'> | keyof UserDetails, string> = {
  id: 'id',
  firstName: '"firstName"',
  lastName: '"lastName"',
  email: 'email',
  role: 'role',
  createdAt: 'created_at',
  updatedAt: 'updated_at',
};

/** The select list of a UserDetails, from the row with this alias. */
export const userColumns = (alias: string) =>
  Object.entries(COLUMN_OF)
    .map(([field, column]) => `${alias}.${column} AS "${field}"`)
    .join(', ');
