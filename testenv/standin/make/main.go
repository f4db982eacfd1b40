// Command make makes the images of standin and prints their names, one a line:
// the store's, and with "make python" that of Python, too.
package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/sessiongate/sessiongate/testenv/standin"
)

func main() {
	images := []func(context.Context) (string, error){standin.Image}
	if slices.Contains(os.Args[1:], "python") {
		images = append(images, standin.Python)
	}
	for _, image := range images {
		ref, err := image(context.Background())
		if err != nil {
			fmt.Fprintln(os.Stderr, "make:", err)
			os.Exit(1)
		}
		fmt.Println(ref)
	}
}
