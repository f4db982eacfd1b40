package tap

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/sessiongate/sessiongate/internal/launch"
	"github.com/sessiongate/sessiongate/internal/secret"
)

func TestEveryWayToLogIn(t *testing.T) {
	t.Parallel()
	database, err := launch.Postgres(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = database.Close() })
	admin := connect(t, database.DSN)
	do(t, admin, "SET password_encryption = 'md5'; CREATE ROLE hashed LOGIN PASSWORD 'pass'; SET password_encryption = 'scram-sha-256'; "+
		"CREATE ROLE clear LOGIN PASSWORD 'pass'; CREATE ROLE salted LOGIN PASSWORD 'pass'; CREATE ROLE trusted LOGIN")
	rules := "host all hashed all md5\nhost all clear all password\nhost all salted all scram-sha-256\nhost all trusted all trust\nhost all all all scram-sha-256\n"
	certificate, key, authority := issued(t)
	place(t, admin, "pg_hba.conf", rules)
	place(t, admin, "server.crt", certificate)
	place(t, admin, "server.key", key)

	users := []string{"hashed", "clear", "salted", "trusted"}
	tryAll := func(t *testing.T, options string, wantTLS bool) {
		t.Helper()
		dsn := secret.New(strings.Replace(database.DSN.Reveal(), "sslmode=disable", options, 1))
		tapped := listen(t, dsn)
		for _, user := range users {
			connection := connect(t, as(t, tapped.DSN(), user, "pass"))
			var name string
			var encrypted bool
			if err := connection.QueryRow(t.Context(), "SELECT current_user::TEXT, ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").Scan(&name, &encrypted); err != nil {
				t.Fatal(err)
			}
			if name != user || encrypted != wantTLS {
				t.Errorf("%s: %s, TLS %t", user, name, encrypted)
			}
		}
		_, err := pgx.Connect(t.Context(), as(t, tapped.DSN(), "salted", "wrong").Reveal())
		if sqlstate(err) != "28P01" {
			t.Error(err)
		}
		if diff := cmp.Diff(users, tapped.Users()); diff != "" {
			t.Error(diff)
		}
		if counts := tapped.Counts(); counts.Connections != 5 || counts.Errors != 1 {
			t.Errorf("%+v", counts)
		}
	}
	do(t, admin, "SELECT pg_reload_conf()")
	eventually(t, "the rules are in force", func() bool {
		connection, err := pgx.Connect(t.Context(), as(t, database.DSN, "trusted", "").Reveal())
		if err == nil {
			_ = connection.Close(t.Context())
		}
		return err == nil
	})
	t.Run("without TLS", func(t *testing.T) { tryAll(t, "sslmode=disable", false) })
	t.Run("prefer, but the server has none", func(t *testing.T) { tryAll(t, "sslmode=prefer", false) })
	t.Run("require, but the server has none", func(t *testing.T) {
		wantUnreachable(t, strings.Replace(database.DSN.Reveal(), "sslmode=disable", "sslmode=require", 1))
	})

	do(t, admin, "ALTER SYSTEM SET ssl = on")
	do(t, admin, "SELECT pg_reload_conf()")
	secured := strings.Replace(database.DSN.Reveal(), "sslmode=disable", "sslmode=require", 1)
	eventually(t, "the server has TLS", func() bool {
		connection, err := pgx.Connect(t.Context(), secured)
		if err == nil {
			_ = connection.Close(t.Context())
		}
		return err == nil
	})
	right, wrong := pemFile(t, authority), pemFile(t, func() string { _, _, other := issued(t); return other }())
	for _, options := range []string{"sslmode=prefer", "application_name=x", "sslmode=require", "sslmode=require&sslrootcert=" + right,
		"sslmode=verify-ca&sslrootcert=" + right, "sslmode=verify-full&sslrootcert=" + right} {
		t.Run(options[:strings.IndexByte(options+"&", '&')], func(t *testing.T) { tryAll(t, options, true) })
	}
	t.Run("sslmode=disable", func(t *testing.T) { tryAll(t, "sslmode=disable", false) })
	for _, options := range []string{"sslmode=verify-full", "sslmode=verify-full&sslrootcert=" + wrong, "sslmode=verify-ca&sslrootcert=" + wrong,
		"sslmode=verify-full&sslrootcert=" + right + "&host=localhost"} {
		t.Run("refused "+options[:strings.IndexByte(options+"&", '&')], func(t *testing.T) {
			wantUnreachable(t, strings.Replace(database.DSN.Reveal(), "sslmode=disable", options, 1))
		})
	}
	t.Run("no channel binding offered", func(t *testing.T) {
		client := dial(t, listen(t, secret.New(secured)))
		if _, err := client.Write(bytes.ReplaceAll(startup(t), []byte("user\x00u\x00"), []byte("user\x00v\x00"))); err != nil {
			t.Fatal(err)
		}
		offer, err := readMessage(client)
		if err != nil || !bytes.Contains(offer, []byte("SCRAM-SHA-256\x00")) || bytes.Contains(offer, []byte("PLUS")) {
			t.Errorf("%q, %v", offer, err)
		}
	})
	t.Run("cancel over TLS", func(t *testing.T) {
		tapped := listen(t, secret.New(secured))
		connection := connect(t, tapped.DSN())
		done := make(chan error)
		go func() {
			_, err := connection.PgConn().Exec(t.Context(), "SELECT pg_sleep(60)").ReadAll()
			done <- err
		}()
		eventually(t, "the query is cancelled", func() bool {
			_ = connection.PgConn().CancelRequest(t.Context())
			select {
			case err := <-done:
				return sqlstate(err) == "57014"
			default:
				return false
			}
		})
	})
}

func wantUnreachable(t *testing.T, dsn string) {
	t.Helper()
	_, err := pgx.Connect(t.Context(), listen(t, secret.New(dsn)).DSN().Reveal())
	if sqlstate(err) != "08001" {
		t.Error(err)
	}
}

// place writes a file into the server's directory, as the server's user.
func place(t *testing.T, admin *pgx.Conn, name, text string) {
	t.Helper()
	program := fmt.Sprintf("umask 077; echo %s | base64 -d > %s", base64.StdEncoding.EncodeToString([]byte(text)), name)
	do(t, admin, "COPY (SELECT 1 WHERE false) TO PROGRAM '"+program+"'")
}

// issued are a server's certificate for 127.0.0.1, its key, and who signed it.
func issued(t *testing.T) (certificate, key, authority string) {
	t.Helper()
	issue := func(template, parent *x509.Certificate, public any, signer any) []byte {
		made, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	newKey := func() *ecdsa.PrivateKey {
		made, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	until := time.Now().Add(time.Hour)
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotAfter: until, IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "server"}, NotAfter: until,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	rootKey, leafKey := newKey(), newKey()
	private, err := x509.MarshalPKCS8PrivateKey(leafKey)
	if err != nil {
		t.Fatal(err)
	}
	encode := func(kind string, data []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}))
	}
	return encode("CERTIFICATE", issue(leaf, root, leafKey.Public(), rootKey)), encode("PRIVATE KEY", private),
		encode("CERTIFICATE", issue(root, root, rootKey.Public(), rootKey))
}

func pemFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "root.pem")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Encryption is refused with one byte, and the client goes on without.
func TestEncryptionRefused(t *testing.T) {
	t.Parallel()
	tapped := listen(t, shared.DSN)
	client := dial(t, tapped)
	for _, request := range []string{"\x00\x00\x00\x08\x04\xd2\x16\x30", string(sslRequest)} { // GSS first, as libpq
		if _, err := client.Write([]byte(request)); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, 1)
		if _, err := io.ReadFull(client, answer); err != nil || answer[0] != 'N' {
			t.Fatal(answer, err)
		}
	}
	if _, err := client.Write(startup(t)); err != nil {
		t.Fatal(err)
	}
	if answer, err := readMessage(client); err != nil || answer[0] != authentication {
		t.Errorf("%q, %v", answer, err)
	}
	preferring := strings.Replace(tapped.DSN().Reveal(), "sslmode=disable", "sslmode=prefer", 1)
	do(t, connect(t, secret.New(preferring)), "SELECT 1")
}
