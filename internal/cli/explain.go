package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sessiongate/sessiongate/internal/catalog"
	"github.com/sessiongate/sessiongate/internal/rulebook"
)

func explainCommand(streams Streams) *cobra.Command {
	var noColor bool
	cmd := &cobra.Command{
		Use:   "explain [RULE]",
		Short: "Say of a rule what it is, how it is tested and how it is fixed",
		Long: `Show the page of one rule: what it is, how it is tested step by step, why it
matters, the fix (with FastAPI too), what can leave it not tested, and the
standards behind it. Without a rule: every rule, by family.`,
		Example: `  sessiongate explain
  sessiongate explain session-id-not-rotated-on-login`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return rulebook.List(streams.Out, catalog.All(), style(streams, noColor))
			}
			return explain(streams, args[0], noColor)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return ruleIDs(), cobra.ShellCompDirectiveNoFileComp
		},
	}
	cmd.Flags().BoolVar(&noColor, "no-color", false, "no colours")
	return cmd
}

func explain(streams Streams, id string, noColor bool) error {
	p, rule, found := rulebook.Find(catalog.All(), id)
	if found {
		return rulebook.Page(streams.Out, p, rule, style(streams, noColor))
	}
	near := rulebook.Near(catalog.All(), id)
	if len(near) == 0 {
		return fmt.Errorf("there is no rule %q; sessiongate explain lists them all", id)
	}
	return fmt.Errorf("there is no rule %q; did you mean %s?", id, strings.Join(near, ", "))
}

func ruleIDs() []string {
	var ids []string
	for _, rule := range catalog.Rules() {
		ids = append(ids, rule.ID)
	}
	return ids
}
