#!/bin/sh
# The service's role and database, made once by the image of PostgreSQL. The role owns its database and
# is no superuser.
psql -v ON_ERROR_STOP=1 --username postgres --dbname postgres -v password="$POSTGRES_PASSWORD" <<'SQL'
CREATE ROLE auth_service LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE DATABASE auth_service OWNER auth_service TEMPLATE template0 ENCODING 'UTF8';
SQL
