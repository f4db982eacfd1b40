package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/store"
	"github.com/sessiongate/sessiongate/internal/tap"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// witness is the session store as the gate sees it: the statements on the wire
// and the rows behind them. Where the gate did not start the API there is no
// wire to sit on.
type witness struct {
	wire     *tap.Tap // may be nil
	rows     *store.Store
	mayWrite bool   // else rows are looked at only
	table    string // where the recipe says that sessions are; "" for wherever

	mu      sync.Mutex
	altered map[secret.Text][]trace.Row // as they were before the first change
}

func (w *witness) Watch(ids ...secret.Text) {
	if w.wire != nil {
		w.wire.Watch(ids...)
	}
}

func (w *witness) Statements() []trace.Statement {
	if w.wire == nil {
		return nil
	}
	return w.wire.Statements()
}

// errNotOurStore is why nothing is looked up: what the store holds says
// something of the API only if the API uses it.
var errNotOurStore = errors.New("the API opened no connection to the store that the gate gave it; " +
	"name the variable it reads its DSN from in database.environment-variable")

// Look asks the tables first in which the wire saw a watched id, so that the
// size of all others costs nothing. It reads the present moment, which
// CockroachDB does without making the API's transactions wait or run again.
func (w *witness) Look(ctx context.Context, id secret.Text) ([]trace.Cell, error) {
	if w.wire != nil && w.wire.Counts().Connections == 0 {
		return nil, errNotOurStore
	}
	at, err := w.rows.Now(ctx)
	if err != nil {
		return nil, err
	}
	if w.table == "" {
		return w.rows.FindAt(ctx, at, id, w.tables())
	}
	places, err := w.rows.FindAt(ctx, at, id, []string{w.table})
	if err != nil {
		return nil, err
	}
	return w.inTable(ctx, places)
}

// inTable keeps the places in the recipe's table. That there is none may be
// because there is no such table.
func (w *witness) inTable(ctx context.Context, places []trace.Cell) ([]trace.Cell, error) {
	places = slices.DeleteFunc(places, func(place trace.Cell) bool { return place.Row.Table != w.table })
	if len(places) > 0 {
		return places, nil
	}
	tables, err := w.rows.Tables(ctx)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(tables, func(table store.Table) bool { return table.String() == w.table }) {
		return nil, fmt.Errorf("the session store has no table %q; correct database.table", w.table)
	}
	return nil, nil
}

// Users are those the wire saw, with what the store lets them do.
func (w *witness) Users(ctx context.Context) []trace.StoreUser {
	if w.wire == nil {
		return nil
	}
	var users []trace.StoreUser
	for _, name := range w.wire.Users() {
		user := trace.StoreUser{Name: name}
		if may, err := w.rows.Privileges(ctx, name); err != nil {
			user.Problem = err.Error()
		} else {
			user.Admin = may.Superuser
		}
		users = append(users, user)
	}
	return users
}

// tables are those of the statements that were kept, each once.
func (w *witness) tables() []string {
	var tables []string
	seen := map[string]bool{}
	for _, statement := range w.Statements() {
		for _, table := range statement.Tables() {
			if !seen[table] {
				seen[table] = true
				tables = append(tables, table)
			}
		}
	}
	return tables
}
