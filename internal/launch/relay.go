package launch

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

const (
	relayed   = 1_000           // connections at a time
	relayDial = 5 * time.Second // for the other side to accept
)

// Relay copies every connection to a listener on to another address, byte for
// byte. It makes an API in a container answer on 127.0.0.1: there browsers
// take Secure cookies over plain http, as they would behind the TLS of a real
// deployment, and the Host is the one the API expects.
type Relay struct {
	listener *net.TCPListener
	to       string

	ctx     context.Context // of the connections: Close ends it
	cancel  context.CancelFunc
	slots   chan struct{}
	running sync.WaitGroup
}

// ListenRelay opens a relay on an address such as 127.0.0.1:0 until Close or
// the end of ctx.
func ListenRelay(ctx context.Context, listen, to string) (*Relay, error) {
	address, err := net.ResolveTCPAddr("tcp", listen)
	if err != nil {
		return nil, fail("a relay cannot listen on "+listen+": "+leaf(err), err)
	}
	listener, err := net.ListenTCP("tcp", address)
	if err != nil {
		return nil, fail("a relay cannot listen on "+listen+": "+leaf(err), err)
	}
	r := &Relay{listener: listener, to: to, slots: make(chan struct{}, relayed)}
	r.ctx, r.cancel = context.WithCancel(ctx)
	context.AfterFunc(r.ctx, func() { _ = listener.Close() })
	r.running.Go(r.accept)
	return r, nil
}

// Address is where it listens, with the port it was given.
func (r *Relay) Address() string { return r.listener.Addr().String() }

// Close ends all connections. It may be called again.
func (r *Relay) Close() {
	r.cancel()
	r.running.Wait()
}

func (r *Relay) accept() {
	for {
		client, err := r.listener.AcceptTCP()
		switch {
		case r.ctx.Err() != nil || errors.Is(err, net.ErrClosed):
			if err == nil {
				_ = client.Close()
			}
			return
		case err != nil: // out of descriptors, or the client is gone again
			select {
			case <-time.After(firstPause):
			case <-r.ctx.Done():
			}
			continue
		}
		select {
		case r.slots <- struct{}{}:
			r.running.Go(func() {
				defer func() { <-r.slots }()
				r.serve(client)
			})
		default:
			_ = client.Close()
		}
	}
}

// serve ends a client whose server cannot be reached with a reset, which is as
// near to a refused connection as a relay comes.
func (r *Relay) serve(client *net.TCPConn) {
	defer func() { _ = client.Close() }()
	dialer := net.Dialer{Timeout: relayDial}
	connection, err := dialer.DialContext(r.ctx, "tcp", r.to)
	if err != nil {
		_ = client.SetLinger(0)
		return
	}
	server := connection.(*net.TCPConn)
	defer func() { _ = server.Close() }()
	defer context.AfterFunc(r.ctx, func() { _, _ = client.Close(), server.Close() })()
	var both sync.WaitGroup
	both.Go(func() { pass(server, client) })
	both.Go(func() { pass(client, server) })
	both.Wait()
}

// pass hands on that a side has said all, or that it is gone altogether.
func pass(to, from *net.TCPConn) {
	_, err := io.Copy(to, from)
	if err != nil {
		_, _ = to.SetLinger(0), to.Close()
		_, _ = from.SetLinger(0), from.Close()
		return
	}
	_ = to.CloseWrite()
}
