package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/store"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var (
	errNotToWrite = errors.New("database.url is not on this machine, so no row is aged there; give --i-own-this-database if that may be")
	errNoRow      = errors.New("the store holds no row under that id")
	errNoTime     = errors.New("its row holds no time that is known by name as one of these")
)

// Alter changes the rows that were found under an id. The rows are looked up
// once, before the first change: a deleted one would not be found again.
func (w *witness) Alter(ctx context.Context, id secret.Text, change probe.Alteration) ([]string, error) {
	if !w.mayWrite {
		return nil, errNotToWrite
	}
	rows, err := w.rowsOf(ctx, id)
	if err != nil {
		return nil, err
	}
	var columns []string
	for _, row := range rows {
		changed, err := w.alter(ctx, row, change)
		if errors.Is(err, store.ErrGone) && change.Kind == trace.Deleted {
			err = nil // by the deletion of another one
		}
		if err != nil {
			return columns, err
		}
		columns = append(columns, changed...)
	}
	if len(columns) == 0 && (change.Kind == trace.Aged || change.Kind == trace.Set) {
		return nil, errNoTime
	}
	return columns, nil
}

func (w *witness) alter(ctx context.Context, row trace.Row, change probe.Alteration) ([]string, error) {
	switch change.Kind {
	case trace.Touched:
		return nil, w.rows.Touch(ctx, row)
	case trace.Deleted:
		return nil, w.rows.Delete(ctx, row)
	case trace.Restored:
		return nil, w.rows.Restore(ctx, row)
	}
	var moments []store.Time
	var columns []string
	for _, moment := range store.Times(row) {
		if len(change.Roles) == 0 || slices.Contains(change.Roles, moment.Role) {
			moments = append(moments, moment)
			columns = append(columns, columnOf(row, moment))
		}
	}
	switch {
	case len(moments) == 0:
		return nil, nil
	case change.Kind == trace.Set:
		return columns, w.rows.SetTime(ctx, row, change.To, moments...)
	case change.Kind == trace.Aged:
		return columns, w.rows.Age(ctx, row, change.By, moments...)
	}
	return nil, fmt.Errorf("there is no way to have rows %s", change.Kind)
}

func columnOf(row trace.Row, moment store.Time) string {
	name := row.Table + "." + moment.Column
	if len(moment.Member) > 0 {
		name += ": " + strings.Join(moment.Member, ".")
	}
	return name
}

// rowsOf are the rows whose key the id is, else those that hold it inside a
// value, each once.
func (w *witness) rowsOf(ctx context.Context, id secret.Text) ([]trace.Row, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if rows, known := w.altered[id]; known {
		return rows, nil
	}
	places, err := w.Look(ctx, id)
	if err != nil {
		return nil, err
	}
	rows := distinct(places, false)
	if len(rows) == 0 {
		rows = distinct(places, true)
	}
	if len(rows) == 0 {
		return nil, errNoRow
	}
	if w.altered == nil {
		w.altered = map[secret.Text][]trace.Row{}
	}
	w.altered[id] = rows
	return rows, nil
}

// distinct are the rows of the places of one kind. A row in which two columns
// hold the id must not be aged twice.
func distinct(places []trace.Cell, within bool) []trace.Row {
	var rows []trace.Row
	for _, place := range places {
		known := slices.ContainsFunc(rows, func(row trace.Row) bool { return sameRow(row, place.Row) })
		if place.Within == within && !known {
			rows = append(rows, place.Row)
		}
	}
	return rows
}

func sameRow(a, b trace.Row) bool {
	return a.Table == b.Table && slices.EqualFunc(a.Columns, b.Columns, func(x, y trace.Column) bool {
		return x.Name == y.Name && x.Null == y.Null && x.Value == y.Value
	})
}
