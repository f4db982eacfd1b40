package catalog

import (
	"context"
	"fmt"
	"time"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// elsewhere is another session of the victim's.
const elsewhere = "other session"

// passwordChange changes the victim's password in one of her two sessions, and
// then back, whatever happens in between: other flows log in with it.
var passwordChange = &probe.Flow{
	Name: "password-change", Steps: []string{login, identity, changePassword}, Alone: true,
	Run: func(ctx context.Context, stage probe.Stage) (err error) {
		user := stage.Facts().Victim()
		other, v := stage.Actor(elsewhere), stage.Actor(victim)
		if !stage.Facts().Exclusive { // else the next login would end it
			if err := other.Login(ctx, user); err != nil {
				return err
			}
		}
		if err := v.Login(ctx, user); err != nil {
			return err
		}
		if !stage.Facts().Exclusive {
			other.Identify(ctx, before)
		}
		v.Identify(ctx, before)
		kept := v.Freeze(frozen)
		renewed := stage.NewPassword()
		defer func() {
			if failure := restore(ctx, stage, renewed); failure != nil {
				err = failure
			}
		}()
		if err := v.ChangePassword(ctx, changePassword, secret.Text{}, renewed); err != nil {
			return err
		}
		kept.Identify(ctx, after)
		if !stage.Facts().Exclusive {
			other.Identify(ctx, after)
		}
		old := stage.Actor(control)
		if err := old.Login(ctx, user); err != nil && !refused(err) {
			return err
		}
		old.Identify(ctx, after)
		return ctx.Err()
	},
}

// restoring is how long the way back may take, also when the scan is cancelled.
const restoring = 5 * time.Second

// restore logs in with the new password, changes it back and proves it. Where
// the change was refused, the proof is all there is to do.
func restore(ctx context.Context, stage probe.Stage, renewed secret.Text) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), restoring)
	defer cancel()
	user := stage.Facts().Victim()
	again, own := stage.Actor(sameAgain), stage.Actor("victim restored")
	again.Insist()
	own.Insist()
	err := again.LoginWith(ctx, user, renewed)
	if err == nil && isVictim(again.Identify(ctx, after), stage.Facts()) {
		err = again.ChangePassword(ctx, changePassword, renewed, secret.Text{})
	}
	if failure := own.Login(ctx, user); failure != nil {
		err = failure
	} else if isVictim(own.Identify(ctx, afterRelogin), stage.Facts()) {
		return nil
	}
	cause := "the login with it signs nobody in"
	if err != nil {
		cause = err.Error()
	}
	return fmt.Errorf("the password of %s could not be changed back, set it by hand before the next scan: %s", user, cause)
}

// passwordChanged is the question of both rules about it: did the session of
// that jar outlive the change? That the change took place is one more control.
func passwordChanged(t trace.Trace, jar string) answer {
	user := t.Facts.Victim()
	got := survival{user: user, jars: []string{jar}}.decide(t)
	if !got.conclusive() {
		return got
	}
	renewed := t.Reads(sameAgain, after)
	if len(renewed) == 0 || !renewed[0].Who.Is(user) {
		return answer{open: finding.Reason{Code: finding.NoCalibration,
			Text:   "the password change was answered, but the new password does not sign " + user + " in",
			Remedy: "check the names of the fields in the change-password step"}}
	}
	return got
}

const passwordUnchanged = "after the change the new password does not sign the user in, or the old one still does"
