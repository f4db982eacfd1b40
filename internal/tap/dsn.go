package tap

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/secret"
)

var errBadDSN = errors.New("the database's DSN cannot be read: write postgresql://user:password@host:port/database, " +
	"with special characters in user and password percent-encoded")

// schemes is also how SQLAlchemy names its dialects and drivers.
var schemes = regexp.MustCompile(`^(?:postgres|postgresql|cockroachdb)(?:\+\w+)?$`)

// dsn is a DSN taken apart so that it can be put together with another address.
// Everything the tap does not change stays as it was written: drivers differ
// in what they make of a plus sign.
type dsn struct {
	scheme, login, path string   // as written; the login with its "@"
	options             []string // as written, without those about the way to the server
	settings            map[string]string
}

// parseDSN reads the URL form; the settings go by libpq's names.
func parseDSN(text string) (dsn, error) {
	text = strings.TrimSpace(text)
	scheme, rest, _ := strings.Cut(text, "://")
	read, err := url.Parse(text)
	if err != nil || !schemes.MatchString(scheme) || read.Fragment != "" {
		return dsn{}, errBadDSN
	}
	values, err := url.ParseQuery(read.RawQuery)
	if err != nil {
		return dsn{}, errBadDSN
	}
	password, _ := read.User.Password()
	d := dsn{scheme: scheme, settings: map[string]string{"host": read.Hostname(), "port": read.Port(),
		"user": read.User.Username(), "password": password, "dbname": strings.TrimPrefix(read.Path, "/")}}
	for name, given := range values {
		d.settings[name] = given[len(given)-1]
	}
	rest, options, _ := strings.Cut(rest, "?")
	if slash := strings.IndexByte(rest, '/'); slash >= 0 {
		rest, d.path = rest[:slash], rest[slash:]
	}
	d.login = rest[:strings.LastIndexByte(rest, '@')+1]
	for option := range strings.SplitSeq(options, "&") {
		if option != "" && !aboutTheWay(option) {
			d.options = append(d.options, option)
		}
	}
	return d, nil
}

// wayOptions, beside all that begin with ssl, would lead a client past the tap
// or ask of it what only the server can give, such as channel binding.
var wayOptions = []string{"host", "hostaddr", "port", "service", "servicefile", "requiressl",
	"channel_binding", "gssencmode", "krbsrvname", "gsslib"}

func aboutTheWay(option string) bool {
	name, _, _ := strings.Cut(option, "=")
	if decoded, err := url.QueryUnescape(name); err == nil {
		name = decoded
	}
	return strings.HasPrefix(name, "ssl") || slices.Contains(wayOptions, name)
}

// at is the DSN for another address, without TLS.
func (d dsn) at(address string) secret.Text {
	plain := "sslmode=disable"
	if strings.HasSuffix(d.scheme, "+asyncpg") {
		// SQLAlchemy hands options on as arguments, and asyncpg's is called so.
		plain = "ssl=disable"
	}
	options := strings.Join(append(slices.Clone(d.options), plain), "&")
	return secret.New(d.scheme + "://" + d.login + address + d.path + "?" + options)
}

// address is where the server listens, as net.Dial has it.
func (d dsn) address() (network, address string, err error) {
	host, port := d.settings["host"], d.settings["port"]
	if port == "" {
		port = "5432"
	}
	switch numeric := d.settings["hostaddr"]; {
	case strings.Contains(host+port+numeric, ","):
		return "", "", errors.New("the database's DSN names several hosts: name one")
	case numeric != "":
		return "tcp", net.JoinHostPort(numeric, port), nil
	case host == "":
		return "", "", errors.New("the database's DSN names no host: write postgresql://user:password@host:port/database")
	case filepath.IsAbs(host):
		return "unix", filepath.Join(host, ".s.PGSQL."+port), nil
	}
	return "tcp", net.JoinHostPort(host, port), nil
}

// environment is the DSN for clients that read libpq's variables.
func (d dsn) environment(listener *net.TCPAddr) map[string]secret.Text {
	variables := map[string]secret.Text{
		"PGHOST": secret.New(listener.IP.String()), "PGPORT": secret.New(fmt.Sprint(listener.Port)), "PGSSLMODE": secret.New("disable"),
	}
	for variable, setting := range map[string]string{"PGUSER": "user", "PGPASSWORD": "password", "PGDATABASE": "dbname"} {
		if value := d.settings[setting]; value != "" {
			variables[variable] = secret.New(value)
		}
	}
	return variables
}
