import {
  Column,
  CreateDateColumn,
  Entity,
  Index,
  PrimaryGeneratedColumn,
  Unique,
  UpdateDateColumn,
} from 'typeorm';

/** A person who can sign in. */
@Entity('users')
@Unique('users_email_key', ['email'])
// Indexes on expressions, which an entity cannot express: the migrations create them.
@Index('users_email_lower_key', { synchronize: false })
@Index('users_hash_rounds_idx', { synchronize: false })
export class User {
  @PrimaryGeneratedColumn({ primaryKeyConstraintName: 'users_pkey' })
  id!: number;

  @Column({ type: 'varchar', length: 255 })
  firstName!: string;

  @Column({ type: 'varchar', length: 255 })
  lastName!: string;

  /** In its canonical form: trimmed, NFC, lower case. */
  @Column({ type: 'varchar', length: 254 })
  email!: string;

  /** The bcrypt hash; read only where it is asked for by name. */
  @Column({ type: 'varchar', length: 60, select: false })
  password!: string;

  @Column({ type: 'varchar', length: 32, default: 'customer' })
  role!: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @UpdateDateColumn({ name: 'updated_at', type: 'timestamptz' })
  updatedAt!: Date;
}
