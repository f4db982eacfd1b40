package tap

// maxPending bounds the messages of a pipeline that wait for an answer.
const maxPending = 8_192

// pending is a message that the server has not answered yet.
type pending struct {
	kind     byte
	entry    *entry // of query, bind and execute
	prepared *prepared
}

// queue holds the unanswered messages in order. When a client sends more than
// it holds, order is lost until the server has answered them all.
type queue struct {
	waiting []pending
	first   int
	lost    bool
	owed    int // answers "ready" while lost
}

// ends reports whether the server answers the message with "ready".
func (p pending) ends() bool {
	return p.kind == query || p.kind == functionCall || p.kind == syncMessage
}

func (q *queue) push(p pending) {
	if !q.lost && len(q.waiting)-q.first >= maxPending {
		q.lose()
	}
	switch {
	case !q.lost:
		q.waiting = append(q.waiting, p)
	case p.ends():
		q.owed++
	}
}

func (q *queue) lose() {
	q.lost, q.owed = true, 0
	for _, p := range q.waiting[q.first:] {
		if p.ends() {
			q.owed++
		}
	}
	q.waiting, q.first = nil, 0
}

func (q *queue) front() (pending, bool) {
	if q.first == len(q.waiting) {
		return pending{}, false
	}
	return q.waiting[q.first], true
}

func (q *queue) pop() {
	q.waiting[q.first] = pending{}
	q.first++
	switch {
	case q.first == len(q.waiting):
		q.waiting, q.first = q.waiting[:0], 0
	case q.first >= maxPending: // a pipeline that never runs dry
		q.waiting, q.first = append([]pending(nil), q.waiting[q.first:]...), 0
	}
}

// dropSyncs removes the Syncs right behind the front.
func (q *queue) dropSyncs() {
	rest := q.waiting[q.first+1:]
	for len(rest) > 0 && rest[0].kind == syncMessage {
		rest = rest[1:]
	}
	q.waiting = append(q.waiting[:q.first+1], rest...)
}

// settle is the server's "ready": everything up to the message it ends is done.
func (q *queue) settle() {
	if q.lost {
		q.owed--
		q.lost = q.owed > 0
		return
	}
	for front, ok := q.front(); ok; front, ok = q.front() {
		q.pop()
		if front.ends() {
			return
		}
	}
}
