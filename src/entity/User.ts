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
// Indexes on expressions exist only in migrations.
@Index('users_email_lower_key', { synchronize: false })
@Index('users_hash_rounds_idx', { synchronize: false })
export class User {
  @PrimaryGeneratedColumn({ primaryKeyConstraintName: 'users_pkey' })
  id!: number;

  @Column({ type: 'varchar', length: 255 })
  firstName!: string;

  @Column({ type: 'varchar', length: 255 })
  lastName!: string;

  /** In canonical form. */
  @Column({ type: 'varchar', length: 254 })
  email!: string;

  /** The bcrypt hash; not selected by default. */
  @Column({ type: 'varchar', length: 60, select: false })
  password!: string;

  @Column({ type: 'varchar', length: 32, default: 'customer' })
  role!: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @UpdateDateColumn({ name: 'updated_at', type: 'timestamptz' })
  updatedAt!: Date;
}
