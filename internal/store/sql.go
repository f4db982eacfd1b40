package store

import (
	"strings"

	"github.com/jackc/pgx/v5"
)

// statementName names an entry of texts.
type statementName string

// The statements of this room. Names in quotes come from pgx.Identifier, every
// value that is not ours travels as a parameter.
const (
	createDatabase      statementName = "create database"
	createUser          statementName = "create user"
	createOpenUser      statementName = "create user without password"
	grantConnect        statementName = "grant connect"
	revokeCreate        statementName = "revoke create"
	grantUsage          statementName = "grant usage"
	grantRows           statementName = "grant rows"
	grantSequences      statementName = "grant sequences"
	grantCreate         statementName = "grant create"
	listSchemas         statementName = "list schemas"
	limitTime           statementName = "limit time"
	limitNames          statementName = "limit names"
	useUTC              statementName = "use utc"
	useISODates         statementName = "use iso dates"
	useIntervals        statementName = "use intervals"
	useExactFloats      statementName = "use exact floats"
	useHexBytes         statementName = "use hex bytes"
	useSerializable     statementName = "use serializable"
	listTables          statementName = "list tables"
	listColumns         statementName = "list columns"
	listIndexes         statementName = "list indexes"
	findByIndex         statementName = "find by index"
	findByScan          statementName = "find by scan"
	findShortByScan     statementName = "find short by scan"
	countBeyond         statementName = "rows beyond the scan"
	readRow             statementName = "read row"
	updateRow           statementName = "update row"
	insertRow           statementName = "insert row"
	insertRowOverriding statementName = "insert row overriding"
	deleteRow           statementName = "delete row"
	readOptions         statementName = "read options"
	readUser            statementName = "read user"
	readMemberships     statementName = "read memberships"
	readRights          statementName = "read rights"
	readTableRights     statementName = "read table rights"
	readTimestamp       statementName = "read timestamp"
	mergeRanges         statementName = "merge ranges soon"
	collectJobs         statementName = "collect jobs soon"
	cancelJobs          statementName = "cancel jobs late"
	forgetJobs          statementName = "forget jobs soon"
	countNoRows         statementName = "no statistics"
	mergeSplits         statementName = "merge splits soon"
)

// quickSettings are CockroachDB's for a node that only serves a test.
var quickSettings = []statementName{mergeRanges, collectJobs, cancelJobs, forgetJobs, countNoRows, mergeSplits}

// texts are all statements. A hole in braces takes a quoted name, a number of
// ours, or one of the fragments. CockroachDB's grammar is asked about each
// (testenv/crdbgrammar); what either server lacks is not used, or the other's
// variant stands beside it.
var texts = map[statementName]string{
	createDatabase: `CREATE DATABASE {database}`,
	createUser:     `CREATE USER {user} WITH PASSWORD '{password}'`,
	createOpenUser: `CREATE USER {user}`,
	grantConnect:   `GRANT CONNECT ON DATABASE {database} TO {user}`,
	revokeCreate:   `REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC`,
	grantUsage:     `GRANT USAGE ON SCHEMA {schema} TO {user}`,
	grantRows:      `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {user}`,
	grantSequences: `GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {user}`,
	grantCreate:    `GRANT CREATE ON SCHEMA public TO {user}`,
	listSchemas: `SELECT nspname::TEXT FROM pg_catalog.pg_namespace` +
		` WHERE nspname NOT LIKE 'pg\_%' AND nspname NOT IN ('information_schema', 'crdb_internal') ORDER BY nspname`,

	limitTime: `SET statement_timeout = '3s'`,
	// The API may own functions in other schemas; ours must not call them.
	limitNames:      `SET search_path = pg_catalog`,
	useUTC:          `SET timezone = 'UTC'`,
	useISODates:     `SET datestyle = 'ISO, MDY'`,
	useIntervals:    `SET intervalstyle = 'postgres'`,
	useExactFloats:  `SET extra_float_digits = 3`,
	useHexBytes:     `SET bytea_output = 'hex'`,
	useSerializable: `SET default_transaction_isolation = 'serializable'`, // cluster_logical_timestamp needs it

	// information_schema hides what we may not read; pg_class does not.
	listTables: `SELECT n.nspname::TEXT, c.relname::TEXT FROM pg_catalog.pg_class AS c` +
		` JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace` +
		` WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition` +
		` AND n.nspname NOT IN ('information_schema', 'pg_catalog', 'crdb_internal', 'pg_extension') AND n.nspname NOT LIKE 'pg\_%'` +
		` ORDER BY 1, 2 LIMIT {tables}`,
	listColumns: `SELECT table_schema::TEXT, table_name::TEXT, column_name::TEXT, data_type::TEXT, udt_name::TEXT,` +
		` is_generated::TEXT, identity_generation::TEXT FROM information_schema.columns` +
		` WHERE table_catalog = current_database()` +
		` AND table_schema NOT IN ('information_schema', 'pg_catalog', 'crdb_internal', 'pg_extension')` +
		` ORDER BY table_schema, table_name, ordinal_position LIMIT {columns}`,
	listIndexes: `SELECT n.nspname::TEXT, c.relname::TEXT, i.indexrelid::TEXT, i.indisprimary::TEXT, a.attname::TEXT,` +
		` a.attnum::TEXT, i.indkey::TEXT, i.indnkeyatts::TEXT FROM pg_catalog.pg_index AS i` +
		` JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace` +
		` JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)` +
		` WHERE i.indisvalid AND i.indpred IS NULL` +
		` AND n.nspname NOT IN ('information_schema', 'pg_catalog', 'crdb_internal', 'pg_extension') AND n.nspname NOT LIKE 'pg\_%'` +
		` ORDER BY 1, 2, 3 LIMIT {columns}`,

	findByIndex: `SELECT {columns} FROM {table}{at} WHERE {condition} LIMIT {rows}`,
	// The inner LIMIT bounds what is read, whatever the size of the table.
	findByScan: `SELECT {names} FROM (SELECT {columns}, {haystack} AS haystack FROM {table}{order} LIMIT {scanned}) AS s{at}` +
		` WHERE EXISTS (SELECT 1 FROM unnest($1::TEXT[]) AS n (needle) WHERE strpos(s.haystack, n.needle) > 0) LIMIT {rows}`,
	findShortByScan: `SELECT {names} FROM (SELECT {columns} FROM {table}{order} LIMIT {scanned}) AS s{at} WHERE {condition} LIMIT {rows}`,
	countBeyond:     `SELECT '1' FROM {table}{at} LIMIT 1 OFFSET {scanned}`,

	readRow:             `SELECT {columns} FROM {table}{at} WHERE {key} LIMIT 2`,
	updateRow:           `UPDATE {table} SET {assignments} WHERE {key}`,
	insertRow:           `INSERT INTO {table} ({names}) VALUES ({values})`,
	insertRowOverriding: `INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE VALUES ({values})`, // PostgreSQL
	deleteRow:           `DELETE FROM {table} WHERE {key}`,

	readOptions: `SELECT unnest(c.reloptions)::TEXT FROM pg_catalog.pg_class AS c` +
		` JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace` +
		` WHERE n.nspname = $1::TEXT AND c.relname = $2::TEXT AND c.relkind IN ('r', 'p') LIMIT 100`,
	readUser: `SELECT rolsuper::TEXT, rolcreaterole::TEXT, rolcreatedb::TEXT FROM pg_catalog.pg_roles WHERE rolname = $1::TEXT`,
	readMemberships: `SELECT g.rolname::TEXT FROM pg_catalog.pg_auth_members AS m` +
		` JOIN pg_catalog.pg_roles AS r ON r.oid = m.member JOIN pg_catalog.pg_roles AS g ON g.oid = m.roleid` +
		` WHERE r.rolname = $1::TEXT ORDER BY 1 LIMIT 100`,
	readRights: `SELECT has_database_privilege($1::TEXT, current_database(), 'CREATE')::TEXT,` +
		` has_schema_privilege($1::TEXT, 'public', 'CREATE')::TEXT`,
	readTableRights: `SELECT t.name, has_table_privilege($1::TEXT, t.name, 'SELECT')::TEXT, has_table_privilege($1::TEXT, t.name, 'INSERT')::TEXT,` +
		` has_table_privilege($1::TEXT, t.name, 'UPDATE')::TEXT, has_table_privilege($1::TEXT, t.name, 'DELETE')::TEXT` +
		` FROM unnest($2::TEXT[]) AS t (name)`,
	readTimestamp: `SELECT cluster_logical_timestamp()::TEXT`,

	mergeRanges: `SET CLUSTER SETTING kv.range_merge.queue_interval = '50ms'`,
	collectJobs: `SET CLUSTER SETTING jobs.registry.interval.gc = '30s'`,
	cancelJobs:  `SET CLUSTER SETTING jobs.registry.interval.cancel = '180s'`,
	forgetJobs:  `SET CLUSTER SETTING jobs.retention_time = '15s'`,
	countNoRows: `SET CLUSTER SETTING sql.stats.automatic_collection.enabled = false`,
	mergeSplits: `SET CLUSTER SETTING kv.range_split.by_load_merge_delay = '5s'`,
}

// fragments are the parts of statements that repeat. Neither cast of a column
// nor of its index may stand in a condition that an index is to answer.
const (
	isText       = `{column} = ANY ($1::TEXT[])`
	isPaddedText = `{column} = ANY ($1::BPCHAR[])`
	isUUID       = `{column} = ANY ($1::UUID[])`
	isBytes      = `{column} = ANY ($1::BYTEA[])`
	asText       = `left({column}::TEXT, {length})`
	bytesAsText  = `encode(substr({column}, 1, {length}), 'hex')`
	joinedText   = `concat_ws(chr(10), {columns})`
	asOfSystemAt = ` AS OF SYSTEM TIME '{at}'`
	newestFirst  = ` ORDER BY {columns}`
	descending   = `{column} DESC`
	keyIs        = `{column} = ${number}`
	isSetTo      = `{column} = ${number}`
	staysAsItIs  = `{column} = {column}`
)

// fill puts values into the holes of a text. A value is never filled again, so
// a name may hold braces.
func fill(text string, pairs ...string) string {
	named := make([]string, len(pairs))
	for i, value := range pairs {
		if i%2 == 0 {
			value = "{" + value + "}"
		}
		named[i] = value
	}
	return strings.NewReplacer(named...).Replace(text)
}

// with is the statement with its holes filled.
func (n statementName) with(pairs ...string) string { return fill(texts[n], pairs...) }

func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }
