package gate

import "strings"

// Outputs reads the outputs of a step as a runner does: name<<delimiter, lines, delimiter.
func Outputs(file string) map[string]string {
	found := map[string]string{}
	lines := strings.Split(file, "\n")
	for i := 0; i < len(lines); i++ {
		name, delimiter, is := strings.Cut(lines[i], "<<")
		if !is {
			continue
		}
		var value []string
		for i++; i < len(lines) && lines[i] != delimiter; i++ {
			value = append(value, lines[i])
		}
		found[name] = strings.Join(value, "\n")
	}
	return found
}
