// Package tap stands between an API and its database and reports the SQL in
// which a session id travels. It passes the PostgreSQL protocol on byte for
// byte and understands only as much of it as it takes to tell statements,
// parameters and errors. It asks the database nothing and judges nothing.
//
// Whoever can send SQL to the database is hostile: the API is somebody's pull
// request. Each connection remembers at most some 2 MiB, and there are at most
// 500.
package tap

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"

	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

const maxConnections = 500

// Tap is a listener on one address of this machine. It is safe for concurrent use.
type Tap struct {
	dsn      dsn
	upstream upstream
	listener *net.TCPListener
	record   record

	ctx     context.Context // of the connections: Close ends it
	cancel  context.CancelFunc
	running sync.WaitGroup
	mu      sync.Mutex
	clients int
	open    map[net.Conn]bool // clients and servers; nil once closed
}

// Listen opens a tap on 127.0.0.1 in front of the database with that DSN, a
// URL, until Close or the end of ctx. It does not connect to the database: each
// connection of the API becomes one to it.
func Listen(ctx context.Context, database secret.Text) (*Tap, error) {
	return ListenAt(ctx, database, netip.AddrFrom4([4]byte{127, 0, 0, 1}))
}

// ListenAt is Listen on an address where an API in a container reaches this
// process.
func ListenAt(ctx context.Context, database secret.Text, address netip.Addr) (*Tap, error) {
	d, err := parseDSN(database.Reveal())
	if err != nil {
		return nil, err
	}
	u, err := newUpstream(d)
	if err != nil {
		return nil, err
	}
	listener, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(address, 0)))
	if err != nil {
		return nil, fmt.Errorf("no port on %s to watch the database from: %w", address, err)
	}
	t := &Tap{dsn: d, upstream: u, listener: listener, open: map[net.Conn]bool{}}
	t.ctx, t.cancel = context.WithCancel(ctx)
	t.running.Go(t.accept)
	context.AfterFunc(t.ctx, t.shut)
	return t, nil
}

// DSN is the database's own, by way of the tap and without TLS.
func (t *Tap) DSN() secret.Text { return t.dsn.at(t.listener.Addr().String()) }

// Environment is the same for programs that go by libpq's variables: PGHOST,
// PGPORT, PGSSLMODE and, where the DSN has them, PGUSER, PGPASSWORD, PGDATABASE.
func (t *Tap) Environment() map[string]secret.Text {
	return t.dsn.environment(t.listener.Addr().(*net.TCPAddr))
}

// Watch has the tap keep the statements in which an id stands in any form of
// idform: those to come and the latest ones (512, 2 MiB), since an id that the
// server issues is known only after it was stored. An id shorter than six bytes
// must be a whole parameter or a whole literal, or it would turn up everywhere.
func (t *Tap) Watch(ids ...secret.Text) { t.record.watch(ids) }

// Statements are those kept, in order: at most 5,000 and 8 MiB. An error is on
// its statement by the time the API reads it.
func (t *Tap) Statements() []trace.Statement { return t.record.statements() }

// Counts are the totals so far.
func (t *Tap) Counts() Counts {
	t.record.mu.Lock()
	defer t.record.mu.Unlock()
	return t.record.counts
}

// Users are the names under which the API tried to log in, at most 100.
func (t *Tap) Users() []string {
	t.record.mu.Lock()
	defer t.record.mu.Unlock()
	return append([]string(nil), t.record.users...)
}

// Close ends all connections and waits for them. What was recorded stays. It
// may be called again.
func (t *Tap) Close() error {
	t.cancel()
	t.shut()
	t.running.Wait()
	return nil
}

// shut may run twice at a time, for the end of the context and for Close.
func (t *Tap) shut() {
	_ = t.listener.Close()
	t.mu.Lock()
	defer t.mu.Unlock()
	for connection := range t.open {
		_ = connection.Close()
	}
	t.open = nil
}

func (t *Tap) accept() {
	for {
		client, err := t.listener.AcceptTCP()
		if err != nil {
			if t.ctx.Err() != nil {
				return
			}
			// Out of file descriptors, or the client is gone already: the next
			// one may do better.
			if !pause(t.ctx) {
				return
			}
			continue
		}
		if !t.admit() {
			refuse(client, tooMany)
			_ = client.Close()
			continue
		}
		t.running.Go(func() {
			defer t.dismiss()
			if t.hold(client) {
				defer t.drop(client)
				t.serve(client)
			}
		})
	}
}

// admit counts a client in, unless there are too many.
func (t *Tap) admit() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.clients >= maxConnections {
		return false
	}
	t.clients++
	return true
}

func (t *Tap) dismiss() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clients--
}

// hold registers a connection to be closed with the tap; once that is closed,
// it closes it at once.
func (t *Tap) hold(connection net.Conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open == nil {
		_ = connection.Close()
		return false
	}
	t.open[connection] = true
	return true
}

func (t *Tap) drop(connection net.Conn) {
	_ = connection.Close()
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open, connection)
}
