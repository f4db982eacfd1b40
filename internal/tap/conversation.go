package tap

import (
	"sync"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/sessiongate/sessiongate/internal/trace"
)

const (
	// The most that drivers keep prepared by default is pgx's 512.
	preparedCount = 1_024
	preparedBytes = 1 << 20
	portalCount   = 64
	namesSize     = 1_024 // of Close and Execute: a type and two names, more or less
)

// notRun is what is noted for what the server passes over after an error.
const notRun = "not run: a statement before it in the same pipeline failed"

// prepared is a text that the client sent to be parsed.
type prepared struct {
	text  string
	first *entry // the first statement made of it
}

// conversation follows both directions of one connection, to know which
// statement a server's error is about.
type conversation struct {
	record *record
	number int

	mu       sync.Mutex
	queue    queue
	last     *entry // executed last
	skipping bool   // the server passes over everything up to the next Sync
	copying  bool   // the server takes rows, and ignores Sync meanwhile
	prepared shelf[*prepared]
	portals  shelf[*entry]
}

func newConversation(r *record, number int) *conversation {
	return &conversation{record: r, number: number,
		prepared: shelf[*prepared]{places: preparedCount, room: preparedBytes}, portals: shelf[*entry]{places: portalCount}}
}

// wantsOfClient is how much of a client's message has to be seen.
func wantsOfClient(kind byte) int {
	switch kind {
	case query, parse, bindMessage:
		return whole
	case execute, closeMessage:
		return namesSize
	}
	return 0
}

// wantsOfServer is how much of a server's message has to be seen.
func wantsOfServer(kind byte) int {
	if kind == errorResponse {
		return head
	}
	return 0
}

// sent is told of each message of the client before it is passed on.
func (c *conversation) sent(f frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch f.kind {
	case query:
		text, _ := zeroTerminated(string(f.body))
		c.state(pending{kind: query, entry: newEntry(c.number, trace.Simple, text, nil)})
	case parse:
		name, rest := zeroTerminated(string(f.body))
		text, _ := zeroTerminated(rest)
		made := &prepared{text: text}
		c.prepared.put(name, made, len(text))
		c.expect(pending{kind: parse, prepared: made})
	case bindMessage:
		c.bind(decodeBind(string(f.body)))
	case execute:
		portal, _ := zeroTerminated(string(f.body))
		c.expect(pending{kind: execute, entry: c.portals.get(portal)})
	case closeMessage:
		c.forget(string(f.body))
		c.expect(pending{kind: closeMessage})
	case describe, functionCall:
		c.expect(pending{kind: f.kind})
	case syncMessage:
		c.sync()
	case copyDone, copyFail:
		c.copying = false
	}
}

func (c *conversation) bind(b bind) {
	from := c.prepared.get(b.statement)
	if from == nil {
		from = &prepared{} // forgotten, or never prepared
	}
	made := newEntry(c.number, trace.Extended, from.text, b.parameters)
	if from.first == nil {
		from.first = made
	}
	c.portals.put(b.portal, made, 0)
	c.state(pending{kind: bindMessage, entry: made})
}

func (c *conversation) forget(body string) {
	if body == "" {
		return
	}
	name, _ := zeroTerminated(body[1:])
	if body[0] == 'S' {
		c.prepared.remove(name)
	} else {
		c.portals.remove(name)
	}
}

// state records a statement and expects its answer.
func (c *conversation) state(p pending) {
	c.record.add(p.entry)
	if c.skipping {
		c.record.fail(p.entry, "", notRun)
	}
	c.expect(p)
}

func (c *conversation) expect(p pending) {
	if !c.skipping {
		c.queue.push(p)
	}
}

func (c *conversation) sync() {
	c.skipping = false
	if !c.copying {
		c.queue.push(pending{kind: syncMessage})
	}
}

// received is told of each message of the server before it is passed on.
func (c *conversation) received(f frame) {
	switch f.kind {
	case parseComplete:
		c.answered(parse)
	case bindComplete:
		c.answered(bindMessage)
	case closeComplete:
		c.answered(closeMessage)
	case noData, rowDescription:
		c.answered(describe)
	case commandComplete, emptyQuery, portalSuspended:
		c.answered(execute)
	case copyIn, copyBoth:
		c.copyStarted()
	case errorResponse:
		c.failed(f.body)
	case readyForQuery:
		c.ready()
	}
}

// answered takes the message off that waits longest, if it is of the kind: a
// simple query, for one, is answered only when the server is ready again.
func (c *conversation) answered(kind byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if front, ok := c.queue.front(); ok && front.kind == kind {
		c.queue.pop()
		if kind == execute {
			c.last, c.copying = front.entry, false
		}
	}
}

// copyStarted drops the Syncs sent along with the statement: the server reads
// them among the rows, where they mean nothing.
func (c *conversation) copyStarted() {
	c.mu.Lock()
	defer c.mu.Unlock()
	front, ok := c.queue.front()
	if !ok || front.kind != execute {
		return
	}
	c.copying = true
	c.queue.dropSyncs()
}

// ready ends what the client closed with a query, a function call or a Sync.
func (c *conversation) ready() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.copying = false
	c.queue.settle()
}

func (c *conversation) failed(body []byte) {
	var answer pgproto3.ErrorResponse
	_ = answer.Decode(body) // what could be read of a broken one still stands
	c.mu.Lock()
	defer c.mu.Unlock()
	c.record.countError()
	front, ok := c.queue.front()
	if !ok {
		return
	}
	culprit := front.entry
	switch front.kind {
	case syncMessage: // the commit of what ran before it
		culprit = c.last
	case parse:
		culprit = c.unparsed(front.prepared)
	}
	if culprit != nil {
		c.record.fail(culprit, answer.Code, answer.Message)
	}
	if front.kind != query && front.kind != functionCall && front.kind != syncMessage {
		c.skip()
	}
}

// unparsed is the statement that a refused text became in the same pipeline.
// Clients that wait for the answer make none of it: then the text alone is one.
func (c *conversation) unparsed(from *prepared) *entry {
	if from.first == nil {
		from.first = newEntry(c.number, trace.Extended, from.text, nil)
		c.record.add(from.first)
	}
	return from.first
}

// skip drops what the server will not look at: all up to the next Sync.
func (c *conversation) skip() {
	c.copying = false
	c.skipping = !c.queue.lost
	for front, ok := c.queue.front(); ok; front, ok = c.queue.front() {
		if front.kind == syncMessage {
			c.skipping = false
			return
		}
		if front.entry != nil {
			c.record.fail(front.entry, "", notRun) // the culprit has its error already
		}
		c.queue.pop()
	}
}
