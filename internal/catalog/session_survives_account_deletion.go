package catalog

import (
	"context"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var outlivesAccount = finding.Rule{
	ID:     "session-survives-account-deletion",
	Title:  "Sessions outlive their deleted account",
	Family: finding.Termination, Severity: 68, Vector: "CVSS:3.1/AV:N/AC:H/PR:L/UI:N/S:U/C:H/I:H/A:N",
	CWE: []int{613, 384}, ASVS: []string{"v5.0.0-7.4.2"}, OWASPAPI: []string{"API2:2023"}, WSTG: []string{"WSTG-SESS-06"},
	Why: "Whoever was locked out by the deletion goes on acting; where user ids are used again, as whoever signs up next.",
	Fix: "Delete the sessions with the account, look the account up in every request, and never use a user id twice.",
	FastAPI: `CREATE TABLE sessions (
    id_hash BYTES PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE
)`,
}

var sessionSurvivesAccountDeletion = probe.Probe{
	Rule: outlivesAccount, Steps: []string{register, login, identity, deleteAccount}, Flow: accountDeletion, Judge: judgeOutlivesAccount,
	Open: []string{"the identity step does not name the account that was made for this", "the deleted account can still log in"},
	How: []string{
		"An account that nobody else uses is registered and logs in; its jar is frozen and it deletes itself. Then another account is registered.",
		"It fails when the frozen jar still reads a profile: that of the deleted account, or that of the next one.",
		"Controls: the account was signed in, and can no longer log in once it is deleted.",
	},
}

// accountDeletion makes an account to delete: those of the recipe stay.
var accountDeletion = &probe.Flow{
	Name: "account-deletion", Steps: []string{register, login, identity, deleteAccount},
	Run: func(ctx context.Context, stage probe.Stage) error {
		dave, v, again := stage.NewUser(), stage.Actor(victim), stage.Actor(control)
		if err := signUp(ctx, stage, dave); err != nil {
			return err
		}
		if err := v.Login(ctx, dave); err != nil {
			return err
		}
		v.Identify(ctx, before)
		kept := v.Freeze(frozen)
		if err := v.Do(ctx, deleteAccount); err != nil {
			return err
		}
		if err := signUp(ctx, stage, stage.NewUser()); err != nil {
			return err
		}
		kept.Identify(ctx, after)
		if err := again.Login(ctx, dave); err != nil && !refused(err) {
			return err
		}
		again.Identify(ctx, after)
		return ctx.Err()
	},
}

// signUp registers in a browser of its own, since some APIs sign in with it.
func signUp(ctx context.Context, stage probe.Stage, name string) error {
	newcomer := stage.Actor("newcomer")
	newcomer.Become(name)
	return newcomer.Do(ctx, register)
}

func judgeOutlivesAccount(t trace.Trace) finding.Verdict {
	logins := t.Step(victim, login)
	if len(logins) == 0 {
		if t.WasRateLimited() {
			return untested(rateLimited())
		}
		return untested(unfinished(t, "no account was made and signed in"))
	}
	dave := logins[0].User
	if began := t.Reads(victim, before); len(began) > 0 && began[0].Who.Kind == trace.Unknown {
		return finding.Untested(finding.NoCalibration, "the identity step does not name the account that was made for this",
			"let the identity step answer with the user name, and the register step take it from {{username}}")
	}
	got := survival{user: dave, jars: []string{frozen}}.decide(t)
	inherited := inheritor(t, dave)
	switch {
	case got.conclusive() && len(got.stolen) == 0:
		return finding.Passed("")
	case !got.conclusive() && !inherited:
		return untested(got.open)
	}
	message := "The account was deleted and cannot log in any more, and the jar from before still reads its profile."
	if inherited {
		message = "The account was deleted, another one was registered, and the jar of the deleted one reads the profile of the new one: its user id was used again."
	}
	return finding.Failed(finding.Finding{
		Rule: outlivesAccount.ID, Subject: t.Facts.CarrierName(), Step: deleteAccount, Message: message, Evidence: story(t),
	})
}

// inheritor reports whether the frozen jar, with all controls held, is somebody
// else now.
func inheritor(t trace.Trace, dave string) bool {
	reads := t.Reads(frozen, after)
	if len(reads) == 0 || reads[0].Who.Kind != trace.SignedIn || reads[0].Who.User == dave || len(t.Reads(victim, before)) == 0 {
		return false
	}
	_, bad := survival{user: dave, began: before, moment: after}.controls(t)
	return !bad
}
