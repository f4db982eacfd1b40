package catalog

import (
	"context"

	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// mostOpened bounds the pages of a description that are opened, each of them for
// two strangers at most.
const mostOpened = 8

// describedPages opens what the API's description says can be read, with an empty
// jar, and for another stranger what the first was shown: what both are told is no
// matter of theirs. That users can log in, and that their own page is closed, says
// nothing of the others. It runs by itself and late, so that a limit on strangers
// costs no experiment that needs a login.
var describedPages = &probe.Flow{
	Name: "described-pages", Steps: []string{login, identity}, Alone: true,
	Run: func(ctx context.Context, stage probe.Stage) error {
		one, other := stage.Actor("stranger"), stage.Actor("another stranger")
		var silent silence
		for _, page := range pagesToOpen(stage.Facts()) {
			err := one.Do(ctx, page.Step)
			if err == nil {
				err = other.Do(ctx, page.Step)
			}
			if !silent.goesOn(ctx, err) {
				break
			}
		}
		return silent.first
	},
}

func pagesToOpen(facts trace.Facts) []trace.Page {
	var pages []trace.Page
	for _, page := range facts.Pages {
		if page.Described && len(pages) < mostOpened {
			pages = append(pages, page)
		}
	}
	return pages
}
