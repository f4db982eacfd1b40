package mcpserver

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// farewell is how long the answers to what was asked may take once the client
// has nothing more to ask.
const farewell = 10 * time.Second

// pipe is the transport. A client may close its side right after its last
// request, as a script does: what it asked until then is answered first, but
// for scans, which ended stops.
type pipe struct {
	in    io.Reader
	out   io.Writer
	ended func()
	// garbled says that a line was no message; set before ended is called.
	garbled bool
}

// Connect is that of mcp.Transport.
func (p *pipe) Connect(ctx context.Context) (mcp.Connection, error) {
	inner, err := (&mcp.IOTransport{Reader: io.NopCloser(p.in), Writer: unclosed{p.out}}).Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &connection{Connection: inner, pipe: p, open: map[jsonrpc.ID]bool{}, idle: make(chan struct{}, 1)}, nil
}

// unclosed leaves the stream to whoever opened it.
type unclosed struct{ io.Writer }

func (unclosed) Close() error { return nil }

type connection struct {
	mcp.Connection
	pipe *pipe

	mu   sync.Mutex
	open map[jsonrpc.ID]bool // requests without an answer yet
	idle chan struct{}       // told when open becomes empty
}

// Read is that of mcp.Connection.
func (c *connection) Read(ctx context.Context) (jsonrpc.Message, error) {
	message, err := c.Connection.Read(ctx)
	if request, is := message.(*jsonrpc.Request); is && err == nil && request.IsCall() {
		c.mu.Lock()
		c.open[request.ID] = true
		c.mu.Unlock()
	}
	if err != nil {
		c.pipe.garbled = !errors.Is(err, io.EOF) && ctx.Err() == nil
		c.pipe.ended()
		c.settle(ctx)
	}
	return message, err
}

// settle waits until every request is answered.
func (c *connection) settle(ctx context.Context) {
	limit := time.NewTimer(farewell)
	defer limit.Stop()
	for c.waiting() {
		select {
		case <-c.idle:
		case <-limit.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

func (c *connection) waiting() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open) > 0
}

// Write is that of mcp.Connection.
func (c *connection) Write(ctx context.Context, message jsonrpc.Message) error {
	err := c.Connection.Write(ctx, message)
	response, is := message.(*jsonrpc.Response)
	if err == nil && !is {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if is {
		delete(c.open, response.ID)
	}
	if err != nil { // the client is gone: nobody waits for an answer
		clear(c.open)
	}
	if len(c.open) == 0 {
		select {
		case c.idle <- struct{}{}:
		default:
		}
	}
	return err
}
