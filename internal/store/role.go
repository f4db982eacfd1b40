package store

import (
	"slices"
	"strings"
)

// The roles of trace.Column.
const (
	roleID      = "id"
	roleUser    = "user"
	roleCreated = "created"
	roleExpires = "expires"
	roleSeen    = "seen"
	roleData    = "data"
)

// roleNames are what frameworks and people call the columns of a session
// table, in lower case and without underscores. "session", "sess" and "token"
// in front of one are dropped first.
var roleNames = map[string][]string{
	roleID: {"id", "sid", "sessionid", "sessid", "sessionkey", "sessiontoken", "sessionhash", "session", "token", "tokenhash", "tokenid", "accesstoken",
		"authtoken", "refreshtoken", "key", "hash", "idhash", "sidhash", "jti", "hashedtoken", "hashedid", "hashedsessionid", "hashedsessiontoken"},
	roleUser: {"userid", "user", "uid", "username", "useruuid", "useremail", "accountid", "account", "subject", "sub", "ownerid", "owner",
		"memberid", "member", "login", "principal", "principalname", "email", "identity", "customerid"},
	roleCreated: {"createdat", "created", "createdon", "creationtime", "creationdate", "datecreated", "timecreated", "createdtime", "insertedat",
		"issuedat", "issued", "iat", "loginat", "loggedinat", "logintime", "authtime", "authenticatedat", "startedat", "started", "starttime", "startdate"},
	roleExpires: {"expiresat", "expires", "expire", "expireat", "expiry", "expiryat", "expirytime", "expirydate", "expiration", "expirationtime",
		"expirationdate", "expiresin", "expireson", "expiredat", "expiretime", "expiredate", "exp", "validuntil", "validto", "enddate", "enddateat", "notafter"},
	roleSeen: {"lastseenat", "lastseen", "lastaccess", "lastaccessed", "lastaccessedat", "lastaccesstime", "lastaccessedtime", "lastactivity",
		"lastactivityat", "lastactive", "lastactiveat", "lastused", "lastusedat", "lastrequest", "lastrequestat", "accessedat", "seenat", "activeat",
		"touchedat", "refreshedat", "lastrefreshedat", "lastmodified", "updatedat", "updated", "modifiedat", "modified"},
	roleData: {"data", "sess", "sessiondata", "payload", "value", "blob", "attributes", "state", "content", "body", "store", "json", "attrs", "vars"},
}

// roleOrder: a name stands in one list, with a prefix perhaps in two.
var roleOrder = []string{roleExpires, roleSeen, roleCreated, roleUser, roleID, roleData}

// roleTypes are the types that a column of the role may have, as udt_name says
// them. Times may be epochs, and texts in SQLite's manner.
var roleTypes = map[string][]string{
	roleID:      {"text", "varchar", "bpchar", "char", "name", "uuid", "bytea"},
	roleUser:    {"text", "varchar", "bpchar", "name", "uuid", "int2", "int4", "int8", "numeric"},
	roleCreated: times,
	roleExpires: times,
	roleSeen:    times,
	roleData:    {"text", "varchar", "json", "jsonb", "bytea"},
}

var times = []string{"timestamptz", "timestamp", "date", "int4", "int8", "numeric", "float4", "float8", "text", "varchar"}

// roleOf recognises a column by its name and type; "" is none.
func roleOf(name, kind string) string {
	for _, role := range roleOrder {
		if named(role, name) && slices.Contains(roleTypes[role], kind) {
			return role
		}
	}
	return ""
}

func named(role, name string) bool {
	plain := strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(name))
	if slices.Contains(roleNames[role], plain) {
		return true
	}
	for _, prefix := range []string{"session", "sess", "token"} {
		if rest, has := strings.CutPrefix(plain, prefix); has && slices.Contains(roleNames[role], rest) {
			return true
		}
	}
	return false
}

// timeRole is the role of a time by its name alone: a JSON member has no type.
func timeRole(name string) string {
	for _, role := range []string{roleExpires, roleSeen, roleCreated} {
		if named(role, name) {
			return role
		}
	}
	return ""
}
