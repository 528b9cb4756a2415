/** The e-mail is in canonical form. */
export interface Credentials {
  email: string;
  password: string;
}

export interface Names {
  firstName: string;
  lastName: string;
}

export type Registration = Credentials & Names;

export interface PasswordChange {
  currentPassword: string;
  newPassword: string;
}

/** An account as its owner sees it. */
export interface UserDetails extends Names {
  id: number;
  email: string;
  role: string;
  createdAt: Date;
  updatedAt: Date;
}
