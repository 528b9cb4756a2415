import type { User } from '../entity/User';
import type { UserDetails } from '../types/user';

/** By field. A field of the entity or of the type that is missing here does not compile. */
const COLUMN_OF: Record<keyof Omit<User, 'password'> | keyof UserDetails, string> = {
  id: 'id',
  firstName: '"firstName"',
  lastName: '"lastName"',
  email: 'email',
  role: 'role',
  createdAt: 'created_at',
  updatedAt: 'updated_at',
};

export const userColumns = (alias: string) =>
  Object.entries(COLUMN_OF)
    .map(([field, column]) => `${alias}.${column} AS "${field}"`)
    .join(', ');
