// Package catalog is the probes: one file each, metadata beside a pure judge,
// and the flows that drive the traffic they judge. It performs no I/O.
package catalog

import (
	"slices"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
)

// All is every probe, in the order of the reports.
func All() []probe.Probe {
	return []probe.Probe{
		sessionIDNotRotatedOnLogin,
		arbitrarySessionIDAccepted,
		permissiveSessionCreation,
		sessionIDAcceptedInQuery,
		sessionIDAcceptedInFormField,
		sessionIDAcceptedInJSONBody,
		sessionIDAcceptedInPath,
		sessionIDAcceptedInHeader,
		sessionFixationDanglingID,
		preLoginSessionNotInvalidated,
		crossUserSessionReuse,
		sessionIDNotRotatedOnPrivilegeChange,
		sessionIDNotRotatedOnReauthentication,
		sessionIDNotRotatedOnPasswordChange,
		preLoginStateCarryOver,
		sessionPuzzling,
		concurrentLoginRace,
		duplicateSessionCookie,
		cookiePrefixBypass,
		sessionIdentityFromNetwork,
		sessionSurvivesAccountDeletion,
		logoutSessionNotInvalidated,
		idleTimeoutNotEnforced,
		absoluteTimeoutNotEnforced,
		logoutEverywhereIncomplete,
		passwordChangeKeepsOtherSessions,
		sessionLifetimeExcessive,
		sessionResurrection,
		concurrentSessionLimitNotEnforced,
		logoutClientStateNotCleared,
		sessionIDInsufficientLength,
		sessionIDLowEntropy,
		sessionIDSequential,
		sessionIDDerivedFromPrevious,
		sessionIDTimestampBased,
		sessionIDHashOfGuessable,
		sessionIDPredictablePRNG,
		sessionIDCollision,
		sessionIDContainsUserData,
		sessionCookieTamperable,
		sessionCookieMissingSecure,
		sessionCookieMissingHTTPOnly,
		sessionCookieSameSite,
		sessionCookieRejectedByBrowser,
		sessionCookiePrefixMissing,
		sessionCookieDomainTooBroad,
		sessionCookiePersistent,
		duplicateSetCookie,
		cookieAttributeInjection,
		sessionCookieNotPartitioned,
		sessionIDInURL,
		sessionIDInResponseBody,
		sessionIDsShownToStrangers,
		personalDataWithoutSession,
		sessionResponseCacheable,
		sessionIDStoredInClear,
		sessionIDInLogs,
		sessionStoreUserIsAdmin,
		sessionIDSQLInjection,
		sessionIDPathTraversal,
		sessionIDReflectedUnencoded,
		sessionIDMalformedInput,
		loginCSRF,
		corsCredentialsAnyOrigin,
		sessionOverPlainHTTP,
		loginOverGET,
		oauthStateNotBound,
	}
}

// Rules is every rule of the catalogue, variants beside their probe's rule.
func Rules() []finding.Rule {
	var rules []finding.Rule
	for _, p := range All() {
		rules = append(rules, p.Rules()...)
	}
	return rules
}

// Rule returns the rule with that id.
func Rule(id string) (finding.Rule, bool) {
	rules := Rules()
	i := slices.IndexFunc(rules, func(r finding.Rule) bool { return r.ID == id })
	if i < 0 {
		return finding.Rule{}, false
	}
	return rules[i], true
}

// variant is the rule with another severity.
func variant(rule finding.Rule, name, title string, severity finding.Severity, vector string) finding.Rule {
	rule.ID += "/" + name
	rule.Title = title
	rule.Severity = severity
	rule.Vector = vector
	return rule
}
